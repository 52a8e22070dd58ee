"""Work about a call: the transcript is ordered once, the summary fetched, the audio copied, the price asked."""

import json
import threading
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from twilio.rest import Client

import summarize_call
from calls import booking, call_store, instants, twilio_api
from calls.summaries import summary_text
from calls.work_queue import GIVE_UP_AFTER, MAX_DELAY, MIN_DELAY, Work
from tests.unit import emf
from tests.unit.signed import call
from tests.unit.true_calls import Told, ended, leg, legs, message_left, recording, rings
from tests.unit.twilio_server import SERVICE_SID, TwilioServer, credentials_are
from tests.unit.twilio_side import (
    CALL_SID,
    CLINIC,
    LINE,
    MESSAGE_SID,
    RECORDING_SID,
    connected_line,
    queued,
    sample_params,
    stored_call,
    stored_calls,
    twilio_sends,
)

SUMMARY = "The caller booked a cleaning on Tuesday at 9:00."
SCRIPT = f"""
summary: {SUMMARY}
caller: Could I come in for a cleaning?
agent: Tuesday at nine is free.
caller: I'll take it.
agent: You are booked for Tuesday at nine.
voicemail: Hello, please call me back about a cleaning.
"""
ORDER = Work("order_transcript", CALL_SID, RECORDING_SID)
COPY = Work("copy_audio", CALL_SID, RECORDING_SID)
PRICE = Work("fetch_price", CALL_SID)
TRANSCRIPTS = "/v2/Transcripts"


def performs(work: Work, **changes: Any) -> None:
    """The worker receives one message; unless it says otherwise, it was queued just now."""
    body = asdict(work) | {"since": work.since or instants.now()} | changes
    summarize_call.handler({"Records": [{"body": json.dumps(body)}]}, None)


def works_through(cloud: Any) -> None:
    """All that was ever queued, also what is to wait, and what follows on it; but for the price."""
    done = 0
    while done < len(works := queued(cloud)):
        work = works[done]
        done += 1
        if work["kind"] != "fetch_price":
            performs(Work(**{name: said for name, said in work.items() if name != "delay"}))


def tell(*webhooks: Told) -> None:
    for told in webhooks:
        assert call(told.function, told.event)["statusCode"] in (200, 204)


def fetches(transcript_sid: str, **changes: Any) -> None:
    performs(Work("fetch_summary", transcript_sid=transcript_sid), **changes)


def aged(hours: float) -> str:
    return instants.iso(datetime.now(UTC) - timedelta(hours=hours))


def ordered(twilio: TwilioServer) -> str:
    """The SID of the one transcript that there is at Twilio, finished by now."""
    (sid,) = twilio.account.transcripts
    return twilio.finished(sid)


def client(twilio: TwilioServer) -> Client:
    """Somebody else who uses the account."""
    other = Client(twilio.account.sid, twilio.account.auth_token)
    other.api.base_url = other.intelligence.base_url = twilio.url
    return other


def made_elsewhere(twilio: TwilioServer, customer_key: str | None = None) -> str:
    """The SID of a finished transcript that Ringbook did not order, or does not know it did."""
    return twilio.finished(order_elsewhere(twilio, customer_key))


def order_elsewhere(twilio: TwilioServer, customer_key: str | None = None) -> str:
    channel = {"media_properties": {"source_sid": RECORDING_SID}}
    key = {"customer_key": customer_key} if customer_key else {}
    made = client(twilio).intelligence.v2.transcripts.create(
        service_sid=SERVICE_SID, channel=channel, **key
    )
    return str(made.sid)


def archived_audio(cloud: Any) -> Any:
    return cloud.s3.get_object(Bucket="files", Key=stored_call(cloud)["work"]["audioKey"])


def archived_words(cloud: Any) -> Any:
    key = stored_call(cloud)["work"]["transcriptKey"]
    assert key.startswith(f"{CLINIC}/{CALL_SID}/")
    return json.loads(cloud.s3.get_object(Bucket="files", Key=key)["Body"].read())


