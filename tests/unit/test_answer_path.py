"""A caller waits: whatever of ours fails to write, the answer comes; callbacks come again instead."""

import contextlib
import importlib
import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ConnectTimeoutError, ReadTimeoutError

from calls import aws
from calls.aws import AwsError
from tests.unit.signed import call
from tests.unit.twilio_side import (
    CALL_SID,
    CLINIC_PHONE,
    RECORDING_SID,
    connected_line,
    kept_webhooks,
    nothing_happened,
    only,
    queued,
    sample,
    sample_with,
    stored_call,
    stored_calls,
    twiml,
    verbs,
)

A_CALLER_WAITS = {
    "incoming_call": (sample("incoming_call"), ["Dial"]),
    "a digit": (sample_with("incoming_call", "menu=1", Digits="2"), ["Dial"]),
    "dial_finished": (sample("dial_finished"), ["Hangup"]),
    "not answered": (
        sample_with("dial_finished", DialCallStatus="no-answer", DialBridged="false"),
        ["Say", "Record", "Say", "Hangup"],
    ),
    "voicemail_left": (sample("voicemail_left"), ["Say", "Hangup"]),
}
FUNCTIONS = {"a digit": "incoming_call", "not answered": "dial_finished"}
CALLBACKS = ["call_status", "live_transcript", "recording_ready", "transcript_ready"]
# What AWS says, with its HTTP status; or what botocore raises when AWS says nothing.
FAILURES = {
    "throttles": ("ProvisionedThroughputExceededException", 400),
    "refuses": ("AccessDeniedException", 400),
    "has lost its key": ("KMSAccessDeniedException", 400),
    "is broken": ("InternalServerError", 500),
    "stalls": ReadTimeoutError(endpoint_url="https://aws.example"),
    "cannot be reached": ConnectTimeoutError(endpoint_url="https://aws.example"),
}


CHANGED = ("ConditionalCheckFailedException", 400)


class Faults:
    """Operations of AWS that fail, each for one table or for all."""

    def __init__(self) -> None:
        self.registered: list[tuple[Any, str, Any]] = []

    def let_fail(self, operation: str, how: str = "refuses", *, table: str = "") -> None:
        service, name = operation.split(".")
        events, event = aws.client(service).meta.events, f"before-call.{service}.{name}"

        def answer(params: dict[str, Any], **_: Any) -> Any:
            return (
                _failure(FAILURES.get(how, CHANGED)) if table in params["body"].decode() else None
            )

        events.register(event, answer)
        self.registered.append((events, event, answer))

    def repair(self) -> None:
        for events, event, answer in self.registered:
            events.unregister(event, answer)
        self.registered.clear()


@pytest.fixture
def faults(cloud: Any) -> Iterator[Faults]:
    faults = Faults()
    yield faults
    faults.repair()


def _failure(failure: Any) -> Any:
    if isinstance(failure, Exception):
        raise failure
    code, status = failure
    said = {
        "Error": {"Code": code, "Message": "no"},
        "ResponseMetadata": {"HTTPStatusCode": status, "HTTPHeaders": {}, "RetryAttempts": 0},
    }
    return SimpleNamespace(status_code=status), said


def answer_to(name: str) -> dict[str, Any]:
    event, _ = A_CALLER_WAITS[name]
    return call(FUNCTIONS.get(name, name), event)


def work_is_done(cloud: Any) -> None:
    """The worker receives what is queued, as SQS hands it over."""
    for work in queued(cloud):
        body = json.dumps({name: value for name, value in work.items() if name != "delay"})
        call_worker({"Records": [{"body": body}]})


def call_worker(event: dict[str, Any]) -> None:
    importlib.import_module("summarize_call").handler(event, None)


def lost_facts(printed: str) -> list[Any]:
    """The values of the metric FactLost in what a function printed (CloudWatch EMF)."""
    lines = [json.loads(line) for line in printed.splitlines() if '"_aws"' in line]
    return [line["FactLost"] for line in lines if "FactLost" in line]


