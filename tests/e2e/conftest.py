"""A system of the tests' own: the local cloud with the deployed template, and the simulated Twilio."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from local import bring_up
from local.progress import Progress
from local.stack import Stack


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """With pytest-xdist one for each worker, since tests break Twilio for everyone on a system."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    with bring_up.running(Path(f".local/test-{worker}"), Progress()) as running:
        yield running
