"""A recording is ready, or absent: it is noted, copied and, where that is wanted, transcribed."""

from itertools import permutations
from typing import Any

import pytest

from tests.unit.signed import call
from tests.unit.twilio_side import (
    CALL_SID,
    MESSAGE_SID,
    RECORDING_SID,
    connected_line,
    queued,
    sample,
    stored_call,
    stored_calls,
    twilio_sends,
)


def recording_is(status: str, **changes: str | None) -> dict[str, Any]:
    said: dict[str, str | None] = {"RecordingStatus": status}
    if status != "completed":
        said["RecordingDuration"] = None
    return twilio_sends("recording_ready", **said | changes)


@pytest.fixture(autouse=True)
def transcription_on(cloud: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWILIO_ENABLE_RECORDING", "true")
    monkeypatch.setenv("TWILIO_ENABLE_TRANSCRIPTION", "true")


def test_a_completed_recording_stands_in_the_log(cloud: Any) -> None:
    answered = call("recording_ready", sample("recording_ready"))

    assert answered == {"statusCode": 204}
    stored = stored_call(cloud)
    expected = {
        "recordingSid": RECORDING_SID,
        "recordingStatus": "completed",
        "recordingDuration": 163,
        "summaryState": "pending",
    }
    assert stored.items() >= expected.items()
    assert stored["recordingUrl"].endswith(f"/Recordings/{RECORDING_SID}")


def test_a_completed_recording_is_copied_and_transcribed(cloud: Any) -> None:
    connected_line()
    call("incoming_call", sample("incoming_call"))

    call("recording_ready", sample("recording_ready"))

    works = {(w["kind"], w["call_sid"], w["recording_sid"], w["delay"]) for w in queued(cloud)}
    assert works == {
        ("copy_audio", CALL_SID, RECORDING_SID, 0),
        ("order_transcript", CALL_SID, RECORDING_SID, 0),
    }


@pytest.mark.parametrize(
    ("deployed", "of_the_clinic", "kinds", "state"),
    [
        ("false", None, ["copy_audio"], "none"),
        ("true", False, ["copy_audio"], "none"),
        ("false", True, ["copy_audio", "order_transcript"], "pending"),
    ],
)
def test_a_recording_is_transcribed_only_where_that_is_wanted(
    cloud: Any,
    monkeypatch: pytest.MonkeyPatch,
    deployed: str,
    of_the_clinic: bool | None,
    kinds: list[str],
    state: str,
) -> None:
    monkeypatch.setenv("TWILIO_ENABLE_TRANSCRIPTION", deployed)
    connected_line(settings={} if of_the_clinic is None else {"enableTranscription": of_the_clinic})
    call("incoming_call", sample("incoming_call"))

    call("recording_ready", sample("recording_ready"))

    assert [work["kind"] for work in queued(cloud)] == kinds
    assert stored_call(cloud)["summaryState"] == state


@pytest.mark.parametrize("status", ["in-progress", "absent", "failed"])
def test_without_a_recording_there_is_nothing_to_do(cloud: Any, status: str) -> None:
    answered = recording_is(status)

    assert answered == {"statusCode": 204}
    assert queued(cloud) == []
    assert stored_call(cloud)["recordingStatus"] == status
    assert "recordingDuration" not in stored_call(cloud)


@pytest.mark.parametrize("status", ["absent", "failed"])
def test_a_recording_that_never_came_is_the_reason_for_no_summary(cloud: Any, status: str) -> None:
    call("call_status", sample("call_status"))

    recording_is("in-progress")
    recording_is(status)

    stored = stored_call(cloud)
    assert (stored["summaryState"], stored["summaryReason"]) == ("none", f"recording_{status}")


@pytest.mark.parametrize("order", list(permutations(["in-progress", "completed", "absent"])))
def test_completed_beats_absent_in_any_order(cloud: Any, order: tuple[str, ...]) -> None:
    for status in order:
        recording_is(status)

    stored = stored_call(cloud)
    assert (stored["recordingStatus"], stored["recordingDuration"]) == ("completed", 163)


@pytest.mark.parametrize("order", list(permutations(["absent", "completed"])))
def test_a_message_speaks_for_a_call_whose_dial_recorded_nothing(
    cloud: Any, order: tuple[str, ...]
) -> None:
    message = {"RecordingSid": MESSAGE_SID, "RecordingSource": "RecordVerb"}
    details: dict[str, dict[str, str]] = {"absent": {}, "completed": message}

    for status in order:
        recording_is(status, **details[status])

    assert stored_call(cloud)["recordingSid"] == MESSAGE_SID


def test_a_message_counts_as_voicemail_though_the_word_of_its_end_is_lost(cloud: Any) -> None:
    connected_line()
    twilio_sends("dial_finished", DialCallStatus="busy", DialBridged="false")

    recording_is(
        "completed",
        RecordingSid=MESSAGE_SID,
        RecordingSource="RecordVerb",
        RecordingChannels="1",
        RecordingDuration="19",
    )

    assert stored_call(cloud)["outcome"] == "voicemail"


def test_a_recording_may_be_the_first_that_is_heard_of_a_call(cloud: Any) -> None:
    connected_line()

    call("recording_ready", sample("recording_ready"))
    call("incoming_call", sample("incoming_call"))

    assert stored_calls(cloud) == [CALL_SID]
    stored = stored_call(cloud)
    assert (stored["recordingSid"], stored["status"]) == (RECORDING_SID, "ringing")
    assert stored["startedAt"] == "2026-11-09T16:30:05.214Z"


@pytest.mark.parametrize("missing", ["CallSid", "RecordingSid", "RecordingStatus"])
def test_a_request_without_what_is_needed_is_refused(cloud: Any, missing: str) -> None:
    answered = twilio_sends("recording_ready", **{missing: None})

    assert answered["statusCode"] == 400
    assert missing in answered["body"]
    assert stored_calls(cloud) == []
    assert queued(cloud) == []
