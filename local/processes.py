"""Servers in the background: each leads a process group, is found again by its id, and is stopped for good."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import psutil

_PATIENCE_SECONDS = 1.0
_LOG_LINES = 40
# Python warns of a child that is forgotten while it runs.
_CHILDREN: list[subprocess.Popen[bytes]] = []


class NotStarted(RuntimeError):
    """A server ended, or was not ready in time; its note is what it wrote last."""


def end_of(log: Path) -> str:
    lines = log.read_text(errors="replace").splitlines()[-_LOG_LINES:]
    return "\n".join([f"{log} ends:", *lines])


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Processes:
    """The servers of one system, noted in a file so that a later run can stop them."""

    def __init__(self, note: Path) -> None:
        self._note = note

    def start(
        self,
        command: Sequence[str],
        *,
        log: Path,
        ready: Callable[[], bool],
        env: Mapping[str, str] | None = None,
        within: float = 30,
    ) -> None:
        """Returns when `ready` says so; raises NotStarted."""
        with log.open("w") as output:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=env,
                start_new_session=True,
            )
        _CHILDREN.append(process)
        self._write([*self._read(), [process.pid, psutil.Process(process.pid).create_time()]])
        _await_ready(process, ready, log, time.monotonic() + within)

    def children(self) -> list[psutil.Process]:
        """What the noted servers have started themselves."""
        running = [int(pid) for pid, created in self._read() if _is_ours(int(pid), created)]
        return [child for pid in running for child in psutil.Process(pid).children(recursive=True)]

    def stop(self) -> int:
        """Stops every noted server and its children, and says how many servers there were."""
        running = [int(pid) for pid, created in self._read() if _is_ours(int(pid), created)]
        _stop_groups(running)
        for child in _CHILDREN:
            child.poll()
        self._note.unlink(missing_ok=True)
        return len(running)

    def _read(self) -> list[list[float]]:
        return json.loads(self._note.read_text()) if self._note.exists() else []

    def _write(self, noted: list[list[float]]) -> None:
        self._note.write_text(json.dumps(noted))


def _await_ready(
    process: subprocess.Popen[bytes], ready: Callable[[], bool], log: Path, deadline: float
) -> None:
    while not ready():
        if process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
            continue
        error = NotStarted(f"{log.stem} did not start")
        error.add_note(end_of(log))
        raise error


def _is_ours(pid: int, created: float) -> bool:
    """False when the number has gone to a process of someone else."""
    try:
        return psutil.Process(pid).create_time() == created
    except psutil.NoSuchProcess:
        return _alive(pid)  # children of the group may have outlived their leader


def _stop_groups(leaders: Sequence[int]) -> None:
    for wanted in (signal.SIGTERM, signal.SIGKILL):
        deadline = time.monotonic() + _PATIENCE_SECONDS
        for pid in filter(_alive, leaders):
            _signal_group(pid, wanted)
        while any(map(_alive, leaders)) and time.monotonic() < deadline:
            time.sleep(0.05)


def _alive(pid: int) -> bool:
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
    return _signal_group(pid, 0)


def _signal_group(pid: int, wanted: int) -> bool:
    """Whether there was a process in the group to signal."""
    try:
        os.killpg(pid, wanted)
    except (ProcessLookupError, PermissionError):  # PermissionError: macOS, only zombies left
        return False
    return True
