"""The clinic answered, or did not: the caller hangs up satisfied, or leaves a message."""

from typing import Any

import pytest

from tests.unit.signed import call
from tests.unit.twilio_side import (
    CALLER,
    CLINIC,
    LEG_SID,
    LINE,
    OVERRIDES,
    VOICE,
    connected_line,
    only,
    sample,
    stored_call,
    stored_calls,
    twilio_sends,
    twiml,
    verbs,
    words,
)


@pytest.mark.parametrize(
    ("twilio_says", "bridged", "what_follows", "stored", "outcome"),
    [
        ("completed", "true", "hang up", "answered", "answered"),
        ("completed", None, "hang up", "answered", "answered"),
        ("answered", None, "hang up", "answered", "answered"),
        ("completed", "false", "voicemail", "no-answer", "in_progress"),
        ("no-answer", "false", "voicemail", "no-answer", "in_progress"),
        ("no-answer", None, "voicemail", "no-answer", "in_progress"),
        ("busy", "false", "voicemail", "busy", "in_progress"),
        ("failed", "false", "voicemail", "failed", "in_progress"),
        ("canceled", "false", "hang up", "canceled", "in_progress"),
    ],
)
def test_what_follows_the_dial_depends_on_how_it_ended(
    cloud: Any,
    twilio_says: str,
    bridged: str | None,
    what_follows: str,
    stored: str,
    outcome: str,
) -> None:
    connected_line()

    answered = twiml(twilio_sends("dial_finished", DialCallStatus=twilio_says, DialBridged=bridged))

    sequences = {"hang up": ["Hangup"], "voicemail": ["Say", "Record", "Say", "Hangup"]}
    assert verbs(answered) == sequences[what_follows]
    assert stored_call(cloud)["dialCallStatus"] == stored
    assert stored_call(cloud)["outcome"] == outcome


def test_an_answered_call_is_over_and_stored_as_the_seed_stored_it(cloud: Any) -> None:
    connected_line()

    answered = twiml(call("dial_finished", sample("dial_finished")))

    assert verbs(answered) == ["Hangup"]
    expected = {
        "customerId": CLINIC,
        "twilioPhoneNumber": LINE,
        "from": CALLER,
        "dialCallStatus": "answered",
        "dialCallSid": LEG_SID,
        "dialCallDuration": 164,
        "outcome": "answered",
    }
    assert stored_call(cloud).items() >= expected.items()


def test_the_voicemail_is_recorded_and_comes_back_to_us(cloud: Any) -> None:
    connected_line()

    answered = twiml(twilio_sends("dial_finished", DialCallStatus="busy", DialCallDuration=None))

    assert "after the tone" in words(answered)[0]
    assert only(answered, "Record").attrib == {
        "action": f"{VOICE}/voicemail{OVERRIDES}",
        "method": "POST",
        "timeout": "5",
        "maxLength": "300",
        "finishOnKey": "#",
        "playBeep": "true",
        "recordingStatusCallback": f"{VOICE}/recording-status{OVERRIDES}",
        "recordingStatusCallbackMethod": "POST",
        "recordingStatusCallbackEvent": "in-progress completed absent",
    }


@pytest.mark.parametrize("status", ["busy", "no-answer", "failed"])
def test_a_clinic_without_voicemail_gets_no_message_and_the_caller_an_apology(
    cloud: Any, status: str
) -> None:
    connected_line(settings={"enableVoicemail": False})

    answered = twiml(twilio_sends("dial_finished", DialCallStatus=status, DialBridged="false"))

    assert verbs(answered) == ["Say", "Hangup"]
    assert stored_call(cloud)["dialCallStatus"] == status


def test_the_clinics_own_voice_asks_for_the_message(cloud: Any) -> None:
    connected_line(settings={"voice": "alice"})

    answered = twiml(twilio_sends("dial_finished", DialCallStatus="busy", DialBridged="false"))

    assert {say.get("voice") for say in answered.iter("Say")} == {"alice"}


def test_a_caller_may_leave_a_message_on_a_line_that_has_gone_meanwhile(cloud: Any) -> None:
    answered = twiml(twilio_sends("dial_finished", DialCallStatus="busy", DialBridged="false"))

    assert "Record" in verbs(answered)


@pytest.mark.parametrize("caller", ["anonymous", "Restricted", ""])
def test_a_withheld_caller_may_leave_a_message(cloud: Any, caller: str) -> None:
    connected_line()

    answered = twiml(
        twilio_sends("dial_finished", DialCallStatus="no-answer", DialBridged="false", From=caller)
    )

    assert "Record" in verbs(answered)
    assert stored_call(cloud).get("from", "") == caller


def test_a_dial_without_a_word_of_its_end_ends_the_call(cloud: Any) -> None:
    connected_line()

    answered = twiml(twilio_sends("dial_finished", DialCallStatus=None, DialBridged=None))

    assert verbs(answered) == ["Hangup"]
    assert "dialCallStatus" not in stored_call(cloud)


@pytest.mark.parametrize("duration", ["", "soon", None])
def test_a_duration_that_is_no_number_is_left_out(cloud: Any, duration: str | None) -> None:
    connected_line()

    twilio_sends("dial_finished", DialCallDuration=duration)

    assert "dialCallDuration" not in stored_call(cloud)


def test_a_missed_call_that_has_ended_counts_as_missed(cloud: Any) -> None:
    connected_line()

    twilio_sends("dial_finished", DialCallStatus="busy", DialBridged="false")
    twilio_sends("call_status")

    assert stored_call(cloud)["outcome"] == "missed"


def test_a_caller_who_hung_up_while_it_rang_has_abandoned_the_call(cloud: Any) -> None:
    connected_line()

    twilio_sends(
        "dial_finished", DialCallStatus="canceled", DialBridged="false", CallStatus="completed"
    )

    assert stored_call(cloud)["outcome"] == "abandoned"


@pytest.mark.parametrize("status", ["completed", "busy"])
def test_a_request_that_names_no_call_is_refused(cloud: Any, status: str) -> None:
    connected_line()

    answered = twilio_sends("dial_finished", DialCallStatus=status, CallSid=None)

    assert answered["statusCode"] == 400
    assert "CallSid" in answered["body"]
    assert stored_calls(cloud) == []


def test_a_request_that_names_no_line_is_answered_and_kept(cloud: Any) -> None:
    connected_line()

    answered = twilio_sends("dial_finished", DialCallStatus="busy", DialBridged=None, To=None)

    assert verbs(twiml(answered)) == ["Say", "Record", "Say", "Hangup"]
    assert stored_call(cloud)["dialCallStatus"] == "busy"
