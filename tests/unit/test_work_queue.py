"""The queue: what is not ready waits, what fails is tried again alone, what is poisoned blocks nobody."""

import ast
import json
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import summarize_call
from calls import call_store, instants, work_queue
from calls.summaries import NotReady
from calls.work_queue import GIVE_UP_AFTER, MAX_DELAY, MIN_DELAY, Work
from tests.unit.conftest import ROOT
from tests.unit.signed import call
from tests.unit.true_calls import CALLS
from tests.unit.twilio_server import TwilioServer
from tests.unit.twilio_side import (
    CALL_SID,
    CALLER,
    MESSAGE_SID,
    RECORDING_SID,
    TRANSCRIPT_SID,
    connected_line,
    queued,
    sample_params,
    stored_call,
    stored_calls,
)

SAYS = f"Elena from {CALLER}"  # what no log may hold
NOTED = {
    "call_sid": CALL_SID,
    "route": "/api/twilio/voice/incoming",
    "params": sample_params("incoming_call"),
    "received_at": "2026-11-09T16:30:00.000Z",
}


def kinds() -> list[str]:
    """Every kind that the worker knows, as its code says."""
    tree = ast.parse((ROOT / "functions/summarize_call.py").read_text())
    patterns = (node.pattern for node in ast.walk(tree) if isinstance(node, ast.match_case))
    return [
        ast.literal_eval(pattern.value)
        for pattern in patterns
        if isinstance(pattern, ast.MatchValue)
    ]


def work(kind: str, **more: Any) -> Work:
    since = more.pop("since", instants.now())
    return Work(kind, CALL_SID, RECORDING_SID, TRANSCRIPT_SID, since=since, **more)


def invoked_with(body: str) -> None:
    """The function, as SQS invokes it: with one message."""
    summarize_call.handler({"Records": [{"body": body}]}, None)


def never_ready(_: Work) -> None:
    raise NotReady("Twilio takes its time")


class TestWaiting:
    def test_leaves_its_reason_whatever_the_kind(self) -> None:
        """But for a note, which waits for nothing."""
        assert set(kinds()) == {"note", *summarize_call.FAILURES}

    @pytest.mark.parametrize("kind", kinds())
    def test_is_neither_a_tight_loop_nor_longer_than_sqs_allows(
        self, kind: str, cloud: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        sent: list[tuple[Work, int]] = []
        monkeypatch.setattr(summarize_call, "perform", never_ready)
        monkeypatch.setattr(work_queue, "put", lambda work, delay=0: sent.append((work, delay)))

        @settings(max_examples=60, deadline=None, derandomize=True)
        @given(st.integers(0, 100_000))
        def at_any_attempt(attempt: int) -> None:
            waiting = work(kind, attempt=attempt)

            invoked_with(json.dumps(asdict(waiting)))

            successor, delay = sent.pop()
            assert 30 == MIN_DELAY <= delay <= MAX_DELAY == 900
            assert (successor.attempt, successor.since) == (attempt + 1, waiting.since)
            assert sent == []

        at_any_attempt()

    @pytest.mark.parametrize("kind", summarize_call.FAILURES)
    def test_ends_after_a_day_and_about_a_hundred_messages(
        self, kind: str, cloud: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        now = [datetime(2026, 11, 9, 16, 30, tzinfo=UTC)]
        sent: list[tuple[Work, int]] = []
        monkeypatch.setattr(instants, "now", lambda: instants.iso(now[0]))
        monkeypatch.setattr(summarize_call, "perform", never_ready)
        monkeypatch.setattr(work_queue, "put", lambda work, delay=0: sent.append((work, delay)))
        call_store.expect(CALL_SID, "summary")

        sent.append((work(kind), 0))
        messages = 0
        while sent:
            waiting, delay = sent.pop()
            now[0] += timedelta(seconds=delay)
            invoked_with(json.dumps(asdict(waiting)))
            messages += 1

        waited = instants.seconds_between(waiting.since, instants.now())
        assert GIVE_UP_AFTER == 24 * 3600 < waited <= 24 * 3600 + MAX_DELAY
        assert 90 < messages < 110
        assert stored_call(cloud)["work"][summarize_call.FAILURES[kind]] == "gave_up"

    @pytest.mark.parametrize("name", CALLS)
    def test_begins_no_later_than_sqs_allows(self, cloud: Any, name: str) -> None:
        connected_line(settings={"enableTranscription": True})

        for told in CALLS[name]:
            call(told.function, told.event)

        assert queued(cloud)
        assert all(0 <= message["delay"] <= MAX_DELAY for message in queued(cloud))
        assert {message["kind"] for message in queued(cloud)} <= set(kinds())


POISON = {
    "nothing": "",
    "no JSON": f"{SAYS}",
    "half of it": json.dumps({"kind": "note", "event": SAYS})[:-2],
    "a list": json.dumps([SAYS]),
    "null": "null",
    "a text": json.dumps(SAYS),
    "no kind": json.dumps({"call_sid": CALL_SID}),
    "an unknown kind": json.dumps({"kind": "tidy_up", "event": {"From": SAYS}}),
    "an unknown field": json.dumps({"kind": "note", "words": SAYS}),
    "a note of nothing": json.dumps({"kind": "note"}),
    "a note of something else": json.dumps(
        {"kind": "note", "event": {"call_sid": "CA1", "a": SAYS}}
    ),
    "a note of another shape": json.dumps({"kind": "note", "event": [SAYS]}),
}


@pytest.mark.parametrize("body", POISON.values(), ids=POISON)
class TestAPoisonedMessage:
    def test_fails_and_so_ends_in_the_dead_letters(
        self, cloud: Any, body: str, caplog: pytest.LogCaptureFixture, capsys: Any
    ) -> None:
        with pytest.raises((ValueError, TypeError)) as raised:
            invoked_with(body)

        assert SAYS not in str(raised.value)  # Lambda writes it down
        assert SAYS not in caplog.text + "".join(capsys.readouterr())
        assert stored_calls(cloud) == []

    def test_blocks_no_other(self, cloud: Any, template: dict[str, Any], body: str) -> None:
        properties = template["Resources"]["WorkQueue"]["Properties"]
        most = properties["RedrivePolicy"]["maxReceiveCount"]
        dead = cloud.sqs.create_queue(QueueName="dead")["QueueUrl"]
        asked = {"QueueUrl": dead, "AttributeNames": ["QueueArn"]}
        arn = cloud.sqs.get_queue_attributes(**asked)["Attributes"]["QueueArn"]
        policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": most})
        url = cloud.names["WORK_QUEUE_URL"]
        # It is hidden for no time here, and for six minutes where it matters.
        attributes = {"RedrivePolicy": policy, "VisibilityTimeout": "0"}
        cloud.sqs.set_queue_attributes(QueueUrl=url, Attributes=attributes)
        connected_line()
        # SQS itself refuses an empty message.
        cloud.sqs.send_message(QueueUrl=url, MessageBody=body or " ")
        note = json.dumps(asdict(work("note", event=NOTED)))
        cloud.sqs.send_message(QueueUrl=url, MessageBody=note)

        for _ in range(4 * most):
            self.lambda_takes_one(cloud, url)

        assert stored_calls(cloud) == [CALL_SID]
        (letter,) = cloud.sqs.receive_message(QueueUrl=dead)["Messages"]
        assert letter["Body"] == (body or " ")
        assert queued(cloud) == []

    def lambda_takes_one(self, cloud: Any, url: str) -> None:
        """BatchSize 1; what did not fail is deleted."""
        for message in cloud.sqs.receive_message(QueueUrl=url).get("Messages", []):
            try:
                invoked_with(message["Body"])
            except (ValueError, TypeError):
                return
            cloud.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])


