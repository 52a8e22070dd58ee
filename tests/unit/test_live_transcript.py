"""Words, while they are spoken: each final utterance is kept with its call, once and in order."""

import json
import random
from typing import Any

import pytest

from tests.unit.signed import call, person_event
from tests.unit.twilio_side import (
    CALL_SID,
    CLINIC,
    TRANSCRIPT_SID,
    connected_line,
    kept_webhooks,
    queued,
    sample,
    stored_call,
    stored_calls,
    twilio_sends,
)

CONVERSATION = [
    ("inbound_track", "Hi, do you have anything free this week?"),
    ("outbound_track", "Thursday at ten, would that do?"),
    ("inbound_track", "Thursday at ten is perfect."),
    ("outbound_track", "Then I'll put you down."),
    ("inbound_track", "Thanks, bye."),
]


def twilio_hears(sequence: int, track: str, words: str, **changes: str | None) -> dict[str, Any]:
    """The answer to one utterance."""
    said = {
        "SequenceId": str(sequence),
        "Track": track,
        "TranscriptionData": json.dumps({"transcript": words, "confidence": 0.93}),
        "Timestamp": f"2026-11-09T16:30:{20 + sequence}.500000Z",
    }
    return twilio_sends("live_transcript", **said | changes)


def transcript_read_by_the_clinic() -> Any:
    path = f"/api/twilio/call-logs/{CALL_SID}/transcript"
    answered = call("call_logs", person_event("GET", path, clinic_id=CLINIC))
    return json.loads(answered["body"])


@pytest.fixture(autouse=True)
def a_call(cloud: Any) -> None:
    connected_line()
    call("incoming_call", sample("incoming_call"))


def test_the_clinic_reads_what_was_said() -> None:
    answered = call("live_transcript", sample("live_transcript"))

    read = transcript_read_by_the_clinic()
    assert answered == {"statusCode": 204}
    assert read["source"] == "live"
    assert read["turns"] == [
        {
            "speaker": "caller",
            "text": "Hi, do you have anything free this week?",
            "start": pytest.approx(19.304),
            "end": None,
        }
    ]


@pytest.mark.parametrize("seed", range(5))
def test_each_utterance_is_read_once_and_in_its_place(seed: int) -> None:
    arriving = [*enumerate(CONVERSATION, 2), *enumerate(CONVERSATION, 2)]
    random.Random(seed).shuffle(arriving)

    for sequence, (track, words) in arriving:
        twilio_hears(sequence, track, words)

    speakers = {"inbound_track": "caller", "outbound_track": "agent"}
    turns = transcript_read_by_the_clinic()["turns"]
    assert [(turn["speaker"], turn["text"]) for turn in turns] == [
        (speakers[track], words) for track, words in CONVERSATION
    ]


def test_the_tenth_utterance_comes_after_the_ninth() -> None:
    for sequence in (10, 9, 11):
        twilio_hears(sequence, "inbound_track", f"word {sequence}")

    turns = transcript_read_by_the_clinic()["turns"]
    assert [turn["text"] for turn in turns] == ["word 9", "word 10", "word 11"]


def test_half_an_utterance_is_not_kept(cloud: Any) -> None:
    before = kept_webhooks(cloud)

    answered = twilio_hears(2, "inbound_track", "Hi, do you", Final="false", Stability="0.8")

    assert answered == {"statusCode": 204}
    assert kept_webhooks(cloud) == before


def test_words_do_not_change_the_call(cloud: Any) -> None:
    before = stored_call(cloud)

    call("live_transcript", sample("live_transcript"))

    assert stored_call(cloud) == before


@pytest.mark.parametrize(
    ("name", "transcript_sid", "state"),
    [("summarised", TRANSCRIPT_SID, "pending"), ("words", None, "none"), ("call-7", None, "none")],
)
def test_only_a_transcription_that_is_summarised_promises_a_summary(
    cloud: Any, name: str, transcript_sid: str | None, state: str
) -> None:
    answered = twilio_sends(
        "live_transcript",
        TranscriptionEvent="transcription-started",
        SequenceId="1",
        Name=name,
        Track="both_tracks",
        Final=None,
        TranscriptionData=None,
    )

    stored = stored_call(cloud)
    assert answered == {"statusCode": 204}
    assert (stored.get("transcriptSid"), stored["summaryState"]) == (transcript_sid, state)


@pytest.mark.parametrize(
    "said",
    [
        {"TranscriptionEvent": "transcription-stopped"},
        {
            "TranscriptionEvent": "transcription-error",
            "TranscriptionErrorCode": "32655",
            "TranscriptionError": "Provider unavailable",
        },
    ],
)
def test_its_end_is_kept_and_is_no_utterance(cloud: Any, said: dict[str, str]) -> None:
    nothing: dict[str, None] = dict.fromkeys(("Final", "TranscriptionData", "Track"))

    answered = twilio_sends("live_transcript", **said, **nothing)

    kept = [webhook["params"].get("TranscriptionEvent") for webhook in kept_webhooks(cloud)]
    assert answered == {"statusCode": 204}
    assert said["TranscriptionEvent"] in kept
    assert transcript_read_by_the_clinic()["status"] == 404


@pytest.mark.parametrize("data", [None, "", "not JSON", "[]", "{}"])
def test_an_utterance_without_words_is_read_as_silence(data: str | None) -> None:
    twilio_hears(2, "inbound_track", "Hello?")
    answered = twilio_sends("live_transcript", SequenceId="3", TranscriptionData=data)

    turns = transcript_read_by_the_clinic()["turns"]
    assert answered == {"statusCode": 204}
    assert [turn["text"] for turn in turns] == ["Hello?", ""]


@pytest.mark.parametrize("missing", ["CallSid", "TranscriptionEvent"])
def test_a_request_without_what_is_needed_is_refused(cloud: Any, missing: str) -> None:
    before = len(kept_webhooks(cloud))

    answered = twilio_sends("live_transcript", **{missing: None})

    assert answered["statusCode"] == 400
    assert missing in answered["body"]
    assert len(kept_webhooks(cloud)) == before
    assert stored_calls(cloud) == [CALL_SID]


def test_a_summary_that_nobody_tells_of_is_looked_for_after_the_words_end(cloud: Any) -> None:
    started = {"TranscriptionEvent": "transcription-started", "Name": "summarised"}
    twilio_sends("live_transcript", **started)

    twilio_sends("live_transcript", TranscriptionEvent="transcription-stopped", SequenceId="99")

    assert [(work["kind"], work["transcript_sid"]) for work in queued(cloud)] == [
        ("fetch_summary", TRANSCRIPT_SID)
    ]
