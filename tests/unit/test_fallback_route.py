"""One of our answers failed: the clinic rings all the same, without anything of ours that can break."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.unit import emf
from tests.unit.signed import call
from tests.unit.twilio_side import (
    CALL_SID,
    CALLER,
    CLINIC_PHONE,
    LINE,
    OVERRIDES,
    VOICE,
    only,
    sample,
    sample_params,
    sample_with,
    twilio_sends,
    twiml,
    verbs,
    words,
)

ROOT = Path(__file__).parents[2]
NUMBER_IN_URL = f"number=%2B{CLINIC_PHONE[1:]}"


@pytest.fixture(autouse=True)
def nothing_but_the_address(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LINES_TABLE", "CALL_LOGS_TABLE", "TWILIO_SECRET_ARN", "WORK_QUEUE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("BACKEND_URL", VOICE.removesuffix("/api/twilio/voice"))
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "ringbook")
    monkeypatch.delenv("TWILIO_VOICE", raising=False)


def test_the_clinic_rings_when_the_answer_to_the_call_failed() -> None:
    answered = twiml(call("fallback_route", sample("fallback_route")))

    assert verbs(answered) == ["Dial"]
    assert only(answered, "Dial").attrib == {
        "timeout": "30",
        "callerId": LINE,
        "answerOnBridge": "true",
    }
    assert only(answered, "Dial/Number").text == CLINIC_PHONE


def test_how_that_dial_goes_is_reported_as_any_other() -> None:
    number = only(twiml(call("fallback_route", sample("fallback_route"))), "Dial/Number")

    assert number.attrib == {
        "statusCallback": f"{VOICE}/status-callback{OVERRIDES}",
        "statusCallbackMethod": "POST",
        "statusCallbackEvent": "initiated ringing answered completed",
    }


@pytest.mark.parametrize(
    ("failed", "sequence"),
    [
        ("/incoming", ["Dial"]),
        ("/incoming?menu=1", ["Dial"]),
        (None, ["Dial"]),
        ("/dial-status", ["Say", "Record", "Say", "Hangup"]),
        (f"/dial-status{OVERRIDES}", ["Say", "Record", "Say", "Hangup"]),
        ("/voicemail", ["Say", "Hangup"]),
        (f"/voicemail{OVERRIDES}", ["Say", "Hangup"]),
        ("/incoming?then=/voice/voicemail", ["Dial"]),
        ("/status-callback", ["Dial"]),
    ],
)
def test_what_the_caller_gets_depends_on_what_failed(
    failed: str | None, sequence: list[str]
) -> None:
    error_url = f"{VOICE}{failed}" if failed else None

    answered = twiml(twilio_sends("fallback_route", NUMBER_IN_URL, ErrorUrl=error_url))

    assert verbs(answered) == sequence


def test_the_message_after_a_failed_dial_is_taken_without_a_database() -> None:
    answered = twiml(twilio_sends("fallback_route", NUMBER_IN_URL, ErrorUrl=f"{VOICE}/dial-status"))

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


@pytest.mark.parametrize("failed", ["dial-status", "voicemail"])
def test_a_clinic_is_not_rung_again_after_a_finished_call(failed: str) -> None:
    answered = twilio_sends("fallback_route", NUMBER_IN_URL, ErrorUrl=f"{VOICE}/{failed}")

    assert "Dial" not in verbs(twiml(answered))
    assert CLINIC_PHONE not in answered["body"]


@pytest.mark.parametrize("error_url", ["http://[", "::", "\x00", "é" * 5000, "/voice/incoming"])
def test_an_address_that_is_none_does_not_cost_the_caller_the_call(error_url: str) -> None:
    answered = twiml(twilio_sends("fallback_route", NUMBER_IN_URL, ErrorUrl=error_url))

    assert only(answered, "Dial/Number").text == CLINIC_PHONE


def test_the_answer_reveals_nothing_that_was_not_in_the_request(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TWILIO_ACCOUNT_SID", "AC" + "5" * 32)
    monkeypatch.setenv("LINES_TABLE", "lines-of-ringbook")
    event = sample_with("fallback_route", "number=%2B442079460018", To="+442079460999")

    answer = call("fallback_route", event)["body"]

    numbers = re.findall(r"\+?\d{7,}", answer)
    assert sorted(numbers) == ["+442079460018", "+442079460999"]
    assert not [value for value in ("AC5", "lines-of-ringbook") if value in answer]


@pytest.mark.parametrize(
    "query",
    [
        "",
        "number=",
        "number=13125550188",
        "number=+13125550188",
        "number=%2B0125550188",
        "number=%2B1312555018899999",
        "number=%2B13125550188%0A",
        "number=%2B13125550188%3C%2FNumber%3E",
        "number=sip:desk@example.test",
        "phone=%2B13125550188",
    ],
)
def test_only_a_number_in_e164_is_ever_dialled(query: str) -> None:
    answered = twiml(twilio_sends("fallback_route", query))

    assert verbs(answered) == ["Say", "Record", "Say", "Hangup"]


@pytest.mark.parametrize("called", ["anonymous", "", '+1312"/><Dial>900', None])
def test_a_called_number_that_is_none_is_no_caller_id(called: str | None) -> None:
    answered = twiml(twilio_sends("fallback_route", NUMBER_IN_URL, To=called))

    assert "callerId" not in only(answered, "Dial").attrib
    assert only(answered, "Dial/Number").text == CLINIC_PHONE


@pytest.mark.parametrize("caller", ["anonymous", ""])
def test_a_withheld_caller_reaches_the_clinic_as_its_own_number(caller: str) -> None:
    answered = twiml(twilio_sends("fallback_route", NUMBER_IN_URL, From=caller))

    assert only(answered, "Dial").get("callerId") == LINE


def test_the_deployments_voice_speaks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWILIO_VOICE", 'Polly."Amy"')

    answered = twiml(twilio_sends("fallback_route", ErrorUrl=f"{VOICE}/voicemail"))

    assert only(answered, "Say").get("voice") == 'Polly."Amy"'


@pytest.mark.parametrize(
    "damage",
    [
        {"body": "", "isBase64Encoded": False},
        {"body": "%%%=&&", "isBase64Encoded": False},
        {"body": "/////w==", "isBase64Encoded": True},
        {"headers": {}},
    ],
)
def test_a_damaged_or_unsigned_request_still_reaches_the_clinic(damage: dict[str, Any]) -> None:
    answered = twiml(call("fallback_route", sample("fallback_route") | damage))

    assert only(answered, "Dial/Number").text == CLINIC_PHONE


def test_the_log_says_that_it_ran_counts_it_and_names_no_person(
    capsys: pytest.CaptureFixture[str],
) -> None:
    call("fallback_route", sample("fallback_route"))

    written = capsys.readouterr().out
    (document,) = emf.documents(written)
    assert json.loads(written) == document
    assert emf.emitted(written) == {"FallbackUsed": [1]}
    assert {name: value for name, value in document.items() if name != "_aws"} == {
        "message": "fallback used",
        "failed": "incoming",
        "call_sid": CALL_SID,
        "error_code": "11200",
        "service": "ringbook",
        "FallbackUsed": 1,
    }


def test_the_log_holds_nothing_of_the_patient(capsys: pytest.CaptureFixture[str]) -> None:
    said = sample_params("fallback_route") | {"CallerName": "JANE DOE"}

    twilio_sends("fallback_route", NUMBER_IN_URL, **said)

    written = capsys.readouterr().out
    told = ("AccountSid", "CallSid", "ErrorCode", "ErrorUrl")
    personal = {value for name, value in said.items() if name not in told and len(value) > 3}
    assert {CALLER, LINE, "JANE DOE"} <= personal
    assert not [value for value in (*personal, CLINIC_PHONE) if value in written]


def test_the_log_holds_no_text_that_a_stranger_made_up(
    capsys: pytest.CaptureFixture[str],
) -> None:
    twilio_sends(
        "fallback_route",
        CallSid="CA; drop",
        ErrorCode="see +13125550188",
        ErrorUrl=f"{VOICE}/incoming/JANE+13125550188",
    )

    said = json.loads(capsys.readouterr().out)
    assert (said["call_sid"], said["error_code"], said["failed"]) == ("", "", "")


def test_it_runs_with_nothing_but_python() -> None:
    event = (ROOT / "events" / "fallback_route.json").read_text()
    program = (
        f"import json, sys; sys.path.insert(0, {str(ROOT / 'functions')!r}); "
        "import fallback_route; print(fallback_route.handler(json.load(sys.stdin), None)['body'])"
    )

    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program],
        input=event,
        env={},
        capture_output=True,
        text=True,
        check=True,
    )

    assert f">{CLINIC_PHONE}</Number>" in done.stdout
