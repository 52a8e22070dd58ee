"""Calls and facts that no webhook brought are fetched from Twilio's own lists, once, and only those."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import Mock

import pytest
import requests
from twilio.request_validator import RequestValidator

import reconcile_calls
from calls import (
    call_store,
    facts,
    instants,
    reconciliation,
    reconciliation_run,
    reconciliation_store,
    repair,
    twilio_api,
)
from calls.line import NOBODY
from local.simulated_twilio.resources import Call, new_sid
from tests.unit.ringbook_server import RealCalls, real_calls
from tests.unit.signed import AUTH_TOKEN
from tests.unit.twilio_server import TwilioServer
from tests.unit.twilio_side import (
    CLINIC,
    CLINIC_PHONE,
    LINE,
    connected_line,
    queued,
    sample_params,
    stored_call,
    stored_calls,
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


def ago(**time_ago: float) -> datetime:
    return datetime.now(UTC) - timedelta(**time_ago)


def missed(twilio: TwilioServer, started: datetime, to: str = LINE) -> str:
    """A call of which only Twilio knows: nobody answered, and the patient hung up."""
    call = Call("+17735550171", to, "inbound", None, status="no-answer", created_at=started)
    call.ended_at = started + timedelta(seconds=20)
    twilio.account.calls[call.sid] = call
    return call.sid


def emitted(capsys: pytest.CaptureFixture[str]) -> dict[str, float]:
    """The metrics of the last run."""
    lines = [line for line in capsys.readouterr().out.splitlines() if "CloudWatchMetrics" in line]
    said = json.loads(lines[-1])
    (directive,) = said["_aws"]["CloudWatchMetrics"]
    assert (directive["Namespace"], directive["Dimensions"]) == ("Ringbook", [["service"]])
    return {metric["Name"]: said[metric["Name"]][0] for metric in directive["Metrics"]}


def deliver_late(twilio: TwilioServer, call_sid: str, event: str = "") -> None:
    """The callbacks that were lost arrive after all, in the wrong order; or one of them."""
    for lost in reversed(twilio.account.traces[call_sid].requests):
        is_meant = event in ("", lost["params"].get("TranscriptionEvent"))
        if lost["attempt"] == 0 and lost["kind"] != "ci" and is_meant:
            url, _, _ = lost["url"].partition("#")
            signature = RequestValidator(AUTH_TOKEN).compute_signature(url, lost["params"])
            headers = {"X-Twilio-Signature": signature}
            answer = requests.post(url, data=lost["params"], headers=headers, timeout=5)
            assert answer.status_code == 204


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


class TestACallThatWasHalfKnown:
    @pytest.mark.parametrize("share", [0.3, 0.6, 1.0])
    @pytest.mark.parametrize("clinic", ["answer", "no-answer"])
    def test_is_completed_to_what_all_webhooks_would_have_made(
        self, cloud: Any, twilio: TwilioServer, calls: RealCalls, clinic: str, share: float
    ) -> None:
        calls.lose_callbacks(share)
        call_sid = calls.place(LINE, script=SCRIPT, digits="1", clinic=clinic)
        calls.work_through_the_queue()

        reconciled()
        repaired = ended_well(calls, call_sid)

        deliver_late(twilio, call_sid)
        same(calls.settled(call_sid), repaired, but=set())
        assert repaired["menuChoice"] == "1"
        assert repaired["outcome"] == {"answer": "answered", "no-answer": "voicemail"}[clinic]
        assert repaired["summaryReady"] is True
        assert len(twilio.requests("POST", "/v2/Transcripts")) == 1

    @pytest.mark.parametrize("clinic", ["answer", "busy"])
    def test_has_its_live_transcript_though_its_start_was_never_told(
        self,
        cloud: Any,
        twilio: TwilioServer,
        calls: RealCalls,
        monkeypatch: pytest.MonkeyPatch,
        clinic: str,
    ) -> None:
        monkeypatch.setenv("TWILIO_ENABLE_RECORDING", "false")
        calls.lose_callbacks()
        call_sid = calls.place(LINE, script=SCRIPT, digits="1", clinic=clinic)
        deliver_late(twilio, call_sid, "transcription-stopped")

        reconciled()

        call = calls.settled(call_sid)
        live = [t.sid for t in twilio.account.transcripts.values() if t.recording_sid is None]
        assert [call["liveTranscriptSid"]] == live
        assert call["summaryReady"] is True

    @pytest.mark.parametrize("is_stored", [False, True])
    def test_has_what_a_webhook_said_whose_function_died_having_kept_it(
        self, cloud: Any, twilio: TwilioServer, is_stored: bool
    ) -> None:
        connected_line(forward_number_new=CLINIC_PHONE, forward_number_existing=CLINIC_PHONE)
        call_sid = missed(twilio, ago(hours=2))
        if is_stored:
            reconciled()
            reconciliation_store.write(LINE, until=instants.iso(ago(hours=3)), lastCall="")
        params = sample_params("incoming_call") | {"CallSid": call_sid, "Digits": "2"}
        call_store.keep(
            call_store.Event(
                call_sid, "/api/twilio/voice/incoming", params, instants.iso(ago(hours=2))
            )
        )

        reconciled()

        call = stored_call(cloud, call_sid)
        assert (call["menuChoice"], call["fromCity"]) == ("2", params["FromCity"])

    def test_is_left_alone_once_it_is_whole(self, cloud: Any, calls: RealCalls) -> None:
        calls.lose_callbacks()
        call_sid = calls.place(LINE, script=SCRIPT, digits="2")
        reconciled()
        whole = ended_well(calls, call_sid)

        report = reconciled()

        assert (report["created"], report["completed"]) == (0, 0)
        assert stored_call(cloud, call_sid)["version"] == whole["version"]


def ended_well(calls: RealCalls, call_sid: str) -> dict[str, Any]:
    """The call once its work is done; Twilio tells of no transcript, so another run looks."""
    for _ in range(5):
        calls.work_through_the_queue()
        if reconciled_again()["unsettled"] == 0:
            break
        time.sleep(0.2)
    return calls.settled(call_sid)


def reconciled_again() -> dict[str, Any]:
    return reconciled()


class TestADayWithoutCallbacks:
    def test_is_repaired_by_one_run(
        self, cloud: Any, twilio: TwilioServer, calls: RealCalls
    ) -> None:
        calls.lose_callbacks()
        scenarios: list[dict[str, Any]] = [
            {"digits": "1"},
            {"clinic": "busy"},
            {"caller": {"hangsUp": "while-ringing"}},
        ]
        sids = [calls.place(LINE, script=SCRIPT, **how) for how in scenarios]
        calls.lose_callbacks(0)

        report = reconciled()

        assert (report["completed"], report["finished"]) == (3, True)
        found = [calls.settled(sid) for sid in sids]
        assert [call["outcome"] for call in found] == ["answered", "voicemail", "abandoned"]
        assert [call["summaryState"] for call in found] == ["ready", "ready", "none"]
        assert len(twilio.requests("POST", "/v2/Transcripts")) == 2


class TestACallThatCannotBeRepaired:
    @pytest.fixture
    def failing(self, monkeypatch: pytest.MonkeyPatch) -> dict[str, Exception]:
        """The calls whose repair fails, and how."""
        errors: dict[str, Exception] = {}
        complete = repair.complete

        def complete_but_those(stored: Any, parent: Any, *more: Any) -> Any:
            if parent.sid in errors:
                raise errors[parent.sid]
            return complete(stored, parent, *more)

        monkeypatch.setattr(repair, "complete", complete_but_those)
        return errors

    def test_keeps_nobody_from_the_others(
        self, cloud: Any, twilio: TwilioServer, failing: dict[str, Exception]
    ) -> None:
        connected_line()
        poisoned, *others = (missed(twilio, ago(hours=hours)) for hours in (4, 3, 2))
        failing[poisoned] = KeyError("something nobody thought of")

        report = reconciled()

        assert (report["created"], report["failed"], report["finished"]) == (2, 1, True)
        assert sorted(stored_calls(cloud)) == sorted(others)

    @pytest.mark.parametrize(
        "error", [KeyError("unforeseen"), twilio_api.Refused(400, 20001, "no")], ids=repr
    )
    def test_is_tried_again_until_it_can_be(
        self, cloud: Any, twilio: TwilioServer, failing: dict[str, Exception], error: Exception
    ) -> None:
        connected_line()
        call_sid = missed(twilio, ago(hours=4))
        failing[call_sid] = error
        assert [reconciled()["failed"] for _ in range(3)] == [1, 1, 1]

        failing.clear()

        assert reconciled()["created"] == 1
        assert stored_calls(cloud) == [call_sid]
        assert reconciled()["checked"] == 0

    def test_is_given_up_when_twilio_has_forgotten_it(
        self, cloud: Any, twilio: TwilioServer, failing: dict[str, Exception]
    ) -> None:
        connected_line()
        call_sid = missed(twilio, ago(hours=4))
        failing[call_sid] = KeyError("unforeseen")
        reconciled()
        del twilio.account.calls[call_sid]

        assert reconciled()["givenUp"] == 1
        assert reconciled()["givenUp"] == 0

    def test_keeps_nobody_from_the_others_though_twilio_itself_fails_about_it(
        self, cloud: Any, twilio: TwilioServer, failing: dict[str, Exception]
    ) -> None:
        connected_line()
        connected_line(phone_number="+13125550199")
        poisoned, *others = (missed(twilio, ago(hours=hours)) for hours in (4, 3, 2))
        others.append(missed(twilio, ago(hours=1), to="+13125550199"))
        failing[poisoned] = twilio_api.Unavailable("HTTP 500")

        report = on_schedule()

        assert (report["created"], report["failed"]) == (3, 1)
        assert (report["finished"], report["stopped"]) == (False, "twilio: HTTP 500")
        assert sorted(stored_calls(cloud)) == sorted(others)

    def test_is_given_up_after_a_month_even_if_twilio_says_nothing_of_it(
        self, cloud: Any, twilio: TwilioServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        long_ago = instants.iso(ago(days=31))
        remembered(number=LINE, CA1={"ended": long_ago}, CA2={"ended": instants.iso(ago(days=1))})
        fails(monkeypatch, "call", twilio_api.Refused(400, 20001, "no"))

        report = reconciled()

        assert (report["givenUp"], report["failed"]) == (1, 1)
        assert list(reconciliation_store.read(reconciliation.FAILED)["calls"]) == ["CA2"]

    def test_gives_its_turn_to_the_others_that_failed(
        self, cloud: Any, twilio: TwilioServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Three in a row end a run; the next one begins with those that were not tried."""
        connected_line()
        reconciled()
        well = missed(twilio, ago(days=2))
        ended = {"ended": instants.iso(ago(days=2))}
        remembered(number=LINE, **{f"CA{n}": ended for n in range(3)}, **{well: ended})
        call = twilio_api.call

        def call_or_fail(sid: str) -> Any:
            if sid != well:
                raise twilio_api.Unavailable("HTTP 500")
            return call(sid)

        monkeypatch.setattr(twilio_api, "call", call_or_fail)

        assert [reconciled()["created"] for _ in range(2)] == [0, 1]

    def test_does_not_end_the_others_where_no_more_can_be_remembered(
        self, cloud: Any, twilio: TwilioServer, failing: dict[str, Exception]
    ) -> None:
        connected_line()
        connected_line(phone_number="+13125550199")
        first, second, third = (missed(twilio, ago(hours=hours)) for hours in (5, 4, 3))
        other = missed(twilio, ago(hours=2), to="+13125550199")
        failing |= dict.fromkeys((first, second), KeyError("unforeseen"))

        with pytest.MonkeyPatch.context() as narrow:
            narrow.setattr(reconciliation, "MOST_FAILED", 1)
            report = reconciled()
            assert report["stopped"] == "1 calls cannot be repaired"
            assert stored_calls(cloud) == [other]
            del failing[first]
            reconciled()
            assert stored_calls(cloud) == sorted([other, first, third])
        failing.clear()

        assert reconciled()["finished"]
        assert stored_calls(cloud) == sorted([other, first, second, third])

    def test_is_not_hidden_by_being_unsettled(
        self, cloud: Any, twilio: TwilioServer, failing: dict[str, Exception]
    ) -> None:
        connected_line()
        call_sid = missed(twilio, ago(hours=2))
        told = facts.known("voice", startedAt=instants.iso(ago(hours=2)), twilioPhoneNumber=LINE)
        call_store.change(call_sid, lambda call: call_store.with_facts(call, told))
        failing[call_sid] = KeyError("unforeseen")
        reconciled()
        failing.clear()

        reconciled()

        assert not reconciliation_store.read(reconciliation.FAILED)["calls"]


