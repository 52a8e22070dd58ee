"""The emulated cloud: MiniStack in its own environment, on a free port, with all it writes in one folder."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from local.processes import NotStarted, Processes, free_port

REGION = "us-east-1"
ACCOUNT_ID = "000000000000"
# The emulated account's root, which the operator uses; a function gets its own role's credentials.
ACCESS_KEY_ID = SECRET_ACCESS_KEY = "test"

PYTHON = Path(".local/venvs/ministack/bin/python").absolute()
_ATTEMPTS = 3


@dataclass(frozen=True)
class Model:
    """A language model on Bedrock; a server of OpenAI's chat completions at `url` speaks for it."""

    id: str
    url: str


def start(
    folder: Path, processes: Processes, model: Model | None, for_functions: Mapping[str, str]
) -> str:
    """Returns the endpoint's URL. A port that another program took meanwhile is given up for the next.

    `for_functions` is added to every function's environment.
    """
    for attempt in range(_ATTEMPTS):
        port = free_port()
        log = folder / "cloud.log"
        try:
            processes.start(
                [str(PYTHON), "-m", "ministack"],
                log=log,
                env=_environment(folder, port, model) | dict(for_functions),
                # Its own log, not a request: another clone's cloud may answer at that port.
                ready=partial(_says, log, f"Running on http://127.0.0.1:{port}"),
            )
            break
        except NotStarted:
            if attempt == _ATTEMPTS - 1:
                raise
    return f"http://127.0.0.1:{port}"


def client_options(endpoint_url: str) -> dict[str, str]:
    """What boto3.client needs to reach it as the operator."""
    return {
        "endpoint_url": endpoint_url,
        "region_name": REGION,
        "aws_access_key_id": ACCESS_KEY_ID,
        "aws_secret_access_key": SECRET_ACCESS_KEY,
    }


def operator_environment(endpoint_url: str) -> dict[str, str]:
    """The same for a command, out of reach of the person's own AWS settings."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
    return inherited | {
        "AWS_ENDPOINT_URL": endpoint_url,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": ACCESS_KEY_ID,
        "AWS_SECRET_ACCESS_KEY": SECRET_ACCESS_KEY,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "NO_PROXY": "127.0.0.1,localhost",
    }


def _environment(folder: Path, port: int, model: Model | None) -> dict[str, str]:
    """Nothing of the person's own: functions inherit it."""
    scratch = folder / "tmp"
    scratch.mkdir(exist_ok=True)
    return {
        "PATH": os.defpath,
        "HOME": str(folder),
        "TMPDIR": str(scratch),
        "STATE_DIR": str(folder / "cloud"),
        "S3_DATA_DIR": str(folder / "s3"),
        "AUTH": "true",
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "IOT_MTLS_PORT": "0",
        "LAMBDA_WARM_TTL_SECONDS": "86400",
        "PYTHONUNBUFFERED": "1",
        "MINISTACK_BEDROCK_PROXY_URL": model.url if model else "",
    }


def _says(log: Path, words: str) -> bool:
    return words in log.read_text()
