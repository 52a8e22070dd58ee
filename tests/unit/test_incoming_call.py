"""A patient calls: the clinic's telephone rings, after the menu and the consent where they are on."""

from typing import Any

import pytest

from tests.unit.signed import call
from tests.unit.twilio_side import (
    CALL_SID,
    CALLER,
    CLINIC,
    CLINIC_PHONE,
    LINE,
    OVERRIDES,
    VOICE,
    connected_line,
    kept_webhooks,
    only,
    sample,
    sample_with,
    stored_call,
    stored_calls,
    twilio_sends,
    twiml,
    verbs,
    words,
)

NEW_PATIENTS = "+13125550111"
EXISTING_PATIENTS = "+13125550122"
DEFAULT_MENU = "Press 1 for new patients, press 2 for existing patients."
DEFAULT_VOICE = "Polly.Joanna-Neural"


class TestTheDial:
    def test_rings_the_clinic(self, cloud: Any) -> None:
        connected_line()

        answered = twiml(call("incoming_call", sample("incoming_call")))

        assert verbs(answered) == ["Dial"]
        assert only(answered, "Dial").attrib == {
            "timeout": "30",
            "callerId": LINE,
            "action": f"{VOICE}/dial-status{OVERRIDES}",
            "method": "POST",
            "answerOnBridge": "true",
        }
        assert only(answered, "Dial/Number").text == CLINIC_PHONE

    def test_has_the_progress_of_the_clinics_leg_reported(self, cloud: Any) -> None:
        connected_line()

        answered = twiml(call("incoming_call", sample("incoming_call")))

        assert only(answered, "Dial/Number").attrib == {
            "statusCallback": f"{VOICE}/status-callback{OVERRIDES}",
            "statusCallbackEvent": "initiated ringing answered completed",
            "statusCallbackMethod": "POST",
        }

    @pytest.mark.parametrize(
        "to", [LINE, "13125550140", "3125550140", "+1 312 555 0140", "(312) 555-0140"]
    )
    def test_rings_the_clinic_however_the_called_number_is_written(
        self, cloud: Any, to: str
    ) -> None:
        connected_line()

        answered = twiml(twilio_sends("incoming_call", To=to))

        assert only(answered, "Dial/Number").text == CLINIC_PHONE
        assert only(answered, "Dial").get("callerId") == LINE
        assert stored_call(cloud)["twilioPhoneNumber"] == LINE

    @pytest.mark.parametrize(
        ("caller", "recording"),
        [
            ("anonymous", "false"),
            ("anonymous", "true"),
            ("Anonymous", "false"),
            ("unknown", "false"),
            ("Restricted", "true"),
            ("", "false"),
        ],
    )
    def test_rings_the_clinic_for_a_caller_who_withholds_the_number(
        self, cloud: Any, monkeypatch: pytest.MonkeyPatch, caller: str, recording: str
    ) -> None:
        monkeypatch.setenv("TWILIO_ENABLE_RECORDING", recording)
        connected_line()

        answered = twiml(twilio_sends("incoming_call", From=caller, Caller=caller, FromCity=None))

        assert only(answered, "Dial").get("callerId") == LINE
        assert only(answered, "Dial/Number").text == CLINIC_PHONE
        assert stored_call(cloud).get("from", "") == caller

    def test_leads_back_to_the_apis_own_address_where_no_other_is_set(
        self, cloud: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        connected_line()
        monkeypatch.delenv("BACKEND_URL")
        own = "https://abc123.execute-api.eu-west-1.amazonaws.com"
        monkeypatch.setattr("tests.unit.signed.BASE_URL", own)
        event = sample_with("incoming_call")
        event["requestContext"]["domainName"] = own.removeprefix("https://")

        answered = twiml(call("incoming_call", event))

        action = f"{own}/api/twilio/voice/dial-status{OVERRIDES}"
        assert only(answered, "Dial").get("action") == action


class TestTheCallLog:
    def test_holds_who_called_whom_and_when(self, cloud: Any) -> None:
        connected_line()

        call("incoming_call", sample("incoming_call"))

        expected = {
            "callSid": CALL_SID,
            "customerId": CLINIC,
            "twilioPhoneNumber": LINE,
            "from": CALLER,
            "to": LINE,
            "status": "ringing",
            "startedAt": "2026-11-09T16:30:05.214Z",
            "callerName": "RIVERA ELENA",
            "fromCity": "EVANSTON",
            "fromState": "IL",
            "fromZip": "60201",
            "fromCountry": "US",
            "outcome": "in_progress",
            "summaryState": "none",
            "summaryReady": False,
        }
        assert stored_call(cloud).items() >= expected.items()

    def test_holds_a_repeated_request_once(self, cloud: Any) -> None:
        connected_line()

        first = call("incoming_call", sample("incoming_call"))
        second = call("incoming_call", sample("incoming_call"))

        assert first == second
        assert stored_calls(cloud) == [CALL_SID]
        assert len(kept_webhooks(cloud)) == 1

    def test_holds_the_webhook_word_for_word_until_it_expires(self, cloud: Any) -> None:
        connected_line()

        call("incoming_call", sample("incoming_call"))

        (kept,) = kept_webhooks(cloud)
        assert kept["params"]["CallToken"] == "%7B%22parentCallInfoToken%22%3A%22opaque-token%22%7D"
        assert kept["params"]["ToZip"] == ""
        assert kept["receivedAt"] == "2026-11-09T16:30:05.214Z"
        assert kept["expiresAt"] == 1794241805 + 365 * 24 * 3600

    def test_gives_an_earlier_owners_number_to_the_clinic_that_has_it_now(self, cloud: Any) -> None:
        connected_line(
            owners=(
                {"clinicId": "old", "from": "2026-01-01T00:00:00Z", "to": "2026-06-01T00:00:00Z"},
                {"clinicId": CLINIC, "from": "2026-06-02T00:00:00Z", "to": None},
            )
        )

        call("incoming_call", sample("incoming_call"))

        assert stored_call(cloud)["customerId"] == CLINIC


class TestTheForwardNumber:
    @pytest.mark.parametrize(
        ("digit", "default", "new", "existing", "rung"),
        [
            ("1", CLINIC_PHONE, NEW_PATIENTS, EXISTING_PATIENTS, NEW_PATIENTS),
            ("1", CLINIC_PHONE, None, EXISTING_PATIENTS, CLINIC_PHONE),
            ("1", None, None, EXISTING_PATIENTS, EXISTING_PATIENTS),
            ("2", CLINIC_PHONE, NEW_PATIENTS, EXISTING_PATIENTS, EXISTING_PATIENTS),
            ("2", CLINIC_PHONE, NEW_PATIENTS, None, CLINIC_PHONE),
            ("2", None, NEW_PATIENTS, None, NEW_PATIENTS),
            (None, CLINIC_PHONE, NEW_PATIENTS, EXISTING_PATIENTS, CLINIC_PHONE),
            (None, None, NEW_PATIENTS, EXISTING_PATIENTS, NEW_PATIENTS),
            (None, None, None, EXISTING_PATIENTS, EXISTING_PATIENTS),
        ],
    )
    def test_is_the_one_of_the_digit_else_the_next_best(
        self,
        cloud: Any,
        digit: str | None,
        default: str | None,
        new: str | None,
        existing: str | None,
        rung: str,
    ) -> None:
        connected_line(
            settings={"enableMenu": digit is not None},
            forward_number=default,
            forward_number_new=new,
            forward_number_existing=existing,
        )

        answered = twiml(twilio_sends("incoming_call", "menu=1" if digit else "", Digits=digit))

        assert only(answered, "Dial/Number").text == rung
        assert stored_call(cloud).get("menuChoice") == digit

    def test_missing_means_voicemail(self, cloud: Any) -> None:
        connected_line(forward_number=None)

        answered = twiml(twilio_sends("incoming_call"))

        assert verbs(answered) == ["Say", "Record", "Say", "Hangup"]
        assert only(answered, "Record").get("action") == f"{VOICE}/voicemail{OVERRIDES}"

    def test_missing_means_an_apology_where_the_clinic_wants_no_voicemail(self, cloud: Any) -> None:
        connected_line(forward_number=None, settings={"enableVoicemail": False})

        answered = twiml(twilio_sends("incoming_call"))

        assert verbs(answered) == ["Say", "Hangup"]


class TestTheMenu:
    @pytest.fixture(autouse=True)
    def menu_on(self, cloud: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("TWILIO_ENABLE_MENU", "true")

    def test_asks_for_one_digit_and_always_comes_back(self) -> None:
        connected_line()

        answered = twiml(twilio_sends("incoming_call"))

        assert verbs(answered) == ["Gather"]
        assert only(answered, "Gather").attrib == {
            "input": "dtmf",
            "numDigits": "1",
            "timeout": "5",
            "action": f"{VOICE}/incoming?menu=1{OVERRIDES}",
            "method": "POST",
            "actionOnEmptyResult": "true",
        }
        assert words(answered) == [DEFAULT_MENU]

    @pytest.mark.parametrize(
        ("deployed", "of_the_clinic", "of_the_line", "spoken"),
        [
            ("", None, None, DEFAULT_MENU),
            ("One or two?", None, None, "One or two?"),
            ("One or two?", "New is one.", None, "New is one."),
            ("One or two?", "New is one.", "Lakeside: 1 & 2?", "Lakeside: 1 & 2?"),
            ("", None, "Lakeside: 1 < 2?", "Lakeside: 1 < 2?"),
        ],
    )
    def test_speaks_the_clinics_words_else_the_deployments_else_the_seeds(
        self,
        monkeypatch: pytest.MonkeyPatch,
        deployed: str,
        of_the_clinic: str | None,
        of_the_line: str | None,
        spoken: str,
    ) -> None:
        monkeypatch.setenv("TWILIO_MENU_MESSAGE", deployed)
        settings = {"menuMessage": of_the_clinic} if of_the_clinic else {}
        connected_line(settings=settings, menu_message=of_the_line)

        answered = twiml(twilio_sends("incoming_call"))

        assert words(answered) == [spoken]

    @pytest.mark.parametrize(
        ("deployed", "of_the_clinic", "verb"),
        [
            ("true", None, "Gather"),
            ("True", None, "Gather"),
            ("false", None, "Dial"),
            ("", None, "Dial"),
            ("false", True, "Gather"),
            ("true", False, "Dial"),
        ],
    )
    def test_is_there_when_the_clinic_says_so_else_the_deployment(
        self,
        monkeypatch: pytest.MonkeyPatch,
        deployed: str,
        of_the_clinic: bool | None,
        verb: str,
    ) -> None:
        monkeypatch.setenv("TWILIO_ENABLE_MENU", deployed)
        connected_line(settings={} if of_the_clinic is None else {"enableMenu": of_the_clinic})

        answered = twiml(twilio_sends("incoming_call"))

        assert verbs(answered) == [verb]

    @pytest.mark.parametrize("digits", ["", "3", "0", "*", "12", None])
    def test_is_spoken_once_more_on_silence_or_a_wrong_key(
        self, cloud: Any, digits: str | None
    ) -> None:
        connected_line()

        answered = twiml(twilio_sends("incoming_call", "menu=1", Digits=digits))

        assert verbs(answered) == ["Gather"]
        assert only(answered, "Gather").get("action") == f"{VOICE}/incoming?menu=2{OVERRIDES}"
        assert "menuChoice" not in stored_call(cloud)

    @pytest.mark.parametrize("digits", ["", "3", None])
    def test_gives_way_to_the_default_number_after_the_second_time(
        self, cloud: Any, digits: str | None
    ) -> None:
        connected_line(forward_number_new=NEW_PATIENTS, forward_number_existing=EXISTING_PATIENTS)

        answered = twiml(twilio_sends("incoming_call", "menu=2", Digits=digits))

        assert verbs(answered) == ["Dial"]
        assert only(answered, "Dial/Number").text == CLINIC_PHONE
        assert "menuChoice" not in stored_call(cloud)

    @pytest.mark.parametrize("menu", ["menu=1", "menu=2"])
    def test_rings_at_once_when_the_right_key_is_pressed(self, cloud: Any, menu: str) -> None:
        connected_line(forward_number_existing=EXISTING_PATIENTS)

        answered = twiml(twilio_sends("incoming_call", menu, Digits="2", CallStatus="in-progress"))

        assert only(answered, "Dial/Number").text == EXISTING_PATIENTS
        assert stored_call(cloud)["menuChoice"] == "2"

    def test_leaves_nothing_for_answer_on_bridge_to_do(self) -> None:
        connected_line()

        answered = twiml(twilio_sends("incoming_call", "menu=1", Digits="1"))

        assert "answerOnBridge" not in only(answered, "Dial").attrib

    def test_keeps_the_first_choice_when_the_request_without_one_comes_late(
        self, cloud: Any
    ) -> None:
        connected_line()

        twilio_sends("incoming_call", "menu=1", Digits="1", CallStatus="in-progress")
        twilio_sends("incoming_call")

        stored = stored_call(cloud)
        assert (stored["menuChoice"], stored["status"]) == ("1", "in-progress")


class TestRecording:
    @pytest.fixture(autouse=True)
    def recording_on(self, cloud: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("TWILIO_ENABLE_RECORDING", "true")

    def test_is_announced_and_keeps_caller_and_clinic_apart(self) -> None:
        connected_line()

        answered = twiml(twilio_sends("incoming_call"))

        assert verbs(answered) == ["Say", "Dial"]
        assert words(answered) == ["This call may be recorded and transcribed."]
        assert only(answered, "Dial").attrib == {
            "timeout": "30",
            "callerId": LINE,
            "action": f"{VOICE}/dial-status{OVERRIDES}",
            "method": "POST",
            "record": "record-from-answer-dual",
            "recordingStatusCallback": f"{VOICE}/recording-status{OVERRIDES}",
            "recordingStatusCallbackMethod": "POST",
            "recordingStatusCallbackEvent": "in-progress completed absent",
        }

    @pytest.mark.parametrize(
        ("deployed", "of_the_clinic", "spoken"),
        [
            ("We record.", None, "We record."),
            ("We record.", "Lakeside records.", "Lakeside records."),
            ("", "Lakeside records.", "Lakeside records."),
        ],
    )
    def test_is_announced_in_the_operators_or_the_clinics_words(
        self,
        monkeypatch: pytest.MonkeyPatch,
        deployed: str,
        of_the_clinic: str | None,
        spoken: str,
    ) -> None:
        monkeypatch.setenv("TWILIO_CONSENT_MESSAGE", deployed)
        connected_line(settings={"consentMessage": of_the_clinic})

        answered = twiml(twilio_sends("incoming_call"))

        assert words(answered) == [spoken]

    def test_is_announced_after_the_choice_and_not_before_the_menu(self) -> None:
        connected_line(settings={"enableMenu": True})

        asked = twiml(twilio_sends("incoming_call"))
        connected = twiml(twilio_sends("incoming_call", "menu=1", Digits="1"))

        assert words(asked) == [DEFAULT_MENU]
        assert words(connected) == ["This call may be recorded and transcribed."]

    def test_does_not_happen_where_the_clinic_switched_it_off(self) -> None:
        connected_line(settings={"enableRecording": False})

        answered = twiml(twilio_sends("incoming_call"))

        assert verbs(answered) == ["Dial"]
        assert "record" not in only(answered, "Dial").attrib
        assert only(answered, "Dial").get("answerOnBridge") == "true"


class TestLiveTranscription:
    @pytest.fixture(autouse=True)
    def transcription_on(self, cloud: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("TWILIO_ENABLE_TRANSCRIPTION", "true")

    def test_is_summarised_when_nothing_is_recorded(self) -> None:
        connected_line()

        answered = twiml(twilio_sends("incoming_call"))

        assert verbs(answered) == ["Start", "Dial"]
        assert only(answered, "Start/Transcription").attrib == {
            "name": "summarised",
            "track": "both_tracks",
            "inboundTrackLabel": "caller",
            "outboundTrackLabel": "clinic",
            "statusCallbackUrl": f"{VOICE}/transcription{OVERRIDES}",
            "statusCallbackMethod": "POST",
            "intelligenceService": "GA" + "f" * 32,
        }
        assert only(answered, "Dial").get("answerOnBridge") == "true"

    def test_gives_words_only_when_the_recording_is_summarised(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("TWILIO_ENABLE_RECORDING", "true")
        connected_line()

        answered = twiml(twilio_sends("incoming_call"))

        assert verbs(answered) == ["Say", "Start", "Dial"]
        transcription = only(answered, "Start/Transcription")
        assert transcription.get("name") == "words"
        assert "intelligenceService" not in transcription.attrib

    def test_gives_words_only_where_there_is_no_intelligence_service(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("TWILIO_VI_SERVICE_SID", "")
        connected_line()

        answered = twiml(twilio_sends("incoming_call"))

        transcription = only(answered, "Start/Transcription")
        assert transcription.get("name") == "words"
        assert "intelligenceService" not in transcription.attrib

    def test_does_not_happen_where_the_clinic_switched_it_off(self) -> None:
        connected_line(settings={"enableTranscription": False})

        answered = twiml(twilio_sends("incoming_call"))

        assert verbs(answered) == ["Dial"]


class TestAnUnknownNumber:
    def test_is_answered_with_an_apology_and_logged(self, cloud: Any) -> None:
        answered = twiml(call("incoming_call", sample("incoming_call")))

        assert verbs(answered) == ["Say", "Hangup"]
        assert words(answered) == ["We are sorry, this number is not in service. Goodbye."]
        expected = {"customerId": "none", "outcome": "unknown_number", "from": CALLER, "to": LINE}
        assert stored_call(cloud).items() >= expected.items()

    def test_is_also_one_that_was_disconnected(self, cloud: Any) -> None:
        left = {"clinicId": CLINIC, "from": "2026-01-01T00:00:00Z", "to": "2026-02-01T00:00:00Z"}
        connected_line(clinic_id=None, owners=(left,))

        answered = twiml(call("incoming_call", sample("incoming_call")))

        assert verbs(answered) == ["Say", "Hangup"]
        assert stored_call(cloud)["customerId"] == "none"

    @pytest.mark.parametrize("to", ["anonymous", "sip:desk@example.test", "0"])
    def test_is_also_one_that_is_no_number(self, cloud: Any, to: str) -> None:
        connected_line()

        answered = twiml(twilio_sends("incoming_call", To=to))

        assert verbs(answered) == ["Say", "Hangup"]


class TestTheVoice:
    @pytest.mark.parametrize(
        ("deployed", "of_the_clinic", "voice"),
        [
            ("", None, DEFAULT_VOICE),
            ("alice", None, "alice"),
            ("Polly.Amy-Neural", None, "Polly.Amy-Neural"),
            ("alice", "Polly.Amy-Neural", "Polly.Amy-Neural"),
        ],
    )
    def test_is_the_clinics_else_the_deployments_else_a_neural_one(
        self,
        cloud: Any,
        monkeypatch: pytest.MonkeyPatch,
        deployed: str,
        of_the_clinic: str | None,
        voice: str,
    ) -> None:
        monkeypatch.setenv("TWILIO_VOICE", deployed)
        connected_line(settings={"enableMenu": True, "voice": of_the_clinic})

        answered = twiml(twilio_sends("incoming_call"))

        assert only(answered, "Gather/Say").get("voice") == voice

    @pytest.mark.parametrize(
        ("settings", "changes"),
        [
            ({"enableMenu": True}, {}),
            ({"enableRecording": True}, {}),
            ({}, {"forward_number": None}),
            ({"enableVoicemail": False}, {"forward_number": None}),
        ],
        ids=["menu", "consent", "voicemail", "nobody there"],
    )
    def test_is_the_same_in_all_that_a_caller_hears(
        self,
        cloud: Any,
        monkeypatch: pytest.MonkeyPatch,
        settings: dict[str, Any],
        changes: dict[str, Any],
    ) -> None:
        monkeypatch.setenv("TWILIO_VOICE", "alice")
        connected_line(settings=settings, **changes)

        answered = twiml(twilio_sends("incoming_call"))

        assert {say.get("voice") for say in answered.iter("Say")} == {"alice"}

    def test_of_the_deployment_speaks_to_callers_of_unknown_numbers(
        self, cloud: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("TWILIO_VOICE", "alice")

        answered = twiml(twilio_sends("incoming_call"))

        assert only(answered, "Say").get("voice") == "alice"


class TestBadInput:
    @pytest.mark.parametrize("missing", ["To", "CallSid"])
    @pytest.mark.parametrize("value", [None, ""])
    def test_without_what_is_needed_is_named(
        self, cloud: Any, missing: str, value: str | None
    ) -> None:
        connected_line()

        answered = twilio_sends("incoming_call", **{missing: value})

        assert answered["statusCode"] == 400
        assert missing in answered["body"]
        assert stored_calls(cloud) == []


def test_every_address_given_to_twilio_leaves_room_for_a_second_try_and_the_fallback(
    cloud: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for feature in ("MENU", "RECORDING", "TRANSCRIPTION"):
        monkeypatch.setenv(f"TWILIO_ENABLE_{feature}", "true")
    connected_line()

    documents = [
        twiml(twilio_sends("incoming_call")),
        twiml(twilio_sends("incoming_call", "menu=1", Digits="1")),
        twiml(twilio_sends("dial_finished", DialCallStatus="busy")),
    ]

    addresses = {
        value.removeprefix(VOICE)
        for document in documents
        for element in document.iter()
        for value in element.attrib.values()
        if value.startswith("https:")
    }
    assert addresses == {
        f"/incoming?menu=1{OVERRIDES}",
        f"/dial-status{OVERRIDES}",
        f"/status-callback{OVERRIDES}",
        f"/recording-status{OVERRIDES}",
        f"/transcription{OVERRIDES}",
        f"/voicemail{OVERRIDES}",
    }