class TestWorkAboutNoKnownCall:
    @pytest.mark.parametrize("kind", summarize_call.FAILURES)
    def test_is_dropped_with_a_line_in_the_log_and_makes_up_no_call(
        self, cloud: Any, twilio: TwilioServer, kind: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Twilio does not know it either, or says for a day that it is not there yet."""
        since = instants.iso(datetime.now(UTC) - timedelta(hours=24.1))

        invoked_with(json.dumps(asdict(work(kind, since=since))))

        assert "work dropped, it is about no known call" in caplog.messages
        assert stored_calls(cloud) == []
        assert queued(cloud) == []

    @pytest.mark.parametrize("kind", ["decide_transcript", "order_transcript"])
    def test_waits_for_the_call_before_it_orders_anything(
        self, cloud: Any, twilio: TwilioServer, kind: str
    ) -> None:
        invoked_with(json.dumps(asdict(work(kind))))

        (later,) = queued(cloud)
        assert (later["kind"], later["attempt"], later["delay"]) == (kind, 1, MIN_DELAY)
        assert twilio.asked == []
        assert stored_calls(cloud) == []


class TestARecordingOfALineNotYetKnown:
    @pytest.fixture
    def recorded(self, cloud: Any) -> Any:
        """The fallback took a message, and nothing has told yet which number was called."""
        *_, told = CALLS["the fallback took a message"]
        assert told.params["RecordingSid"] == MESSAGE_SID
        call(told.function, told.event)
        return cloud

    def becomes_known(self, *, transcribed: bool) -> None:
        connected_line(settings={"enableTranscription": transcribed})
        *_, ended, _ = CALLS["the fallback took a message"]
        call(ended.function, ended.event)

    def decided(self) -> None:
        invoked_with(
            json.dumps(
                asdict(Work("decide_transcript", CALL_SID, MESSAGE_SID, since=instants.now()))
            )
        )

    def test_is_pending_until_it_is_decided(self, recorded: Any) -> None:
        (decide,) = (w for w in queued(recorded) if w["kind"] == "decide_transcript")

        assert (decide["recording_sid"], decide["delay"]) == (MESSAGE_SID, MIN_DELAY)
        assert stored_call(recorded)["summaryState"] == "pending"

    def test_is_transcribed_where_its_line_is(self, recorded: Any) -> None:
        self.becomes_known(transcribed=True)

        self.decided()

        (order,) = (w for w in queued(recorded) if w["kind"] == "order_transcript")
        assert (order["recording_sid"], order["attempt"]) == (MESSAGE_SID, 0)
        assert stored_call(recorded)["summaryState"] == "pending"

    def test_is_not_transcribed_where_its_line_is_not(self, recorded: Any) -> None:
        self.becomes_known(transcribed=False)

        self.decided()

        assert "order_transcript" not in {w["kind"] for w in queued(recorded)}
        stored = stored_call(recorded)
        assert (stored["summaryState"], stored["summaryReason"]) == ("none", "transcription_off")
