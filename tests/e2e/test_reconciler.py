"""What Twilio's callbacks did not bring is fetched by the reconciler, on the deployed template."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import requests

from local import chores, placing
from local.sample_clinics import DENTIST
from local.stack import Stack
from tests.e2e.test_calls import BOOKS, PATIENT, over

CALL_LOGS = "/api/twilio/call-logs"
PATIENCE_SECONDS = 60
REPAIRED = ("created", "completed", "givenUp", "failed")


@contextmanager
def no_callbacks(stack: Stack) -> Iterator[None]:
    """Every callback is lost; what a caller waits for is not."""
    faults = f"{stack.twilio_url}/simulator/faults"
    requests.post(faults, json={"seed": 1, "drop": 1.0}, timeout=10)
    try:
        yield
    finally:
        requests.post(faults, json={}, timeout=10)


def reconciled(stack: Stack) -> list[dict[str, Any]]:
    return list(chores.reconcile(stack.deployed()))


def reconciled_until_settled(stack: Stack, calls: list[dict[str, Any]]) -> None:
    """As the schedule does: a run orders transcripts, a later one fetches them.

    Only these calls: other tests leave some that never settle.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        report = reconciled(stack)[-1]
        logs = [stack.as_admin().get(f"{CALL_LOGS}/{known['callSid']}") for known in calls]
        if all(log["summaryState"] == "ready" and log.get("price") for log in logs):
            return
        assert time.monotonic() < deadline, (report, logs)
        time.sleep(1)


@pytest.fixture
def lost(stack: Stack) -> list[dict[str, Any]]:
    """The truth about two calls of which Ringbook was told only what a caller waited for."""
    dentist, physio = stack.lines.values()
    with no_callbacks(stack):
        sids = [
            placing.place(stack, to=dentist, from_number=PATIENT, digits="1", script=BOOKS),
            placing.place(stack, to=physio, from_number=PATIENT, clinic="busy", script=BOOKS),
        ]
        return [over(stack, sid) for sid in sids]


def test_calls_without_callbacks_end_whole_in_the_log(stack, lost):
    with no_callbacks(stack):
        reconciled_until_settled(stack, lost)

    answered, voicemail = (
        stack.as_customer(clinic).get(f"{CALL_LOGS}/{known['callSid']}")
        for clinic, known in zip(stack.lines, lost, strict=True)
    )
    for call, known in ((answered, lost[0]), (voicemail, lost[1])):
        assert (call["status"], call["duration"]) == (known["status"], known["duration"])
        assert call["startedAt"] <= call["endedAt"]
        assert call["forwardedTo"] == known["rang"]
        assert call["recordingSid"] == known["recordingSid"]
        assert call["price"] == known["price"]
        assert call["summaryState"] == "ready"
    assert (answered["outcome"], answered["dialCallStatus"]) == ("answered", "answered")
    assert (answered["menuChoice"], answered["appointmentBooked"]) == ("1", True)
    assert answered["forwardedTo"] == DENTIST.forwards["forwardNumberNew"]
    assert (voicemail["outcome"], voicemail["dialCallStatus"]) == ("voicemail", "busy")


def test_a_run_that_finds_all_right_changes_nothing(stack, lost):
    reconciled_until_settled(stack, lost)
    before = [stack.as_admin().get(f"{CALL_LOGS}/{known['callSid']}") for known in lost]

    (report,) = reconciled(stack)

    assert report["finished"]
    assert {name: report[name] for name in REPAIRED} == dict.fromkeys(REPAIRED, 0)
    after = [stack.as_admin().get(f"{CALL_LOGS}/{known['callSid']}") for known in lost]
    assert after == before
