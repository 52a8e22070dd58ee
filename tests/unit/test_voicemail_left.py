"""The patient left a message: it is thanked for, logged, and counts as a voicemail."""

from typing import Any

import pytest

from tests.unit.signed import call
from tests.unit.twilio_side import (
    CALLER,
    CLINIC,
    LINE,
    MESSAGE_SID,
    connected_line,
    sample,
    stored_call,
    stored_calls,
    twilio_sends,
    twiml,
    verbs,
    words,
)


def test_the_patient_is_thanked_and_the_call_ends(cloud: Any) -> None:
    connected_line()

    answered = twiml(call("voicemail_left", sample("voicemail_left")))

    assert verbs(answered) == ["Say", "Hangup"]
    assert words(answered) == ["Thank you for your message. Goodbye."]


def test_the_message_stands_in_the_log(cloud: Any) -> None:
    connected_line()

    call("voicemail_left", sample("voicemail_left"))

    stored = stored_call(cloud)
    expected = {
        "customerId": CLINIC,
        "twilioPhoneNumber": LINE,
        "from": CALLER,
        "recordingSid": MESSAGE_SID,
        "recordingStatus": "processing",
        "recordingDuration": 19,
        "outcome": "voicemail",
    }
    assert stored.items() >= expected.items()
    assert stored["recordingUrl"].endswith(f"/Recordings/{MESSAGE_SID}")


def test_the_key_that_ended_the_message_is_no_menu_choice(cloud: Any) -> None:
    connected_line()

    twilio_sends("voicemail_left", Digits="1")

    assert "menuChoice" not in stored_call(cloud)


@pytest.mark.parametrize("caller", ["anonymous", "unknown", ""])
def test_a_withheld_caller_is_thanked_too(cloud: Any, caller: str) -> None:
    connected_line()

    answered = twiml(twilio_sends("voicemail_left", From=caller, Caller=caller))

    assert verbs(answered) == ["Say", "Hangup"]
    assert stored_call(cloud)["outcome"] == "voicemail"


@pytest.mark.parametrize(
    "then", [{"RecordingDuration": "0"}, {"RecordingSid": None, "RecordingDuration": None}]
)
def test_no_message_is_no_voicemail(cloud: Any, then: dict[str, str | None]) -> None:
    connected_line()

    twilio_sends("dial_finished", DialCallStatus="busy", DialBridged="false")
    twilio_sends("voicemail_left", **then)
    twilio_sends("call_status")

    assert stored_call(cloud)["outcome"] == "missed"


def test_a_message_that_turns_out_to_be_empty_is_no_voicemail(cloud: Any) -> None:
    connected_line()
    source = {"RecordingSid": MESSAGE_SID, "RecordingSource": "RecordVerb"}

    twilio_sends("recording_ready", RecordingStatus="absent", RecordingDuration=None, **source)
    twilio_sends("voicemail_left")
    twilio_sends("call_status")

    stored = stored_call(cloud)
    assert (stored["recordingStatus"], stored["outcome"]) == ("absent", "abandoned")


@pytest.mark.parametrize(("of_the_clinic", "voice"), [(None, "alice"), ("Polly.Amy", "Polly.Amy")])
def test_the_voice_that_asked_says_goodbye(
    cloud: Any, monkeypatch: pytest.MonkeyPatch, of_the_clinic: str | None, voice: str
) -> None:
    monkeypatch.setenv("TWILIO_VOICE", "alice")
    connected_line(settings={"voice": of_the_clinic})

    answered = twiml(call("voicemail_left", sample("voicemail_left")))

    assert {say.get("voice") for say in answered.iter("Say")} == {voice}


def test_a_request_that_names_no_call_is_refused(cloud: Any) -> None:
    answered = twilio_sends("voicemail_left", CallSid=None)

    assert answered["statusCode"] == 400
    assert "CallSid" in answered["body"]
    assert stored_calls(cloud) == []