class TestACallerWhoWaits:
    @pytest.fixture(autouse=True)
    def a_line(self, cloud: Any) -> None:
        connected_line()

    @pytest.mark.parametrize("name", A_CALLER_WAITS)
    def test_is_answered_as_always_when_nothing_can_be_written(
        self, cloud: Any, faults: Faults, name: str
    ) -> None:
        faults.let_fail("dynamodb.PutItem")

        answered = twiml(answer_to(name))

        assert verbs(answered) == A_CALLER_WAITS[name][1]
        assert [work["kind"] for work in queued(cloud)] == ["note"]
        assert (stored_calls(cloud), kept_webhooks(cloud)) == ([], [])

    @pytest.mark.parametrize(
        ("operation", "table", "how"),
        [
            *[("dynamodb.PutItem", "CallLogsTable", how) for how in FAILURES],
            ("dynamodb.PutItem", "CallEventsTable", "throttles"),
            ("dynamodb.PutItem", "CallEventsTable", "stalls"),
            ("dynamodb.GetItem", "CallLogsTable", "throttles"),
            ("dynamodb.GetItem", "CallLogsTable", "stalls"),
        ],
    )
    def test_reaches_the_clinic_in_whichever_way_the_database_fails(
        self, cloud: Any, faults: Faults, operation: str, table: str, how: str
    ) -> None:
        faults.let_fail(operation, how, table=table)

        answered = twiml(answer_to("incoming_call"))

        assert only(answered, "Dial/Number").text == CLINIC_PHONE
        (work,) = queued(cloud)
        assert (work["kind"], work["call_sid"]) == ("note", CALL_SID)

    @pytest.mark.parametrize("name", A_CALLER_WAITS)
    def test_stands_in_the_log_once_the_database_is_back(
        self, cloud: Any, faults: Faults, name: str
    ) -> None:
        faults.let_fail("dynamodb.PutItem")
        answer_to(name)
        faults.repair()

        work_is_done(cloud)
        late = stored_call(cloud)
        cloud.dynamodb.Table("CallLogsTable").delete_item(Key={"callSid": CALL_SID})
        answer_to(name)

        assert late == stored_call(cloud)
        assert len(kept_webhooks(cloud)) == 1

    @pytest.mark.parametrize("name", A_CALLER_WAITS)
    def test_is_answered_when_the_queue_fails_too_and_the_loss_is_counted(
        self, cloud: Any, faults: Faults, name: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        faults.let_fail("dynamodb.PutItem", "stalls")
        faults.let_fail("sqs.SendMessage", "stalls")

        answered = twiml(answer_to(name))

        assert verbs(answered) == A_CALLER_WAITS[name][1]
        assert lost_facts(capsys.readouterr().out) == [[1.0]]
        assert nothing_happened(cloud)

    def test_loses_nothing_when_only_the_queue_fails(
        self, cloud: Any, faults: Faults, capsys: pytest.CaptureFixture[str]
    ) -> None:
        faults.let_fail("sqs.SendMessage")

        answered = twiml(answer_to("incoming_call"))

        assert verbs(answered) == ["Dial"]
        assert stored_calls(cloud) == [CALL_SID]
        assert lost_facts(capsys.readouterr().out) == []

    def test_is_answered_when_others_write_the_same_call_again_and_again(
        self, cloud: Any, faults: Faults, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("calls.call_store.time", SimpleNamespace(sleep=lambda _seconds: None))
        faults.let_fail("dynamodb.PutItem", "has changed", table="CallLogsTable")

        answered = twiml(answer_to("incoming_call"))

        assert verbs(answered) == ["Dial"]
        assert [work["kind"] for work in queued(cloud)] == ["note"]

    @pytest.mark.parametrize("how", FAILURES)
    def test_is_left_to_the_fallback_when_the_line_cannot_be_read_and_the_fact_is_not_lost(
        self, cloud: Any, faults: Faults, how: str
    ) -> None:
        faults.let_fail("dynamodb.GetItem", how, table="LinesTable")

        with pytest.raises(AwsError):
            answer_to("incoming_call")

        assert [work["kind"] for work in queued(cloud)] == ["note"]

    @pytest.mark.parametrize("name", ["not answered", "voicemail_left"])
    def test_is_left_to_the_fallback_after_the_dial_and_the_fact_is_not_lost(
        self, cloud: Any, faults: Faults, name: str
    ) -> None:
        faults.let_fail("dynamodb.GetItem")

        with pytest.raises(AwsError):
            answer_to(name)

        assert [work["kind"] for work in queued(cloud)] == ["note"]

    def test_may_hang_up_satisfied_with_nothing_of_ours_working(
        self, faults: Faults, capsys: pytest.CaptureFixture[str]
    ) -> None:
        for operation in ("dynamodb.GetItem", "dynamodb.PutItem", "sqs.SendMessage"):
            faults.let_fail(operation, "cannot be reached")

        answered = twiml(answer_to("dial_finished"))

        assert verbs(answered) == ["Hangup"]
        assert lost_facts(capsys.readouterr().out) == [[1.0]]


def test_an_outside_call_is_given_up_within_two_seconds_of_a_waiting_callers_time(
    monkeypatch: pytest.MonkeyPatch, template: dict[str, Any]
) -> None:
    """One try and one more, of a second each, twice over, fit into the function's four."""
    for function in ("IncomingCall", "DialFinished", "VoicemailLeft"):
        properties = template["Resources"][function]["Properties"]
        monkeypatch.setenv(
            "A_CALLER_WAITS", properties["Environment"]["Variables"]["A_CALLER_WAITS"]
        )

        budget = aws.budget()

        assert (budget.connect_timeout, budget.read_timeout) == (1, 1)
        assert budget.retries["total_max_attempts"] == 2
        assert properties["Timeout"] == 4


class TestACallback:
    @pytest.fixture(autouse=True)
    def a_call(self, cloud: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("TWILIO_ENABLE_TRANSCRIPTION", "true")
        connected_line()
        call("incoming_call", sample("incoming_call"))

    @pytest.mark.parametrize("function", CALLBACKS)
    @pytest.mark.parametrize("how", ["throttles", "stalls"])
    def test_that_was_not_kept_is_answered_with_no_success(
        self, faults: Faults, function: str, how: str
    ) -> None:
        faults.let_fail("dynamodb.PutItem", how)

        with pytest.raises(AwsError):
            call(function, sample(function))

    @pytest.mark.parametrize("function", ["call_status", "recording_ready"])
    @pytest.mark.parametrize("operation", ["dynamodb.GetItem", "dynamodb.PutItem"])
    def test_that_was_not_added_to_its_call_is_answered_with_no_success(
        self, faults: Faults, function: str, operation: str
    ) -> None:
        faults.let_fail(operation, table="CallLogsTable")

        with pytest.raises(AwsError):
            call(function, sample(function))

    @pytest.mark.parametrize("function", ["call_status", "recording_ready", "transcript_ready"])
    def test_whose_work_was_not_queued_is_answered_with_no_success(
        self, cloud: Any, faults: Faults, function: str
    ) -> None:
        faults.let_fail("sqs.SendMessage", "is broken")

        with pytest.raises(AwsError):
            call(function, sample(function))

        assert queued(cloud) == []

    @pytest.mark.parametrize(
        ("function", "works"),
        [
            ("call_status", ["fetch_price"]),
            ("live_transcript", []),
            ("recording_ready", ["copy_audio", "order_transcript"]),
            ("transcript_ready", ["fetch_summary"]),
        ],
    )
    @pytest.mark.parametrize("operation", ["dynamodb.PutItem", "sqs.SendMessage"])
    def test_is_kept_whole_when_twilio_repeats_it(
        self, cloud: Any, faults: Faults, function: str, works: list[str], operation: str
    ) -> None:
        faults.let_fail(operation)
        with contextlib.suppress(*AwsError):
            call(function, sample(function))
        faults.repair()

        answered = call(function, sample(function))

        assert answered == {"statusCode": 204}
        assert len(kept_webhooks(cloud)) == 2
        assert [work["kind"] for work in queued(cloud)] == works

    def test_that_is_repeated_adds_nothing(self, cloud: Any) -> None:
        call("recording_ready", sample("recording_ready"))
        before = stored_call(cloud)

        call("recording_ready", sample("recording_ready"))

        assert stored_call(cloud) == before
        assert before["recordingSid"] == RECORDING_SID
