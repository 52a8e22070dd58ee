"""The tree keeps its shape: functions, samples and template agree, and the world is behind doors."""

import ast
import importlib
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.unit.conftest import ROOT, resources

FUNCTIONS = sorted((ROOT / "functions").glob("*.py"))
MODULES = sorted((ROOT / "layers/calls/calls").glob("*.py"))
FUNCTION_NAMES = [path.stem for path in FUNCTIONS]

# The modules that reach out of the process, and what each alone may use of these.
DOORS = {
    "archive": "calls.aws",
    "aws": "boto3 botocore os",
    "call_store": "calls.aws",
    "clinic_users": "calls.aws",
    "json_api": "calls.aws",
    "keeping": "calls.aws",
    "line_store": "calls.aws",
    "reconciliation_store": "calls.aws",
    "second_opinion": "calls.aws",
    "secret": "calls.aws",
    "settings": "os",
    "twilio_api": "requests twilio.base twilio.http twilio.rest",
    "work_queue": "calls.aws",
}
OUTSIDE = ("boto3", "botocore", "os", "requests", "twilio.base", "twilio.http", "twilio.rest")
# A caller waits on these; what they import is the cold start.
VOICE_PATH = ("incoming_call", "dial_finished", "voicemail_left")
SLOW = ("pydantic", "requests", "twilio.rest", "phonenumbers", "jwt")


def imported(path: Path) -> Iterator[str]:
    """Every module that a file imports, by its full name."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name} imports relatively"
            yield str(node.module)
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def belongs(name: str, packages: tuple[str, ...]) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def camel_case(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("_"))


class TestFunctions:
    def test_are_those_of_the_template_under_the_same_names(self, template: dict[str, Any]) -> None:
        handlers = {
            name: function["Properties"]["Handler"]
            for name, function in resources(template, "AWS::Serverless::Function").items()
        }

        assert handlers == {camel_case(name): f"{name}.handler" for name in FUNCTION_NAMES}

    @pytest.mark.parametrize("name", FUNCTION_NAMES)
    def test_import_and_have_a_handler(self, name: str) -> None:
        assert callable(importlib.import_module(name).handler)

    def test_have_a_sample_event_each(self) -> None:
        assert sorted(path.stem for path in (ROOT / "events").glob("*.json")) == FUNCTION_NAMES

    @pytest.mark.parametrize("path", FUNCTIONS, ids=lambda path: path.stem)
    def test_do_not_import_one_another(self, path: Path) -> None:
        assert not [name for name in imported(path) if belongs(name, tuple(FUNCTION_NAMES))]

    def test_of_the_fallback_need_the_standard_library_only(self) -> None:
        packages = {
            name.partition(".")[0] for name in imported(ROOT / "functions/fallback_route.py")
        }

        assert packages <= sys.stdlib_module_names

    @pytest.mark.parametrize("name", VOICE_PATH)
    def test_on_the_answer_path_import_nothing_slow(self, name: str) -> None:
        asked = f"import sys, {name}; print(*sys.modules)"
        environment = {"PYTHONPATH": f"{ROOT}/functions:{ROOT}/layers/calls"}

        loaded = subprocess.run(
            [sys.executable, "-c", asked], capture_output=True, text=True, env=environment
        )

        assert loaded.returncode == 0, loaded.stderr
        assert sorted(set(SLOW).intersection(loaded.stdout.split())) == []


class TestTheBorder:
    @pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
    def test_is_crossed_by_doors_only(self, path: Path) -> None:
        allowed = tuple(DOORS.get(path.stem, "").split())

        crossed = {
            name
            for name in imported(path)
            if belongs(name, (*OUTSIDE, "calls.aws")) and not belongs(name, allowed)
        }

        assert crossed == set()

    @pytest.mark.parametrize("path", FUNCTIONS, ids=lambda path: path.stem)
    def test_is_not_crossed_by_functions(self, path: Path) -> None:
        allowed = ("os",) if path.stem == "fallback_route" else ()  # it has no settings door

        crossed = {
            name
            for name in imported(path)
            if belongs(name, (*OUTSIDE, "calls.aws")) and not belongs(name, allowed)
        }

        assert crossed == set()

    def test_has_one_door_to_twilio_and_one_to_aws(self) -> None:
        users = {
            package: [path.stem for path in MODULES if package in imported(path)]
            for package in ("boto3", "twilio.rest")
        }

        assert users == {"boto3": ["aws"], "twilio.rest": ["twilio_api"]}


@pytest.mark.parametrize("path", [*FUNCTIONS, *MODULES], ids=lambda path: path.stem)
class TestEveryModule:
    def test_opens_with_one_sentence(self, path: Path) -> None:
        docstring = ast.get_docstring(ast.parse(path.read_text()))

        assert docstring
        assert re.match(r"[A-Z`].*[.:]", docstring.splitlines()[0])

    def test_catches_nothing_it_cannot_answer(self, path: Path) -> None:
        caught = [
            ast.unparse(node.type) if node.type else "everything"
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.ExceptHandler)
        ]

        assert not {"everything", "Exception", "BaseException"}.intersection(caught)

    def test_edits_no_path(self, path: Path) -> None:
        assert "sys.path" not in path.read_text()


def test_no_module_is_named_for_nothing() -> None:
    vague = {"utils", "helpers", "common", "base", "manager", "models", "constants", "exceptions"}

    assert not vague & {path.stem for path in (*FUNCTIONS, *MODULES)}
