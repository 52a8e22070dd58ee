"""The layer as it is built holds what the functions import, for the machine that they run on."""

import subprocess
import venv
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.conftest import ROOT

HANDLERS = sorted(path.stem for path in (ROOT / "functions").glob("*.py"))
# What Lambda's runtime has beside boto3: all that boto3 itself needs.
BOTO3 = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "urllib3", "six.py")
MAX_MEGABYTES = 60


def built(folder: Path, *settings: str) -> Path:
    """The layer's `python` folder, built as `sam build` builds it."""
    command = ["make", "-C", f"{ROOT}/layers/calls", "build-CallsLayer", f"ARTIFACTS_DIR={folder}"]
    made = subprocess.run([*command, *settings], capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    return folder / "python"


@pytest.fixture(scope="session")
def for_lambda(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(tmp_path_factory.mktemp("lambda"))


@pytest.fixture(scope="session")
def bare_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python that has boto3 and nothing else of ours."""
    folder = tmp_path_factory.mktemp("bare")
    venv.create(folder, symlinks=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    for name in BOTO3:
        source = next(_site_packages().glob(name))
        (packages / name).symlink_to(source)
    return folder / "bin" / "python"


@pytest.fixture(scope="session")
def for_this_machine(tmp_path_factory: pytest.TempPathFactory, bare_python: Path) -> Path:
    return built(tmp_path_factory.mktemp("host"), f"RINGBOOK_LAYER_PYTHON={bare_python}")


def _site_packages() -> Path:
    return Path(str(pytest.__file__)).parents[1]


def wheels(layer: Path) -> Iterator[tuple[str, list[str]]]:
    """Each distribution and the platforms that its wheel was tagged for."""
    for tags in layer.glob("*.dist-info/WHEEL"):
        lines = [line for line in tags.read_text().splitlines() if line.startswith("Tag: ")]
        yield tags.parent.name, [line.removeprefix("Tag: ") for line in lines]


class TestTheLayerForLambda:
    def test_holds_wheels_for_python_3_13_on_arm64(self, for_lambda: Path) -> None:
        compiled = {
            name: tag
            for name, tags in wheels(for_lambda)
            for tag in tags
            if not tag.endswith("-none-any")
        }

        assert compiled
        for name, tag in compiled.items():
            assert tag.startswith("cp313-"), name
            assert tag.endswith("aarch64"), name
            assert "manylinux" in tag, name

    def test_holds_machine_code_of_that_kind_only(self, for_lambda: Path) -> None:
        libraries = [path.name for path in for_lambda.rglob("*.so*")]

        assert libraries
        assert [name for name in libraries if "cpython-313-aarch64-linux-gnu" not in name] == []

    def test_leaves_boto3_to_the_runtime(self, for_lambda: Path) -> None:
        assert not [name for name in ("boto3", "botocore") if (for_lambda / name).exists()]

    def test_is_small(self, for_lambda: Path) -> None:
        unpacked = sum(path.stat().st_size for path in for_lambda.rglob("*") if path.is_file())

        assert unpacked < MAX_MEGABYTES * 1_000_000

    def test_holds_our_modules_as_they_are(self, for_lambda: Path) -> None:
        sources = (ROOT / "layers/calls/calls").iterdir()
        ours = {path.name: path.read_text() for path in sources if path.is_file()}

        assert {path.name: path.read_text() for path in (for_lambda / "calls").iterdir()} == ours


@pytest.mark.parametrize("handler", HANDLERS)
def test_every_handler_imports_with_only_the_layer_and_boto3(
    for_this_machine: Path, bare_python: Path, handler: str
) -> None:
    environment = {"PYTHONPATH": f"{ROOT}/functions:{for_this_machine}", "PATH": ""}

    imported = subprocess.run(
        [bare_python, "-s", "-c", f"import {handler}; assert callable({handler}.handler)"],
        capture_output=True,
        text=True,
        env=environment,
    )

    assert imported.returncode == 0, imported.stderr


def test_twilios_rest_client_works_without_the_products_that_were_taken_out(
    for_this_machine: Path, bare_python: Path
) -> None:
    asks = """
from twilio.rest import Client
client = Client("AC" + "0" * 32, "token")
client.incoming_phone_numbers, client.calls("CA0"), client.recordings("RE0")
v2 = client.intelligence.v2
v2.transcripts("GT0").sentences, v2.transcripts("GT0").operator_results, v2.services("GA0"), v2.operators
"""
    environment = {"PYTHONPATH": str(for_this_machine), "PATH": ""}

    ran = subprocess.run([bare_python, "-c", asks], capture_output=True, text=True, env=environment)

    assert ran.returncode == 0, ran.stderr


@pytest.mark.parametrize("package", ["pydantic", "twilio", "aws_lambda_powertools", "calls"])
def test_the_python_of_these_tests_lacks_what_the_layer_brings(
    bare_python: Path, package: str
) -> None:
    imported = subprocess.run([bare_python, "-c", f"import {package}"], capture_output=True)

    assert b"ModuleNotFoundError" in imported.stderr
