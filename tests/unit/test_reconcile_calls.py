"""Calls and facts that no webhook brought are fetched from Twilio's own lists, once, and only those."""

from collections.abc import Iterator
from typing import Any

import pytest

import reconcile_calls
from calls import instants
from tests.unit.ringbook_server import RealCalls, real_calls
from tests.unit.twilio_server import TwilioServer
from tests.unit.twilio_side import (
    LINE,
    connected_line,
)

NEW_PATIENTS, OTHERS = "+13125550181", "+13125550182"
# Not of a call itself, or not in Twilio's lists: where a number is from.
NOT_COMPARED = {"facts", "work", "version", "expiresAt"}
NOT_IN_LISTS = {"fromCity", "fromState", "fromZip", "fromCountry"}
TIMES = ("startedAt", "answeredAt", "endedAt")
SCRIPT = """
summary: The caller booked a cleaning on Tuesday at 9:00.
caller: Could I come in for a cleaning?
agent: Tuesday at nine is free.
caller: I'll take it.
agent: You are booked for Tuesday at nine.
voicemail: Hello, please call me back about a cleaning.
"""


class Context:
    """Lambda's: so many milliseconds are left."""

    def __init__(self, seconds: float = 300) -> None:
        self._seconds = seconds

    def get_remaining_time_in_millis(self) -> int:
        return round(self._seconds * 1000)


def reconciled(**event: Any) -> dict[str, Any]:
    """The report of a run that an operator asks for."""
    return reconcile_calls.handler({"chore": "reconcile"} | event, Context())


def on_schedule(seconds: float = 300) -> dict[str, Any]:
    return reconcile_calls.handler({"source": "aws.events"}, Context(seconds))


def forget(cloud: Any, call_sid: str) -> None:
    """As if nothing of the call had ever reached us."""
    cloud.dynamodb.Table("CallLogsTable").delete_item(Key={"callSid": call_sid})
    events = cloud.dynamodb.Table("CallEventsTable")
    for item in events.scan()["Items"]:
        if item["callSid"] == call_sid:
            events.delete_item(Key={name: item[name] for name in ("callSid", "eventId")})


def same(one: dict[str, Any], other: dict[str, Any], but: set[str]) -> None:
    """Fails where two stored calls differ in an attribute, or in a time by more than two seconds."""
    names = (one.keys() | other.keys()) - NOT_COMPARED - but
    times = names.intersection(TIMES)
    plain = names - times
    assert {n: one.get(n) for n in plain} == {n: other.get(n) for n in plain}
    for name in times:
        assert abs(instants.seconds_between(one[name], other[name])) <= 2, name


@pytest.fixture
def calls(cloud: Any, twilio: TwilioServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[RealCalls]:
    """Calls of a line with a menu, recorded and transcribed."""
    for name in ("MENU", "RECORDING", "TRANSCRIPTION"):
        monkeypatch.setenv(f"TWILIO_ENABLE_{name}", "true")
    connected_line(forward_number_new=NEW_PATIENTS, forward_number_existing=OTHERS)
    twilio.account.clock.time_scale = 0.01
    region = cloud.sqs.meta.region_name
    with real_calls(
        twilio, LINE, region, lambda url: monkeypatch.setenv("BACKEND_URL", url)
    ) as placed:
        yield placed


class TestACallThatNeverReachedUs:
    @pytest.mark.parametrize(
        "scenario",
        [
            {"digits": "1"},
            {"digits": "2", "clinic": "no-answer"},
            {"digits": "--", "clinic": "busy"},
            {"digits": "1", "clinic": "fail", "caller": {"leavesMessage": False}},
            {"digits": "1", "caller": {"hangsUp": "while-ringing"}},
            {"caller": {"hangsUp": "in-menu"}},
        ],
        ids=str,
    )
    def test_is_in_the_log_as_its_webhooks_would_have_made_it(
        self, cloud: Any, twilio: TwilioServer, calls: RealCalls, scenario: dict[str, Any]
    ) -> None:
        call_sid = calls.place(LINE, script=SCRIPT, **scenario)
        by_webhooks = calls.settled(call_sid)
        forget(cloud, call_sid)

        report = reconciled()

        assert (report["created"], report["finished"]) == (1, True)
        same(calls.settled(call_sid), by_webhooks, but=NOT_IN_LISTS)
        assert len(twilio.requests("POST", "/v2/Transcripts")) <= 1