def remembered(number: str, **calls: dict[str, str]) -> None:
    """Calls that failed in runs before."""
    never = {"number": number, "tried": ""}
    failed = {sid: never | said for sid, said in calls.items()}
    reconciliation_store.write(reconciliation.FAILED, calls=failed)


def fails(monkeypatch: pytest.MonkeyPatch, what: str, error: Exception) -> None:
    """Twilio fails whenever it is asked this."""

    def failing(*_: Any) -> Any:
        raise error

    monkeypatch.setattr(twilio_api, what, failing)


class TestWhatIsRight:
    def test_is_not_touched(self, cloud: Any, twilio: TwilioServer, calls: RealCalls) -> None:
        reconciled()
        call_sid = calls.place(LINE, script=SCRIPT, digits="1")
        calls.settled(call_sid)
        before = stored_call(cloud, call_sid)
        twilio.asked.clear()

        report = reconciled()

        assert report["checked"] == 1
        assert not any(report[name] for name in ("created", "completed", "transcriptsOrdered"))
        assert stored_call(cloud, call_sid) == before
        assert queued(cloud) == []
        # Lists of days only: nothing is asked about the call itself.
        assert all(asked.query.keys() & {"StartTime", "DateCreated"} for asked in twilio.asked)

    def test_waits_for_its_own_callbacks_and_work(
        self, cloud: Any, twilio: TwilioServer, calls: RealCalls
    ) -> None:
        calls.lose_callbacks()
        call_sid = calls.place(LINE, script=SCRIPT, digits="1")
        before = stored_call(cloud, call_sid)

        report = on_schedule()

        assert (report["checked"], report["unsettled"], report["finished"]) == (0, 1, True)
        assert stored_call(cloud, call_sid) == before

    def test_has_no_transcript_where_the_clinic_wanted_none(
        self, cloud: Any, calls: RealCalls, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("TWILIO_ENABLE_TRANSCRIPTION", "false")
        before = calls.settled(calls.place(LINE, script=SCRIPT, digits="1"))
        monkeypatch.setenv("TWILIO_ENABLE_TRANSCRIPTION", "true")

        reconciled()

        after = stored_call(cloud, before["callSid"])
        assert (after["version"], after["summaryState"]) == (before["version"], "none")


class TestANumberThatMoved:
    def test_carries_no_calls_along(self, cloud: Any, twilio: TwilioServer) -> None:
        moved = [instants.iso(ago(days=days)) for days in (9, 5, 3)]
        first = {"clinicId": CLINIC, "from": moved[0], "to": moved[1]}
        connected_line(
            clinic_id="hilltop",
            owners=(first, {"clinicId": "hilltop", "from": moved[2], "to": None}),
        )
        earlier, between, now = (missed(twilio, ago(days=days)) for days in (8, 4, 1))
        never_ours = missed(twilio, ago(days=12))

        reconciled()

        owners = {sid: stored_call(cloud, sid)["customerId"] for sid in stored_calls(cloud)}
        assert owners == {earlier: CLINIC, between: NOBODY, now: "hilltop"}
        assert never_ours not in owners

    def test_is_still_looked_at_when_it_has_no_clinic(
        self, cloud: Any, twilio: TwilioServer
    ) -> None:
        owner = {"clinicId": CLINIC, "from": instants.iso(ago(days=9))}
        connected_line(clinic_id=None, owners=(owner | {"to": instants.iso(ago(days=2))},))
        call_sid = missed(twilio, ago(days=3))

        reconciled()

        assert stored_call(cloud, call_sid)["customerId"] == CLINIC

    def test_long_ago_is_not(self, cloud: Any, twilio: TwilioServer) -> None:
        owner = {"clinicId": CLINIC, "from": instants.iso(ago(days=90))}
        connected_line(clinic_id=None, owners=(owner | {"to": instants.iso(ago(days=60))},))

        assert reconciled()["finished"]

        assert twilio.requests("GET", "/Calls.json") == []


class TestARun:
    @pytest.fixture(autouse=True)
    def line(self, cloud: Any) -> None:
        owner = {"clinicId": CLINIC, "from": instants.iso(ago(days=3)), "to": None}
        connected_line(owners=(owner,))

    def test_that_crashes_loses_nothing(
        self,
        cloud: Any,
        twilio: TwilioServer,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        sids = sorted(missed(twilio, ago(hours=hours)) for hours in (9, 8, 7))
        complete = repair.complete
        done: list[Any] = []

        def crashing(*given: Any) -> Any:
            if len(done) == 1:
                raise MemoryError
            done.append(complete(*given))
            return done[-1]

        monkeypatch.setattr(repair, "complete", crashing)
        with pytest.raises(MemoryError):
            reconciled()
        assert emitted(capsys) == {"ReconcileRuns": 1, "ReconcileFailures": 1}
        assert len(stored_calls(cloud)) == 1

        monkeypatch.setattr(repair, "complete", complete)
        report = reconciled()

        assert (report["created"], report["finished"]) == (2, True)
        assert stored_calls(cloud) == sids

    def test_goes_on_where_the_one_before_it_stopped(
        self, cloud: Any, twilio: TwilioServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(reconciliation_run, "MOST_CALLS", 2)
        at_once = ago(hours=3)
        sids = sorted(missed(twilio, at_once) for _ in range(5))

        reports = [reconciled()]
        while not reports[-1]["finished"]:
            reports.append(reconciled(since=reports[0]["beganAt"]))

        assert [(r["created"], r["stopped"]) for r in reports] == [
            (2, "count"),
            (2, "count"),
            (1, None),
        ]
        assert stored_calls(cloud) == sids

    def test_passes_over_lines_that_twilio_fails_about(
        self, cloud: Any, twilio: TwilioServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Three in a row end a run, but the lines take turns."""
        bad = [f"+1312555010{n}" for n in range(4)]
        for number in bad:
            connected_line(phone_number=number)
        call_sid = missed(twilio, ago(hours=3))
        calls_to = twilio_api.calls_to

        def calls_or_fail(number: str, day: str) -> Any:
            if number in bad:
                raise twilio_api.Unavailable("ReadTimeout")
            return calls_to(number, day)

        monkeypatch.setattr(twilio_api, "calls_to", calls_or_fail)

        reports = [on_schedule() for _ in range(3)]

        assert {report["finished"] for report in reports} == {False}
        assert reports[-1]["stopped"] == "twilio: ReadTimeout"
        assert stored_calls(cloud) == [call_sid]

    def test_finds_what_twilio_lists_late_though_it_stopped_in_between(
        self, cloud: Any, twilio: TwilioServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        listed, late = missed(twilio, ago(minutes=20)), missed(twilio, ago(minutes=30))
        hidden = twilio.account.calls.pop(late)
        with monkeypatch.context() as stopping:
            stopping.setattr(reconciliation_run, "MOST_CALLS", 1)
            missed(twilio, ago(minutes=10))
            assert not reconciled()["finished"]
        twilio.account.calls[late] = hidden

        reconciled()

        assert {listed, late} <= {*stored_calls(cloud)}

    def test_gets_through_a_long_pause_a_day_at_a_time(
        self, cloud: Any, twilio: TwilioServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Of a line that was not looked at for long, each run gets some days further."""
        connected_line(phone_number="+13125550199")
        call_sid, other = missed(twilio, ago(days=1)), missed(twilio, ago(days=1), "+13125550199")
        reconciliation_store.write(
            LINE, until=instants.iso(ago(days=300)), lastCall=reconciliation.DONE
        )
        days: list[str] = []
        calls_to = twilio_api.calls_to

        def slowly(number: str, day: str) -> Any:
            days.append(day)
            if len(days) % 12 == 0:
                raise reconciliation_run.Stopped("time")
            return calls_to(number, day)

        monkeypatch.setattr(twilio_api, "calls_to", slowly)

        reports = [reconciled()]
        while not reports[-1]["finished"] and len(reports) < 10:
            reports.append(reconciled(since=reports[0]["beganAt"]))

        assert reports[-1]["finished"]
        assert min(days) >= ago(days=31).date().isoformat()
        assert stored_calls(cloud) == sorted([call_sid, other])

    def test_finds_calls_that_went_on_past_midnight(self, cloud: Any, twilio: TwilioServer) -> None:
        midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        began = [midnight - timedelta(days=1, minutes=minutes) for minutes in (200, 1, -1)]
        sids = [missed(twilio, moment) for moment in began]
        for sid, moment in zip(sids, began, strict=True):
            twilio.account.calls[sid].ended_at = moment + timedelta(minutes=10)
        twilio.account.calls[sids[0]].ended_at = began[0] + timedelta(hours=3, minutes=50)

        assert reconciled()["created"] == 3
        assert stored_calls(cloud) == sorted(sids)

    def test_looks_after_young_calls_no_further_than_it_may(
        self, cloud: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """DynamoDB refuses to start a query after its own end: an operator's run had come further."""
        after = {"callSid": new_sid("CA"), "unsettled": "unsettled", "startedAt": instants.now()}
        reconciliation_store.write(reconciliation.UNSETTLED, after=after)
        asked = Mock(wraps=call_store.newest)
        monkeypatch.setattr(call_store, "newest", asked)

        on_schedule()

        assert [given.args[2] for given in asked.call_args_list] == [None]

    def test_ends_before_its_time_does(self, cloud: Any, twilio: TwilioServer) -> None:
        missed(twilio, ago(hours=3))

        report = on_schedule(seconds=reconcile_calls.SECONDS_TO_STOP)

        assert (report["finished"], report["stopped"], report["created"]) == (False, "time", 0)

    @pytest.mark.parametrize("path", ["/Calls.json", "/Recordings.json"])
    @pytest.mark.parametrize("status", [429, 503])
    def test_stops_when_twilio_wants_it_to_and_goes_on_later(
        self,
        cloud: Any,
        twilio: TwilioServer,
        path: str,
        status: int,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        call_sid = missed(twilio, ago(hours=3))
        twilio.fails("GET", path, status, times=3, Retry_After="3600")

        report = reconciled()

        assert (report["finished"], report["stopped"]) == (False, f"twilio: HTTP {status}")
        assert emitted(capsys)["ReconcileFailures"] == 1
        assert stored_calls(cloud) == []
        assert reconciled()["created"] == 1
        assert stored_calls(cloud) == [call_sid]

    def test_leaves_the_work_to_another_one_that_is_at_it(
        self, cloud: Any, twilio: TwilioServer
    ) -> None:
        missed(twilio, ago(hours=3))
        reconciliation_store.take_lease("another")

        report = reconciled()

        assert (report["finished"], report["created"]) == (False, 0)
        assert report["stopped"] == "another run is at work"
        assert twilio.asked == []

    def test_takes_over_from_one_that_died(
        self, cloud: Any, twilio: TwilioServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        missed(twilio, ago(hours=3))
        with monkeypatch.context() as a_minute_ago:
            a_minute_ago.setattr(reconciliation_store, "LEASE_SECONDS", -1)
            reconciliation_store.take_lease("one that died")

        assert reconciled()["created"] == 1

    def test_tells_what_it_did(
        self, cloud: Any, twilio: TwilioServer, capsys: pytest.CaptureFixture[str]
    ) -> None:
        missed(twilio, ago(hours=3))

        report = on_schedule()

        assert report | {"beganAt": ""} == {
            "lines": 1,
            "checked": 1,
            "created": 1,
            "completed": 0,
            "transcriptsOrdered": 0,
            "summariesFetched": 0,
            "givenUp": 0,
            "failed": 0,
            "unsettled": 0,
            "oldestUnsettledAge": 0,
            "beganAt": "",
            "finished": True,
            "stopped": None,
        }
        assert emitted(capsys) == {
            "ReconcileRuns": 1,
            "CallsRepaired": 1,
            "CallsCreated": 1,
            "OldestUnsettledAge": 0,
            "ReconcileFailures": 0,
        }


class TestACallThatNeverSettles:
    def unsettled(self, hours: float, **said: Any) -> str:
        """A call whose last webhook came long ago, on a number that is no line any more."""
        told = facts.known("voice", startedAt=instants.iso(ago(hours=hours)))
        said = {"status": "in-progress", "twilioPhoneNumber": "+13125550177"} | said
        told |= facts.known("voice", **said)
        call_sid = new_sid("CA")
        call_store.change(call_sid, lambda call: call_store.with_facts(call, told))
        return call_sid

    def test_has_a_final_state_and_a_reason_after_a_day(
        self, cloud: Any, twilio: TwilioServer
    ) -> None:
        young, old = self.unsettled(hours=23), self.unsettled(hours=26)

        report = on_schedule()

        assert (report["givenUp"], report["unsettled"]) == (1, 1)
        assert stored_call(cloud, old)["work"]["givenUpReason"] == "unknown_to_twilio"
        assert (stored_call(cloud, old)["status"], "unsettled" in stored_call(cloud, old)) == (
            "failed",
            False,
        )
        assert stored_call(cloud, young)["unsettled"] == "unsettled"

    def test_is_completed_where_twilio_knows_it_though_its_line_is_gone(
        self, cloud: Any, twilio: TwilioServer
    ) -> None:
        call_sid = self.unsettled(hours=5)
        call = Call("+17735550171", "+13125550177", "inbound", None, sid=call_sid)
        call.status, call.created_at, call.ended_at = "no-answer", ago(hours=5), ago(hours=5)
        twilio.account.calls[call_sid] = call

        report = on_schedule()

        assert (report["completed"], report["unsettled"]) == (1, 0)
        assert stored_call(cloud, call_sid)["status"] == "no-answer"

    @pytest.mark.parametrize(
        ("error", "reason"),
        [
            (twilio_api.Refused(400, 20001, "no"), "cannot_be_repaired"),
            (KeyError("unforeseen"), "cannot_be_repaired"),
            (twilio_api.Unavailable("HTTP 500"), None),
        ],
        ids=repr,
    )
    def test_has_one_too_though_it_cannot_be_looked_at(
        self,
        cloud: Any,
        twilio: TwilioServer,
        monkeypatch: pytest.MonkeyPatch,
        error: Exception,
        reason: str | None,
    ) -> None:
        """But while Twilio is away nothing is given up."""

        old = self.unsettled(hours=30)
        fails(monkeypatch, "call", error)

        report = on_schedule()

        assert (report["failed"], report["givenUp"]) == (1, int(reason is not None))
        assert stored_call(cloud, old)["work"].get("givenUpReason") == reason

    def test_is_left_for_later_where_twilio_is_away_for_all(
        self, cloud: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for hours in (30, 29, 28, 27, 26):
            self.unsettled(hours)
        fails(monkeypatch, "call", twilio_api.Unavailable("ReadTimeout"))

        report = on_schedule()

        assert (report["failed"], report["stopped"]) == (3, "twilio: ReadTimeout")

    def test_is_none_where_todays_code_calls_it_settled(self, cloud: Any) -> None:
        call_sid = self.unsettled(hours=50, status="no-answer")
        item = stored_call(cloud, call_sid) | {"unsettled": "unsettled"}
        cloud.dynamodb.Table("CallLogsTable").put_item(Item=item)

        assert on_schedule()["unsettled"] == 0

    def test_fails_with_its_transcript(self, cloud: Any, twilio: TwilioServer) -> None:
        call_sid = self.unsettled(hours=26, status="completed", liveTranscriptSid=new_sid("GT"))
        call_store.expect(call_sid, "price")
        call_store.finish(call_sid, price="-0.0085", priceUnit="USD")

        on_schedule()

        call = stored_call(cloud, call_sid)
        assert (call["summaryState"], call["summaryReason"]) == ("failed", "never_settled")
        assert "unsettled" not in call


class TestWorkThatWasLost:
    def test_orders_no_transcript_before_it_is_known_whether_one_is_wanted(
        self,
        cloud: Any,
        twilio: TwilioServer,
        calls: RealCalls,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        call_sid = calls.place(LINE, script=SCRIPT, digits="1")
        queue_is_emptied(cloud)
        monkeypatch.setenv("TWILIO_ENABLE_TRANSCRIPTION", "false")

        assert reconciled()["transcriptsOrdered"] == 0
        calls.work_through_the_queue()

        assert stored_call(cloud, call_sid)["summaryState"] == "none"
        assert twilio.requests("POST", "/v2/Transcripts") == []

    def test_is_queued_again_but_not_again_and_again(
        self, cloud: Any, twilio: TwilioServer, calls: RealCalls
    ) -> None:
        call_sid = calls.place(LINE, script=SCRIPT, digits="1")
        queue_is_emptied(cloud)
        age(cloud, call_sid, hours=1)

        assert on_schedule()["transcriptsOrdered"] == 1
        assert sorted(work["kind"] for work in queued(cloud)) == ["copy_audio", "order_transcript"]
        assert on_schedule()["transcriptsOrdered"] == 0
        assert len(queued(cloud)) == 2


def queue_is_emptied(cloud: Any) -> None:
    cloud.sqs.purge_queue(QueueUrl=cloud.names["WORK_QUEUE_URL"])


def age(cloud: Any, call_sid: str, hours: float) -> None:
    """Make a call older than it is, for us as for Twilio."""
    item = stored_call(cloud, call_sid)
    item["startedAt"] = instants.iso(ago(hours=hours))
    cloud.dynamodb.Table("CallLogsTable").put_item(Item=item)