@pytest.fixture
def recorded(cloud: Any, twilio: TwilioServer, monkeypatch: pytest.MonkeyPatch) -> TwilioServer:
    """A call that is over and recorded, here and at Twilio; the queue is still empty of work."""
    monkeypatch.setenv("TWILIO_ENABLE_TRANSCRIPTION", "true")
    twilio.carried(CALL_SID, SCRIPT)
    twilio.recorded(CALL_SID, RECORDING_SID)
    connected_line()
    for function in ("incoming_call", "dial_finished", "call_status", "recording_ready"):
        twilio_sends(function)
    cloud.sqs.purge_queue(QueueUrl=cloud.names["WORK_QUEUE_URL"])
    return twilio


class TestOrderingATranscript:
    def test_says_who_speaks_on_which_channel(self, cloud: Any, recorded: TwilioServer) -> None:
        performs(ORDER)

        (order,) = recorded.requests("POST", TRANSCRIPTS)
        assert order.form["ServiceSid"] == SERVICE_SID
        assert order.form["CustomerKey"] == CALL_SID
        assert json.loads(order.form["Channel"]) == {
            "media_properties": {"source_sid": RECORDING_SID},
            "participants": [
                {"channel_participant": 1, "role": "Customer"},
                {"channel_participant": 2, "role": "Agent"},
            ],
        }
        assert stored_call(cloud)["transcriptSid"] == ordered(recorded)

    def test_of_a_voicemail_names_the_patient_only(self, cloud: Any, twilio: TwilioServer) -> None:
        twilio.carried(CALL_SID, SCRIPT)
        twilio.recorded(CALL_SID, MESSAGE_SID, channels=1)
        connected_line()
        twilio_sends("incoming_call")
        nothing = dict.fromkeys(("DialBridged", "DialCallDuration", "RecordingUrl"))
        twilio_sends("dial_finished", DialCallStatus="no-answer", **nothing)
        twilio_sends("voicemail_left")

        performs(ORDER, recording_sid=MESSAGE_SID)

        (order,) = twilio.requests("POST", TRANSCRIPTS)
        participants = json.loads(order.form["Channel"])["participants"]
        assert participants == [{"channel_participant": 1, "role": "Customer"}]

    def test_has_a_look_at_it_queued(self, cloud: Any, recorded: TwilioServer) -> None:
        performs(ORDER)

        (look,) = queued(cloud)
        assert (look["kind"], look["transcript_sid"]) == ("fetch_summary", ordered(recorded))
        assert look["delay"] == 600

    def test_again_orders_nothing(self, cloud: Any, recorded: TwilioServer) -> None:
        performs(ORDER)
        performs(ORDER)

        assert len(recorded.requests("POST", TRANSCRIPTS)) == 1
        assert len(queued(cloud)) == 1

    def test_by_two_workers_at_once_makes_one(self, cloud: Any, recorded: TwilioServer) -> None:
        recorded.meanwhile("POST", TRANSCRIPTS, lambda: performs(ORDER))

        performs(ORDER)

        assert len(recorded.requests("POST", TRANSCRIPTS)) == 1
        assert stored_call(cloud)["transcriptSid"] == ordered(recorded)
        later = next(work for work in queued(cloud) if work["kind"] == "order_transcript")
        assert (later["attempt"], later["delay"]) == (1, MIN_DELAY)

    def test_by_many_workers_at_once_makes_one(self, cloud: Any, recorded: TwilioServer) -> None:
        workers = [threading.Thread(target=performs, args=(ORDER,)) for _ in range(6)]

        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()

        assert len(recorded.requests("POST", TRANSCRIPTS)) == 1
        assert stored_call(cloud)["transcriptSid"] == ordered(recorded)

    def test_after_a_worker_that_died_adopts_what_it_ordered(
        self, cloud: Any, recorded: TwilioServer
    ) -> None:
        call_store.finish(CALL_SID, transcriptClaim=aged(hours=0.1))
        sid = order_elsewhere(recorded, CALL_SID)
        recorded.asked.clear()

        performs(ORDER)

        assert recorded.requests("POST", TRANSCRIPTS) == []
        assert recorded.requests("GET", TRANSCRIPTS)[0].query["SourceSid"] == RECORDING_SID
        assert stored_call(cloud)["transcriptSid"] == sid

    def test_after_a_worker_that_died_before_it_ordered_orders(
        self, cloud: Any, recorded: TwilioServer
    ) -> None:
        call_store.finish(CALL_SID, transcriptClaim=aged(hours=0.1))

        performs(ORDER)

        assert stored_call(cloud)["transcriptSid"] == ordered(recorded)

    def test_that_exists_already_adopts_it(self, cloud: Any, recorded: TwilioServer) -> None:
        sid = order_elsewhere(recorded)

        performs(ORDER)

        assert stored_call(cloud)["transcriptSid"] == sid

    def test_of_a_slow_worker_and_its_successor_makes_one(
        self, cloud: Any, recorded: TwilioServer
    ) -> None:
        def the_claim_grows_old_and_another_takes_it() -> None:
            call_store.finish(CALL_SID, transcriptClaim=aged(hours=0.1))
            performs(ORDER)

        recorded.meanwhile("POST", TRANSCRIPTS, the_claim_grows_old_and_another_takes_it)

        performs(ORDER)

        assert stored_call(cloud)["transcriptSid"] == ordered(recorded)

    @pytest.mark.parametrize("status", [429, 500, 503])
    def test_while_twilio_is_down_is_tried_again_at_once_when_it_is_up(
        self, cloud: Any, recorded: TwilioServer, status: int
    ) -> None:
        recorded.fails("POST", TRANSCRIPTS, status, times=3)
        performs(ORDER)
        (later,) = queued(cloud)

        performs(ORDER, attempt=later["attempt"])

        assert (later["kind"], later["attempt"]) == ("order_transcript", 1)
        assert stored_call(cloud)["transcriptSid"] == ordered(recorded)

    def test_that_twilio_took_without_an_answer_is_adopted(
        self, cloud: Any, recorded: TwilioServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        recorded.meanwhile("POST", TRANSCRIPTS, lambda: order_elsewhere(recorded, CALL_SID))
        monkeypatch.setattr(twilio_api, "TIMEOUT", (1, 0.2))

        performs(ORDER)

        assert stored_call(cloud)["transcriptSid"] == ordered(recorded)

    def test_that_twilio_refuses_is_a_failed_summary(
        self, cloud: Any, recorded: TwilioServer
    ) -> None:
        del recorded.account.recordings[RECORDING_SID]

        performs(ORDER)

        assert stored_call(cloud)["summaryState"] == "failed"
        assert stored_call(cloud)["summaryReason"] == "twilio_20001"
        assert queued(cloud) == []

    def test_without_an_intelligence_service_is_a_failed_summary(
        self, cloud: Any, recorded: TwilioServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("TWILIO_VI_SERVICE_SID", "")

        performs(ORDER)

        assert stored_call(cloud)["summaryReason"] == "no_intelligence_service"
        assert recorded.asked == []


class TestFetchingTheSummary:
    def test_stores_the_summary_the_verdict_and_the_words(
        self, cloud: Any, recorded: TwilioServer
    ) -> None:
        performs(ORDER)

        fetches(ordered(recorded))

        stored = stored_call(cloud)
        assert (stored["summaryState"], stored["summaryText"]) == ("ready", SUMMARY)
        assert stored["summaryReady"] is True
        assert stored["booking"]["engine"] == booking.ENGINE
        assert stored["appointmentBooked"] == stored["booking"]["booked"]
        kept = archived_words(cloud)
        assert kept["turns"] == [
            {
                "speaker": "caller",
                "text": "Could I come in for a cleaning?",
                "start": 0.0,
                "end": 3.0,
            },
            {"speaker": "agent", "text": "Tuesday at nine is free.", "start": 4.0, "end": 7.0},
            {"speaker": "caller", "text": "I'll take it.", "start": 8.0, "end": 11.0},
            {
                "speaker": "agent",
                "text": "You are booked for Tuesday at nine.",
                "start": 12.0,
                "end": 15.0,
            },
        ]
        assert {result["name"] for result in kept["operatorResults"]} == {
            "Conversation Summary",
            "Sentiment Analysis",
        }

    def test_tells_once_how_long_the_verdict_took(
        self, cloud: Any, recorded: TwilioServer, capsys: pytest.CaptureFixture[str]
    ) -> None:
        recorded.service.operator_sids.clear()  # so that a second try judges again
        performs(ORDER)
        for _ in range(2):
            fetches(ordered(recorded), attempt=4)

        (took,) = emf.emitted(capsys.readouterr().out)["HangUpToVerdict"]
        ended_at = stored_call(cloud)["endedAt"]
        assert took == pytest.approx(instants.seconds_between(ended_at, instants.now()), abs=60)

    def test_asks_for_what_is_not_redacted(self, recorded: TwilioServer) -> None:
        performs(ORDER)

        fetches(ordered(recorded))

        for asked in ("/OperatorResults", "/Sentences"):
            (request,) = recorded.requests("GET", asked)
            assert request.query["Redacted"].lower() == "false"

    def test_finds_the_call_by_its_recording(self, cloud: Any, recorded: TwilioServer) -> None:
        sid = made_elsewhere(recorded)

        fetches(sid)

        assert stored_call(cloud)["summaryText"] == SUMMARY
        assert stored_call(cloud)["transcriptSid"] == sid

    def test_finds_the_call_of_a_live_transcript(self, cloud: Any, recorded: TwilioServer) -> None:
        sid = made_elsewhere(recorded)
        recorded.account.transcripts[sid].channel = {"media_properties": {}}
        call_store.finish(CALL_SID, transcriptSid=sid)

        fetches(sid)

        assert stored_call(cloud)["summaryText"] == SUMMARY

    def test_of_a_live_transcript_whose_start_is_not_known_yet_waits(
        self, cloud: Any, recorded: TwilioServer
    ) -> None:
        sid = made_elsewhere(recorded)
        recorded.account.transcripts[sid].channel = {"media_properties": {}}

        fetches(sid)

        (later,) = queued(cloud)
        assert (later["kind"], later["transcript_sid"], later["attempt"]) == (
            "fetch_summary",
            sid,
            1,
        )

    def test_of_a_call_that_is_none_of_ours_makes_up_no_call(
        self, cloud: Any, recorded: TwilioServer
    ) -> None:
        """It may be ours, and not told of yet: for a day it waits."""
        sid = made_elsewhere(recorded, "CA" + "9" * 32)

        fetches(sid)
        fetches(sid, since=aged(hours=30))

        assert [later["kind"] for later in queued(cloud)] == ["fetch_summary"]
        assert stored_calls(cloud) == [CALL_SID]

    def test_of_a_transcript_that_is_not_ready_is_tried_later(
        self, cloud: Any, recorded: TwilioServer
    ) -> None:
        recorded.transcripts_take_for_ever()
        sid = order_elsewhere(recorded, CALL_SID)

        fetches(sid, attempt=3)

        (later,) = queued(cloud)
        assert (later["attempt"], later["delay"], later["transcript_sid"]) == (4, 240, sid)
        assert stored_call(cloud)["summaryState"] == "pending"

    @pytest.mark.parametrize("status", ["failed", "canceled", "error"])
    def test_of_a_transcript_that_failed_is_a_failed_summary(
        self, cloud: Any, recorded: TwilioServer, status: str
    ) -> None:
        recorded.transcripts_take_for_ever()
        sid = order_elsewhere(recorded, CALL_SID)
        recorded.account.transcripts[sid].become(status)

        fetches(sid)

        stored = stored_call(cloud)
        assert (stored["summaryState"], stored["summaryReason"]) == (
            "failed",
            f"transcript_{status}",
        )
        assert stored.get("summaryText") is None
        assert queued(cloud) == []

    def test_without_results_yet_is_tried_later(self, cloud: Any, recorded: TwilioServer) -> None:
        sid = made_elsewhere(recorded, CALL_SID)
        recorded.account.transcripts[sid].operator_results = []

        fetches(sid)

        assert queued(cloud)[0]["attempt"] == 1
        assert stored_call(cloud)["summaryState"] == "pending"

    def test_that_no_operator_wrote_is_failed_and_still_judged(
        self, cloud: Any, recorded: TwilioServer
    ) -> None:
        recorded.service.operator_sids.pop()
        sid = made_elsewhere(recorded, CALL_SID)

        fetches(sid)

        stored = stored_call(cloud)
        assert (stored["summaryState"], stored["summaryReason"]) == (
            "failed",
            "no_summary_operator",
        )
        assert stored["booking"]["engine"] == booking.ENGINE

    def test_again_changes_nothing(self, cloud: Any, recorded: TwilioServer) -> None:
        sid = made_elsewhere(recorded, CALL_SID)
        fetches(sid)
        before = stored_call(cloud)

        fetches(sid)

        assert stored_call(cloud) == before

    def test_of_a_transcript_that_does_not_exist_is_given_up(
        self, cloud: Any, recorded: TwilioServer
    ) -> None:
        fetches("GT" + "0" * 32)

        assert queued(cloud) == []
        assert stored_call(cloud)["summaryState"] == "pending"

    def test_of_a_long_call_reads_every_page(
        self, cloud: Any, recorded: TwilioServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        sid = made_elsewhere(recorded, CALL_SID)
        monkeypatch.setattr("local.simulated_twilio.intelligence_rest.MAX_SENTENCES", 3)

        fetches(sid)

        kept = archived_words(cloud)
        assert len(kept["turns"]) == 4

    def test_of_a_voicemail_hears_the_patient_only(self, cloud: Any, twilio: TwilioServer) -> None:
        twilio.carried(CALL_SID, SCRIPT)
        twilio.recorded(CALL_SID, MESSAGE_SID, channels=1)
        connected_line()
        twilio_sends("incoming_call")
        performs(ORDER, recording_sid=MESSAGE_SID)

        fetches(ordered(twilio))

        kept = archived_words(cloud)
        assert {turn["speaker"] for turn in kept["turns"]} == {"caller"}


@pytest.mark.parametrize(
    ("results", "text"),
    [
        ([("Conversation Summary", "S"), ("Follow-ups", "F")], "S"),
        ([("Follow-ups", "F"), ("Conversation Summary", "S")], "S"),
        ([("Follow-ups", "F")], "F"),
        ([("Conversation Summary", ""), ("Follow-ups", "F")], "F"),
        ([("Conversation Summary", "[Redacted: Conversation Summary]")], None),
        ([("Conversation Summary", "[Redacted: …]"), ("Follow-ups", "F")], "F"),
        ([("Conversation Summary", None)], None),
        ([], None),
    ],
)
def test_the_summary_is_the_summary_operators_else_another_text(
    results: list[tuple[str, str | None]], text: str | None
) -> None:
    written = [
        {"operator_type": "text-generation", "name": name, "text_generation_results": {"result": r}}
        for name, r in results
    ]
    classified = {"operator_type": "conversation-classify", "name": "Sentiment Analysis"}

    assert summary_text([classified, *written]) == text


class TestACallWithTwoRecordings:
    """The conversation was recorded, its end was not told, and the fallback then took a message."""

    @pytest.mark.parametrize("first", ["conversation", "message"])
    def test_is_told_by_the_conversation_whichever_comes_first(
        self, cloud: Any, twilio: TwilioServer, monkeypatch: pytest.MonkeyPatch, first: str
    ) -> None:
        for name in ("RECORDING", "TRANSCRIPTION"):
            monkeypatch.setenv(f"TWILIO_ENABLE_{name}", "true")
        connected_line()
        twilio.carried(CALL_SID, SCRIPT)
        twilio.recorded(CALL_SID, RECORDING_SID)
        twilio.recorded(CALL_SID, MESSAGE_SID, channels=1)
        tell(rings(0), *legs((1, "initiated"), (2, "ringing"), (12, "in-progress")))
        tell(leg(50, "completed", 3, CallDuration="38"))
        conversation = [recording(54, "completed", RecordingDuration="38")]
        message = [
            message_left(61, 5),
            recording(65, "completed", MESSAGE_SID, RecordingDuration="5", RecordingChannels="1"),
        ]

        for recorded in {
            "conversation": (conversation, message),
            "message": (message, conversation),
        }[first]:
            tell(*recorded)
            works_through(cloud)
        tell(ended(66))
        works_through(cloud)

        call = stored_call(cloud)
        told = {t.sid: t.recording_sid for t in twilio.account.transcripts.values()}
        assert call["recordingSid"] == RECORDING_SID
        assert told[call["transcriptSid"]] == RECORDING_SID
        assert (call["summaryText"], call["appointmentBooked"]) == (SUMMARY, True)
        assert call["work"]["audioOf"] == call["work"]["transcriptOf"] == RECORDING_SID
        assert RECORDING_SID in call["work"]["audioKey"]
        speakers = {turn["speaker"] for turn in archived_words(cloud)["turns"]}
        assert speakers == {"caller", "agent"}


class TestCopyingTheAudio:
    def test_copies_two_channels(self, cloud: Any, recorded: TwilioServer) -> None:
        performs(COPY)

        (request,) = recorded.requests("GET", f"{RECORDING_SID}.mp3")
        assert request.query == {"RequestedChannels": "2"}
        copy = archived_audio(cloud)
        assert copy["ContentType"] == "audio/mpeg"
        assert len(copy["Body"].read()) > 0

    def test_copies_one_where_there_are_no_two(self, cloud: Any, recorded: TwilioServer) -> None:
        recorded.recorded(CALL_SID, RECORDING_SID, channels=1)

        performs(COPY)

        channels = [a.query["RequestedChannels"] for a in recorded.requests("GET", ".mp3")]
        assert channels == ["2", "1"]
        assert archived_audio(cloud)["ContentLength"] > 0

    def test_of_a_recording_that_is_not_there_yet_is_tried_later(
        self, cloud: Any, recorded: TwilioServer
    ) -> None:
        recorded.account.recordings[RECORDING_SID].become("processing")

        performs(COPY)

        (later,) = queued(cloud)
        assert (later["kind"], later["recording_sid"]) == ("copy_audio", RECORDING_SID)

    def test_again_copies_nothing(self, recorded: TwilioServer) -> None:
        performs(COPY)
        performs(COPY)

        assert len(recorded.requests("GET", ".mp3")) == 1


class TestThePrice:
    def test_is_stored_as_twilio_writes_it(self, cloud: Any, recorded: TwilioServer) -> None:
        performs(PRICE)

        stored = stored_call(cloud)
        assert (stored["price"], stored["priceUnit"]) == ("-0.0085", "USD")

    def test_that_is_not_known_yet_is_asked_for_later(
        self, cloud: Any, recorded: TwilioServer
    ) -> None:
        recorded.account.calls[CALL_SID].price = None

        performs(PRICE)

        (later,) = queued(cloud)
        assert (later["kind"], later["attempt"]) == ("fetch_price", 1)
        assert stored_call(cloud).get("price") is None

    def test_of_a_call_that_nobody_answered_never_comes(
        self, cloud: Any, twilio: TwilioServer
    ) -> None:
        twilio.carried(CALL_SID, price=None)
        twilio.account.calls[CALL_SID].end("no-answer")

        performs(PRICE)

        assert stored_call(cloud)["work"]["priceFailure"] == "not_answered"
        assert queued(cloud) == []

    def test_of_a_call_whose_length_is_not_known_yet_may_come(
        self, cloud: Any, twilio: TwilioServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ended = SimpleNamespace(status="completed", duration=None, price=None)
        monkeypatch.setattr(twilio_api, "call", lambda _: ended)

        performs(PRICE)

        assert [later["kind"] for later in queued(cloud)] == ["fetch_price"]


class TestWorkThatIsNotReady:
    @settings(deadline=None)  # a busy machine is no failure
    @given(attempt=st.integers(min_value=0, max_value=10_000))
    def test_waits_between_half_a_minute_and_a_quarter_of_an_hour(self, attempt: int) -> None:
        successor, delay = Work("copy_audio", CALL_SID, attempt=attempt).later()

        assert MIN_DELAY == 30 <= delay <= 900 == MAX_DELAY
        assert successor.attempt == attempt + 1

    def test_waits_longer_each_time(self) -> None:
        delays = [Work("copy_audio", attempt=n).later()[1] for n in range(7)]

        assert delays == [30, 60, 120, 240, 480, 900, 900]

    def test_keeps_the_time_of_the_first_try(self, cloud: Any, recorded: TwilioServer) -> None:
        since = aged(hours=3)
        recorded.account.recordings[RECORDING_SID].become("processing")

        performs(COPY, since=since, attempt=9)

        assert queued(cloud)[0]["since"] == since

    @pytest.mark.parametrize(
        ("work", "failure"),
        [
            (ORDER, "summaryFailure"),
            (Work("fetch_summary", CALL_SID, transcript_sid="GT" + "0" * 32), "summaryFailure"),
            (COPY, "audioFailure"),
            (PRICE, "priceFailure"),
        ],
        ids=lambda value: value.kind if isinstance(value, Work) else "",
    )
    def test_is_given_up_after_a_day_with_its_reason(
        self, cloud: Any, recorded: TwilioServer, work: Work, failure: str
    ) -> None:
        for method in ("GET", "POST"):
            recorded.fails(method, "", 503, times=3)

        performs(work, since=aged(hours=24.1), attempt=96)

        assert GIVE_UP_AFTER == 24 * 3600
        assert queued(cloud) == []
        stored = stored_call(cloud)
        assert stored["work"][failure] == "gave_up"
        if failure == "summaryFailure":
            assert (stored["summaryState"], stored["summaryReason"]) == ("failed", "gave_up")
            assert stored.get("summaryText") is None

    @pytest.mark.parametrize("work", [ORDER, COPY, PRICE], ids=lambda work: work.kind)
    def test_for_twilio_is_down_is_tried_later(
        self, cloud: Any, recorded: TwilioServer, work: Work
    ) -> None:
        for method in ("GET", "POST"):
            recorded.fails(method, "", 503, times=3)

        performs(work, attempt=1)

        (later,) = queued(cloud)
        assert (later["kind"], later["attempt"], later["delay"]) == (work.kind, 2, 60)

    def test_for_twilio_cannot_be_reached_is_tried_later(
        self, cloud: Any, recorded: TwilioServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("TWILIO_API_BASE_URL", "http://127.0.0.1:9")

        performs(PRICE)

        assert queued(cloud)[0]["kind"] == "fetch_price"


class TestAKeptFact:
    def test_is_added_to_its_call(self, cloud: Any) -> None:
        connected_line()
        event = {
            "call_sid": CALL_SID,
            "route": "/api/twilio/voice/incoming",
            "params": sample_params("incoming_call") | {"Digits": "2"},
            "received_at": "2026-11-09T16:30:01.000Z",
        }

        performs(Work("note", CALL_SID, event=event))

        stored = stored_call(cloud)
        assert (stored["menuChoice"], stored["customerId"]) == ("2", CLINIC)
        assert stored["startedAt"] == "2026-11-09T16:30:01.000Z"
        assert stored["twilioPhoneNumber"] == LINE


def test_work_of_an_unknown_kind_goes_to_the_dead_letters(cloud: Any) -> None:
    with pytest.raises(ValueError, match="no such work: tidy_up"):
        performs(Work("tidy_up", CALL_SID))


def test_work_without_credentials_goes_to_the_dead_letters(
    cloud: Any, recorded: TwilioServer
) -> None:
    credentials_are(cloud)

    with pytest.raises(twilio_api.Unconfigured):
        performs(PRICE)


def test_a_refusal_is_logged(recorded: TwilioServer, caplog: pytest.LogCaptureFixture) -> None:
    recorded.fails("GET", f"{CALL_SID}.json", 404)

    performs(PRICE)

    (line,) = [record for record in caplog.records if record.getMessage() == "Twilio refused"]
    assert (vars(line)["status"], vars(line)["code"]) == (404, 20404)
