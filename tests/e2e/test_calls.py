"""Calls through the deployed template: placed with the simulated Twilio, read as their clinic does."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import requests
from twilio.rest import Client

from local import placing
from local.api import Api
from local.sample_clinics import DENTIST, NUMBERS, PHYSIOTHERAPIST
from local.stack import Stack

PATIENT = "+12175550123"
CALL_LOGS = "/api/twilio/call-logs"
BOOKS = """
summary: The caller asked for a cleaning and the clinic confirmed an appointment on Tuesday at 3 pm.
agent: Harbour Street Dental, how can I help?
caller: Hi, I'd like to book a cleaning, please.
agent: We have Tuesday at three, would that suit you?
caller: Yes, Tuesday at three is great.
agent: You're all booked for Tuesday at 3 pm. See you then!
caller: Thank you, goodbye.
voicemail: Hello, it's Anna Miller. Please call me back about my tooth. Thank you.
"""


@pytest.fixture
def dentist(stack: Stack) -> tuple[str, Api]:
    """The number of a line with a menu, and its clinic's API."""
    clinic_id, number = next(iter(stack.lines.items()))
    return number, stack.as_customer(clinic_id)


@pytest.fixture
def physio(stack: Stack) -> tuple[str, Api]:
    """The number of a line without a menu, and its clinic's API."""
    clinic_id, number = list(stack.lines.items())[1]
    return number, stack.as_customer(clinic_id)


def placed(stack: Stack, line: tuple[str, Api], **how: Any) -> dict[str, Any]:
    """The call as its clinic reads it when all is over."""
    number, api = line
    how = {"from_number": PATIENT, "script": BOOKS} | how
    return placing.settled(stack, api, placing.place(stack, to=number, **how))


def truth(stack: Stack, call: dict[str, Any]) -> dict[str, Any]:
    """What the simulated Twilio knows of the call."""
    url = f"{stack.twilio_url}/simulator/calls/{call['callSid']}"
    return dict(requests.get(url, timeout=10).json())


@contextmanager
def voice_url(stack: Stack, number: str, url: str) -> Iterator[None]:
    """A number's VoiceUrl, changed on Twilio for a while."""
    client = Client(stack.account_sid, stack.auth_token)
    client.api.base_url = stack.twilio_url
    found = client.incoming_phone_numbers.list(phone_number=number)[0]
    before = found.voice_url
    found.update(voice_url=url)
    try:
        yield
    finally:
        found.update(voice_url=before)


def over(stack: Stack, call_sid: str) -> dict[str, Any]:
    """The truth about a call, once it is over."""
    for _ in range(120):
        known = truth(stack, {"callSid": call_sid})
        if known["done"]:
            return known
        time.sleep(0.25)
    raise AssertionError(f"{call_sid} does not end")


def test_a_new_patient_reaches_the_clinic_and_books(stack, dentist):
    call = placed(stack, dentist, digits="1")

    assert truth(stack, call)["rang"] == DENTIST.forwards["forwardNumberNew"]
    assert truth(stack, call)["warnings"] == []
    assert call["outcome"] == "answered"
    assert call["dialCallStatus"] == "answered"
    assert call["menuChoice"] == "1"
    assert call["from"] == PATIENT
    assert call["status"] == "completed"
    assert call["duration"] >= 1
    assert call["startedAt"] <= call["answeredAt"] <= call["endedAt"]
    assert call["summaryReady"] is True
    assert call["appointmentBooked"] is True


def test_the_verdict_is_proved_by_words_of_the_transcript(stack, dentist):
    call = placed(stack, dentist, digits="2")

    _, api = dentist
    summary = api.get(f"{CALL_LOGS}/{call['callSid']}/summary")
    transcript = api.get(f"{CALL_LOGS}/{call['callSid']}/transcript")
    assert summary["summaryState"] == "ready"
    assert summary["summaryText"].startswith("The caller asked for a cleaning")
    assert transcript["source"] == "ci"
    assert [turn["speaker"] for turn in transcript["turns"][:2]] == ["agent", "caller"]
    quotes = [e["quote"] for e in summary["booking"]["evidence"] if e["source"] == "transcript"]
    assert quotes
    assert all(any(q in turn["text"] for turn in transcript["turns"]) for q in quotes)


def test_the_recording_is_copied_and_can_be_played(stack, dentist):
    call = placed(stack, dentist, digits="1")

    recording = dentist[1].get(f"{CALL_LOGS}/{call['callSid']}/recording")
    audio = requests.get(recording["url"], timeout=10)
    assert recording["contentType"] == "audio/mpeg"
    assert audio.status_code == 200
    assert audio.headers["content-type"] == "audio/mpeg"
    assert len(audio.content) > 100


def test_silence_at_both_menus_rings_the_default_number(stack, dentist):
    call = placed(stack, dentist, digits="--")

    said = truth(stack, call)["said"]
    assert sum("Press 1" in words for words in said) == 2
    assert truth(stack, call)["rang"] == DENTIST.forwards["forwardNumber"]
    assert call["menuChoice"] is None


@pytest.mark.parametrize("clinic", ["busy", "no-answer", "fail"])
def test_a_patient_who_reaches_nobody_leaves_a_message(stack, physio, clinic):
    call = placed(stack, physio, clinic=clinic)

    assert call["outcome"] == "voicemail"
    assert call["dialCallStatus"] == {"fail": "failed"}.get(clinic, clinic)
    assert call["appointmentBooked"] is not True
    turns = physio[1].get(f"{CALL_LOGS}/{call['callSid']}/transcript")["turns"]
    assert {turn["speaker"] for turn in turns} == {"caller"}


def test_a_withheld_number_is_a_caller_like_any_other(stack, physio):
    call = placed(stack, physio, from_number="anonymous")

    assert call["from"] == "anonymous"
    assert call["outcome"] == "answered"
    assert truth(stack, call)["rang"] == PHYSIOTHERAPIST.forwards["forwardNumber"]


def test_an_unknown_number_is_answered_with_an_apology_and_logged(stack):
    with voice_url(stack, NUMBERS[-1], f"{stack.api_url}/api/twilio/voice/incoming"):
        call_sid = placing.place(stack, to=NUMBERS[-1], from_number=PATIENT)
        known = over(stack, call_sid)

    call = stack.as_admin().get(f"{CALL_LOGS}/{call_sid}", clinicId="none")
    assert known["rang"] is None
    assert "not in service" in known["said"][0]
    assert call["outcome"] == "unknown_number"


def test_when_the_answer_fails_the_fallback_rings_the_clinic(stack, physio):
    number, _ = physio
    with voice_url(stack, number, f"{stack.api_url}/api/twilio/voice/nowhere"):
        call = placed(stack, physio)

    assert truth(stack, call)["rang"] == PHYSIOTHERAPIST.forwards["forwardNumber"]
    assert call["status"] == "completed"


def test_repeated_and_disordered_callbacks_leave_one_call_and_one_transcript(stack, physio):
    faults = {"seed": 7, "repeat": 0.5, "delay": [0, 1], "reorder": True}
    requests.post(f"{stack.twilio_url}/simulator/faults", json=faults, timeout=10)
    try:
        call = placed(stack, physio)
    finally:
        requests.post(f"{stack.twilio_url}/simulator/faults", json={}, timeout=10)

    assert call["outcome"] == "answered"
    assert call["summaryState"] == "ready"
    listed = physio[1].get(CALL_LOGS, limit="100")["calls"]
    assert [c["callSid"] for c in listed].count(call["callSid"]) == 1
    assert truth(stack, call)["transcriptSid"] == call["transcriptSid"]
