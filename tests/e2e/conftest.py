"""A system of the tests' own: the local cloud with the deployed template, and the simulated Twilio."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from local import bring_up, cloud
from local.progress import Progress
from local.stack import Stack
from tests.e2e.model import MODEL_ID, FakeModel, serving


@pytest.fixture(scope="session")
def any_model() -> Iterator[FakeModel]:
    """It fails unless a test has it say something."""
    with serving() as model:
        yield model


@pytest.fixture(scope="session")
def stack(any_model: FakeModel) -> Iterator[Stack]:
    """With pytest-xdist one for each worker, since tests break Twilio for everyone on a system."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    model = cloud.Model(MODEL_ID, any_model.url)
    with bring_up.running(Path(f".local/test-{worker}"), Progress(), model) as running:
        # Tests that last longer than its ten minutes would meet a run that they did not ask for.
        deployed = running.deployed()
        schedule = deployed.resources["ReconcileCallsEveryTenMinutes"]
        deployed.client("events").disable_rule(Name=schedule)
        yield running
