"""The SAM command line, with the `local` settings of samconfig.toml."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from local.processes import end_of

_CONFIGURATION = ("--config-file", str(Path("samconfig.toml").absolute()), "--config-env", "local")
_COMMAND = Path(".local/venvs/sam/bin/sam").absolute()
_SETTINGS = {
    "SAM_CLI_TELEMETRY": "0",
    "__SAM_CLI_APP_DIR": str(Path(".local/sam").absolute()),  # else in the home directory
    "SAM_CLI_POLL_DELAY": "0.2",
}


class SamFailed(RuntimeError):
    """A `sam` command failed; its note is what it wrote last."""


def run(command: str, *arguments: str, log: Path, env: Mapping[str, str]) -> None:
    with log.open("a") as output:
        done = subprocess.run(
            [_COMMAND, command, *_CONFIGURATION, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**env, **_SETTINGS, "PATH": _path_with_uv()},
            check=False,
        )
    if done.returncode:
        error = SamFailed(f"sam {command} failed")
        error.add_note(end_of(log))
        raise error


def _path_with_uv() -> str:
    """uv, which builds the layer, is installed beside the Python that runs this."""
    return os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
