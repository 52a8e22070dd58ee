"""The simulated Twilio behaves on the wire as Twilio's documents say that Twilio does."""

import asyncio
import io
import wave
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
from aiohttp import web
from twilio.base.exceptions import TwilioRestException

from local.simulated_twilio.callbacks import Faults
from tests.unit.simulated_line import (
    ACCOUNT_SID,
    API_KEY,
    CALLER,
    CLINIC,
    LINE,
    NUMBERS,
    SERVICE_SID,
    Line,
    Received,
    simulated_line,
)

SCRIPT = """
# A patient moves an appointment.
summary: The caller moved the cleaning to Friday at 3.
caller: Can I move my cleaning to Friday?
agent: Friday at 3 it is.
voicemail: Please move my cleaning to Friday.
"""
MENU = '<Gather numDigits="1" timeout="5" action="/menu"><Say>Press 1 or 2</Say></Gather>'
DIAL = f"""
<Dial callerId="{LINE}" timeout="30" action="/after" record="record-from-answer-dual"
  recordingStatusCallback="/recording"
  recordingStatusCallbackEvent="in-progress completed absent">
  <Number statusCallback="/leg" statusCallbackEvent="initiated ringing answered completed"
  >{CLINIC}</Number></Dial>
<Say>never spoken</Say>"""
BRIDGE = DIAL.replace("<Dial", '<Dial answerOnBridge="true"', 1)
RECORD = """<Say>Leave a message</Say>
<Record action="/voicemail" recordingStatusCallback="/recording"
  recordingStatusCallbackEvent="in-progress completed absent"/><Say>You said nothing</Say>"""

PARTICIPANTS = [{"channel_participant": 1, "role": "Customer"}]


@pytest.fixture
def line() -> Iterator[Line]:
    with simulated_line() as line:
        line.connect()
        line.answers |= {"/voice": MENU, "/menu": DIAL, "/after": "<Hangup/>"}
        yield line
        assert [received.path for received in line.received if not received.signed] == []


class TestAnAnsweredCall:
    def test_goes_through_the_menu_to_the_clinic(self, line: Line) -> None:
        truth = line.call(digits="1", script=SCRIPT)

        assert truth["rang"] == CLINIC
        assert truth["said"] == ["Press 1 or 2"]
        assert (truth["status"], truth["dialCallStatus"]) == ("completed", "completed")
        assert (truth["warnings"], truth["errors"]) == ([], [])
        assert line.at("/voice")[0]["CallStatus"] == "ringing"
        assert line.at("/menu")[0]["Digits"] == "1"
        after = line.at("/after")[0]
        assert after["DialCallStatus"] == "completed"
        assert after["DialBridged"] == "true"
        assert after["CallStatus"] == "in-progress"
        assert truth["recordingSid"] in after["RecordingUrl"]

    def test_reports_its_legs_and_its_end(self, line: Line) -> None:
        truth = line.call(digits="1")

        legs = sorted(line.at("/leg"), key=lambda form: int(form["SequenceNumber"]))
        assert [leg["CallStatus"] for leg in legs] == [
            "initiated",
            "ringing",
            "in-progress",
            "completed",
        ]
        assert {leg["ParentCallSid"] for leg in legs} == {truth["callSid"]}
        assert legs[-1]["CallDuration"] == str(truth["legs"][0]["duration"])
        [final] = line.at("/status")
        assert final["CallSid"] == truth["callSid"]
        assert final["CallStatus"] == "completed"
        assert int(final["CallDuration"]) == truth["duration"] >= 1

    def test_is_recorded_on_two_channels(self, line: Line) -> None:
        truth = line.call(digits="1", script=SCRIPT)

        started, completed = line.at("/recording")
        assert started["RecordingStatus"] == "in-progress"
        assert completed["RecordingStatus"] == "completed"
        assert completed["RecordingChannels"] == "2"
        assert completed["CallSid"] == truth["callSid"]
        assert truth["recordings"][0]["turns"][0] == ["caller", "Can I move my cleaning to Friday?"]

    def test_that_the_caller_ends_executes_no_further_document(self, line: Line) -> None:
        line.answers["/after"] = "<Say>Anyone there?</Say>"

        truth = line.call(digits="1", caller={"hangsUp": "after-talk"})

        assert truth["said"] == ["Press 1 or 2"]
        assert line.at("/after")[0]["CallStatus"] == "completed"


class TestTheMenu:
    def test_falls_through_to_the_next_verb_on_silence(self, line: Line) -> None:
        line.answers["/voice"] = MENU + "<Say>You pressed nothing</Say>"

        truth = line.call()

        assert truth["said"] == ["Press 1 or 2", "You pressed nothing"]
        assert line.at("/menu") == []

    def test_reports_silence_when_asked_to(self, line: Line) -> None:
        line.answers["/voice"] = MENU.replace("<Gather", '<Gather actionOnEmptyResult="true"')

        line.call()

        assert line.at("/menu")[0]["Digits"] == ""

    def test_takes_one_key_at_each_menu(self, line: Line) -> None:
        line.answers["/menu"] = lambda asked: DIAL if asked.form["Digits"] == "1" else MENU

        truth = line.call(digits="91")

        assert [form["Digits"] for form in line.at("/menu")] == ["9", "1"]
        assert (truth["digits"], truth["rang"]) == ("91", CLINIC)

    def test_can_be_met_with_silence_first(self, line: Line) -> None:
        line.answers["/voice"] = MENU + "<Redirect>/voice</Redirect>"

        truth = line.call(digits="-2")

        assert len(line.at("/voice")) == 2
        assert truth["digits"] == "2"

    def test_may_be_left_by_hanging_up(self, line: Line) -> None:
        truth = line.call(digits="1", caller={"hangsUp": "in-menu"})

        assert (truth["status"], truth["rang"]) == ("completed", None)
        assert line.at("/menu") == []


class TestAClinicThatDoesNotAnswer:
    @pytest.mark.parametrize(
        ("clinic", "status"), [("busy", "busy"), ("no-answer", "no-answer"), ("fail", "failed")]
    )
    def test_is_told_to_the_action(self, line: Line, clinic: str, status: str) -> None:
        truth = line.call(digits="1", clinic=clinic)

        [after] = line.at("/after")
        assert after["DialCallStatus"] == status
        assert after["DialBridged"] == "false"
        assert "DialCallDuration" not in after
        assert (truth["recordings"], truth["rang"]) == ([], CLINIC)

    def test_leads_to_voicemail(self, line: Line) -> None:
        line.answers |= {"/after": RECORD, "/voicemail": "<Say>Goodbye</Say>"}

        truth = line.call(digits="1", clinic="no-answer", script=SCRIPT)

        assert truth["said"] == ["Press 1 or 2", "Leave a message", "Goodbye"]
        assert truth["recordings"][0]["turns"] == [["caller", "Please move my cleaning to Friday."]]
        [left] = line.at("/voicemail")
        assert left["RecordingSid"] == truth["recordingSid"]
        assert line.at("/recording")[-1]["RecordingSource"] == "RecordVerb"
        assert line.at("/recording")[-1]["RecordingChannels"] == "1"

    def test_and_a_silent_caller_leave_an_absent_recording(self, line: Line) -> None:
        line.answers["/after"] = RECORD

        truth = line.call(digits="1", clinic="busy", caller={"leavesMessage": False})

        assert truth["said"][-1] == "You said nothing"
        assert line.at("/voicemail") == []
        assert line.at("/recording")[-1]["RecordingStatus"] == "absent"
        assert "RecordingDuration" not in line.at("/recording")[-1]

    def test_because_the_caller_hung_up_first(self, line: Line) -> None:
        line.answers |= {"/voice": BRIDGE, "/after": "<Say>never spoken</Say>"}

        truth = line.call(caller={"hangsUp": "while-ringing"})

        assert (truth["status"], truth["dialCallStatus"]) == ("no-answer", "canceled")
        assert (truth["said"], truth["duration"], truth["price"]) == ([], None, None)
        assert line.at("/status")[0]["CallStatus"] == "no-answer"
        assert line.at("/status")[0]["CallDuration"] == "0"
        assert line.at("/leg")[-1]["CallStatus"] == "canceled"


class TestAWithheldCaller:
    def test_has_no_number_and_no_place(self, line: Line) -> None:
        truth = line.call(digits="1", **{"from": "anonymous"})

        asked = line.at("/voice")[0]
        assert asked["From"] == asked["Caller"] == "anonymous"
        assert not {name for name in asked if name.startswith(("FromC", "CallerC"))}
        assert asked["ToCity"] == "NEW YORK"
        assert truth["rang"] == CLINIC

    def test_cannot_be_passed_through_as_caller_id(self, line: Line) -> None:
        line.answers["/menu"] = f'<Dial action="/after"><Number>{CLINIC}</Number></Dial>'

        truth = line.call(digits="1", **{"from": "anonymous"})

        assert truth["rang"] is None
        assert truth["warnings"][0].startswith("13214")
        assert line.at("/after")[0]["DialCallStatus"] == "failed"


class TestAFailingWebhook:
    @pytest.fixture(autouse=True)
    def fallback(self, line: Line) -> None:
        line.answers["/fallback"] = f"<Dial>{CLINIC}</Dial>"
        line.connect(voice_fallback_url=f"{line.ringbook_url}/fallback?number={CLINIC[1:]}")

    def test_is_asked_again_as_the_fragment_says_and_then_gives_way(self, line: Line) -> None:
        line.answers["/voice"] = 502
        line.connect(voice_url=f"{line.ringbook_url}/voice#rc=2&rp=5xx,ct,rt")

        truth = line.call()

        tries = [received for received in line.received if received.path == "/voice"]
        assert len(tries) == 3
        assert len({received.token for received in tries}) == 1
        assert "#" not in tries[0].url
        [asked] = line.at("/fallback")
        assert asked["ErrorCode"] == "11200"
        assert asked["ErrorUrl"] == f"{line.ringbook_url}/voice"
        assert truth["rang"] == CLINIC
        assert [r["attempt"] for r in truth["requests"] if r["kind"] == "voice"] == [1, 2, 3]

    def test_is_not_asked_again_by_default(self, line: Line) -> None:
        line.answers["/voice"] = 500

        line.call()

        assert len(line.at("/voice")) == 1
        assert len(line.at("/fallback")) == 1

    def test_succeeds_on_its_second_try(self, line: Line) -> None:
        statuses = iter([503, MENU])
        line.answers["/voice"] = lambda asked: next(statuses)
        line.connect(voice_url=f"{line.ringbook_url}/voice#rc=1&rp=all")

        truth = line.call(digits="1")

        assert line.at("/fallback") == []
        assert truth["rang"] == CLINIC

    def test_may_be_an_action(self, line: Line) -> None:
        line.answers["/after"] = 500

        line.call(digits="1", clinic="busy")

        assert line.at("/fallback")[0]["ErrorUrl"] == f"{line.ringbook_url}/after"

    def test_is_given_up_when_it_takes_too_long(self, line: Line) -> None:
        async def slowly() -> str:
            await asyncio.sleep(0.4)
            return MENU

        line.answers["/voice"] = lambda asked: slowly()
        line.connect(voice_url=f"{line.ringbook_url}/voice#rt=100&tt=300")

        line.call()

        assert line.at("/fallback")[0]["ErrorCode"] == "11200"

    def test_that_cannot_be_reached_is_tried_twice(self, line: Line) -> None:
        line.connect(voice_url="http://127.0.0.1:9/voice")

        truth = line.call()

        assert [r["status"] for r in truth["requests"] if r["kind"] == "voice"] == [None, None]
        assert line.at("/fallback")[0]["ErrorCode"] == "11205"

    @pytest.mark.parametrize(
        ("content_type", "body", "code"),
        [
            ("text/html", "<Response/>", "12300"),
            ("text/xml", "<Response><Say></Response>", "12100"),
            ("text/xml", "\n<?xml version='1.0'?><Response/>", "12100"),
            ("text/xml", "<Answer/>", "12102"),
            ("text/xml", "", "11770"),
            ("text/xml", f"<Response><Say>{'long ' * 14_000}</Say></Response>", "11750"),
            ("text/xml", '<Response><Say voice="nobody">Hi</Say></Response>', "13512"),
        ],
    )
    def test_may_answer_what_twilio_cannot_use(
        self, line: Line, content_type: str, body: str, code: str
    ) -> None:
        line.answers["/voice"] = lambda asked: web.Response(text=body, content_type=content_type)

        line.call()

        assert line.at("/fallback")[0]["ErrorCode"] == code

    def test_without_a_fallback_ends_with_an_apology(self, line: Line) -> None:
        line.answers["/voice"] = 500
        line.connect(voice_fallback_url="")

        truth = line.call()

        assert "application error" in truth["said"][0]
        assert len(truth["errors"]) == 1


class TestADocument:
    def test_with_unknown_attributes_is_executed_with_a_warning(self, line: Line) -> None:
        line.answers["/voice"] = f'<Dial statusCallback="/leg"><Number>{CLINIC}</Number></Dial>'

        truth = line.call()

        assert truth["warnings"] == ["12200: <Dial> has no attribute 'statusCallback'"]
        assert truth["rang"] == CLINIC

    def test_may_be_found_by_a_redirect_which_turns_post_into_get(self, line: Line) -> None:
        line.answers["/voice"] = lambda asked: web.Response(
            status=301, headers={"Location": "/new"}
        )
        line.answers["/new"] = "<Say>Moved</Say>"

        truth = line.call()

        assert truth["said"] == ["Moved"]
        assert [r.method for r in line.received if r.path == "/new"] == ["GET"]
        assert line.at("/new")[0]["From"] == CALLER

    def test_that_never_ends_is_left(self, line: Line) -> None:
        line.answers["/voice"] = "<Redirect>/voice</Redirect>"

        assert "lost patience" in line.call()["warnings"][0]

    def test_may_reject_the_call(self, line: Line) -> None:
        line.answers["/voice"] = '<Reject reason="busy"/>'

        assert line.call()["status"] == "busy"


class TestLiveTranscription:
    START = f"""<Start><Transcription name="words" statusCallbackUrl="RINGBOOK/words"
        partialResults="true" intelligenceService="{SERVICE_SID}"/></Start>"""

    @pytest.fixture(autouse=True)
    def transcribed(self, line: Line) -> None:
        line.answers["/voice"] = self.START.replace("RINGBOOK", line.ringbook_url) + DIAL

    def test_sends_each_utterance(self, line: Line) -> None:
        line.call(script=SCRIPT)

        events = sorted(line.at("/words"), key=lambda form: int(form["SequenceId"]))
        assert events[0]["TranscriptionEvent"] == "transcription-started"
        assert events[-1]["TranscriptionEvent"] == "transcription-stopped"
        final = [event for event in events if event.get("Final") == "true"]
        assert [event["Track"] for event in final] == ["inbound_track", "outbound_track"]
        assert "Friday at 3 it is." in final[1]["TranscriptionData"]
        assert [event["Final"] for event in events[1:-1]] == ["false", "true"] * 2

    def test_is_kept_as_a_transcript(self, line: Line) -> None:
        line.client().intelligence.v2.services(SERVICE_SID).update(
            webhook_url=f"{line.ringbook_url}/ci"
        )

        truth = line.call(script=SCRIPT)

        sid = line.at("/words")[0]["TranscriptionSid"]
        transcript = line.client().intelligence.v2.transcripts(sid)
        assert transcript.fetch().status == "completed"
        assert [s.media_channel for s in transcript.sentences.list()] == [1, 2]
        assert truth["transcriptSid"] == sid
        assert [r.json["transcript_sid"] for r in line.received if r.path == "/ci"] == [sid]


class TestATranscript:
    @pytest.fixture
    def order(self, line: Line) -> Callable[..., Any]:
        def order(truth: dict[str, Any]) -> Any:
            channel: dict[str, Any] = {"media_properties": {"source_sid": truth["recordingSid"]}}
            channel["participants"] = PARTICIPANTS
            return line.client().intelligence.v2.transcripts.create(
                service_sid=SERVICE_SID, channel=channel, customer_key=truth["callSid"]
            )

        line.client().intelligence.v2.services(SERVICE_SID).update(
            webhook_url=f"{line.ringbook_url}/ci/key"
        )
        return order

    def test_is_made_once_and_announced_once(self, line: Line, order: Callable[..., Any]) -> None:
        truth = line.call(digits="1", script=SCRIPT)

        ordered = order(truth)
        with pytest.raises(TwilioRestException, match="already exists") as refusal:
            order(truth)
        line.settled(truth["callSid"])

        assert (refusal.value.status, refusal.value.code) == (400, 20001)
        assert ordered.status == "queued"
        assert ordered.channel["participants"] == PARTICIPANTS
        [hook] = [received for received in line.received if received.path == "/ci/key"]
        assert "bodySHA256=" in hook.url
        assert hook.json["transcript_sid"] == ordered.sid
        assert hook.json["customer_key"] == truth["callSid"]
        [listed] = line.client().intelligence.v2.transcripts.list(source_sid=truth["recordingSid"])
        assert listed.status == "completed"

    def test_is_redacted_unless_asked_otherwise(
        self, line: Line, order: Callable[..., Any]
    ) -> None:
        truth = line.call(digits="1", script=SCRIPT)
        sid = order(truth).sid
        line.settled(truth["callSid"])
        transcript = line.client().intelligence.v2.transcripts(sid)

        hidden = [r.text_generation_results for r in transcript.operator_results.list()]
        shown = [
            r.text_generation_results for r in transcript.operator_results.list(redacted=False)
        ]

        assert hidden[-1]["result"] == "[Redacted: Conversation Summary]"
        assert shown[-1]["result"] == "The caller moved the cleaning to Friday at 3."
        assert "[REDACTED]" in transcript.sentences.list()[1].transcript
        assert [
            (sentence.media_channel, sentence.transcript)
            for sentence in transcript.sentences.list(redacted=False, page_size=1)
        ] == [(1, "Can I move my cleaning to Friday?"), (2, "Friday at 3 it is.")]

    def test_has_no_summary_where_the_script_has_none(
        self, line: Line, order: Callable[..., Any]
    ) -> None:
        truth = line.call(digits="1", script="caller: Hello?")
        sid = order(truth).sid
        line.settled(truth["callSid"])

        results = line.client().intelligence.v2.transcripts(sid).operator_results.list()

        assert [result.name for result in results] == ["Sentiment Analysis"]

    def test_may_be_announced_as_a_form(self, line: Line, order: Callable[..., Any]) -> None:
        line.control("settings", ciWebhookFormat="form")
        truth = line.call(digits="1")

        sid = order(truth).sid
        line.settled(truth["callSid"])

        assert line.at("/ci/key")[0]["transcript_sid"] == sid

    def test_needs_a_recording_that_is_there(self, line: Line, order: Callable[..., Any]) -> None:
        with pytest.raises(TwilioRestException, match="no completed recording"):
            order({"recordingSid": "RE" + "0" * 32, "callSid": "CA" + "0" * 32})

    def test_is_made_without_asking_by_an_auto_transcribing_service(self, line: Line) -> None:
        line.client().intelligence.v2.services(SERVICE_SID).update(auto_transcribe=True)

        assert line.call(digits="1")["transcriptSid"]


class TestTheRestApi:
    def test_follows_pages(self, line: Line) -> None:
        truths = [line.call(digits="1") for _ in range(3)]

        calls = line.client().calls.list(page_size=1)
        numbers = line.client().incoming_phone_numbers.list(page_size=2)

        assert len(calls) == 6
        assert {call.sid for call in calls if call.parent_call_sid is None} == {
            truth["callSid"] for truth in truths
        }
        assert [number.phone_number for number in numbers] == list(NUMBERS)

    def test_filters_calls_and_recordings(self, line: Line) -> None:
        truth = line.call(digits="1")
        client, soon = line.client(), datetime.now(UTC) + timedelta(hours=1)

        [leg] = client.calls.list(parent_call_sid=truth["callSid"])
        assert (leg.to, leg.status, leg.direction) == (CLINIC, "completed", "outbound-dial")
        assert client.calls.list(start_time_after=soon) == []
        assert len(client.calls.list(start_time_before=soon, status="completed")) == 2
        assert len(client.calls.list(start_time=datetime.now(UTC).date())) == 2
        assert len(client.recordings.list(call_sid=truth["callSid"])) == 1
        assert client.recordings.list(date_created_after=soon) == []

    def test_finds_numbers_by_a_part_of_them(self, line: Line) -> None:
        listed = line.client().incoming_phone_numbers.list(phone_number="+1312*")

        assert [number.phone_number for number in listed] == [NUMBERS[2]]

    def test_changes_only_what_is_sent(self, line: Line) -> None:
        number = line.client().incoming_phone_numbers.list(phone_number=LINE)[0]

        changed = number.update(voice_fallback_url="https://example.com/fallback#rc=2")
        cleared = number.update(status_callback="")

        assert changed.voice_url == cleared.voice_url == f"{line.ringbook_url}/voice"
        assert cleared.voice_fallback_url == "https://example.com/fallback#rc=2"
        assert cleared.status_callback == ""

    @pytest.mark.parametrize(
        ("change", "code"),
        [
            ({"voice_url": "", "voice_fallback_url": "https://example.com"}, 21405),
            ({"voice_url": "no address"}, 21402),
            ({"voice_method": "PUT"}, 21403),
        ],
    )
    def test_refuses_impossible_settings(
        self, line: Line, change: dict[str, str], code: int
    ) -> None:
        number = line.client().incoming_phone_numbers.list(phone_number=LINE)[0]

        with pytest.raises(TwilioRestException) as refusal:
            number.update(**change)

        assert (refusal.value.status, refusal.value.code) == (400, code)
        assert number.fetch().voice_url == f"{line.ringbook_url}/voice"

    def test_lets_a_trunk_override_the_voice_url(self, line: Line) -> None:
        number = line.client().incoming_phone_numbers.list(phone_number=LINE)[0]
        number.update(trunk_sid="TK" + "4" * 32)

        assert line.call()["status"] == "failed"

    def test_takes_the_token_or_the_api_key(self, line: Line) -> None:
        with pytest.raises(TwilioRestException) as refusal:
            line.client(password="wrong").intelligence.v2.services(SERVICE_SID).fetch()

        assert (refusal.value.status, refusal.value.code) == (401, 20003)
        assert line.client(*API_KEY).calls.list() == []

    def test_knows_the_price_only_later(self) -> None:
        with simulated_line(time_scale=0.1) as line:
            line.connect()
            line.answers["/voice"] = "<Say>Hello</Say>"
            sid = line.control("calls", **{"to": LINE, "from": CALLER})["callSid"]
            call = line.client().calls(sid)
            while (live := call.fetch()).status != "completed":
                assert live.duration is None
            assert call.fetch().price is None

            line.settled(sid)

            assert call.fetch().price == "-0.00850"
            assert call.fetch().duration == "1"

    def test_attaches_and_detaches_operators(self, line: Line) -> None:
        attached = f"/v2/Services/{SERVICE_SID}/Operators"
        intelligence = line.client().intelligence.v2
        [summary] = [
            o for o in intelligence.operators.list() if o.friendly_name.endswith("Summary")
        ]

        intelligence.operator_attachment(SERVICE_SID, summary.sid).delete()
        assert summary.sid not in line.rest("GET", attached).json()["operator_sids"]
        intelligence.operator_attachment(SERVICE_SID, summary.sid).create()

        assert summary.sid in line.rest("GET", attached).json()["operator_sids"]
        assert intelligence.operators(summary.sid).fetch().operator_type == "text-generation"


class TestRecordedSound:
    @pytest.fixture
    def recording(self, line: Line) -> str:
        truth = line.call(digits="1")
        return f"/2010-04-01/Accounts/{ACCOUNT_SID}/Recordings/{truth['recordingSid']}"

    def test_comes_in_both_formats(self, line: Line, recording: str) -> None:
        sound = line.rest("GET", recording)
        compressed = line.rest("GET", f"{recording}.mp3", params={"RequestedChannels": 2})

        assert sound.headers["Content-Type"] == "audio/x-wav"
        with wave.open(io.BytesIO(sound.content)) as opened:
            assert opened.getnchannels() == 2
        assert compressed.headers["Content-Type"] == "audio/mpeg"
        assert compressed.content[:2] == b"\xff\xfb"

    def test_of_one_channel_has_no_second(self, line: Line) -> None:
        line.answers["/after"] = RECORD
        sid = line.call(digits="1", clinic="busy")["recordingSid"]
        path = f"/2010-04-01/Accounts/{ACCOUNT_SID}/Recordings/{sid}.mp3"

        assert line.rest("GET", path, params={"RequestedChannels": 2}).status_code == 400
        assert line.rest("GET", path).status_code == 200

    def test_is_gone_when_deleted(self, line: Line, recording: str) -> None:
        assert line.rest("DELETE", f"{recording}.json").status_code == 204

        assert line.rest("GET", f"{recording}.wav").status_code == 404
        assert line.rest("GET", f"{recording}.json").json()["code"] == 20404

    def test_needs_credentials(self, line: Line, recording: str) -> None:
        assert requests.get(line.twilio_url + recording, timeout=5).status_code == 401


class TestFaults:
    def test_lose_callbacks_but_never_what_a_caller_waits_on(self, line: Line) -> None:
        line.control("faults", seed=1, drop=1.0)

        truth = line.call(digits="1")

        assert truth["rang"] == CLINIC
        assert {received.path for received in line.received} == {"/voice", "/menu", "/after"}

    def test_can_be_limited_to_a_kind(self, line: Line) -> None:
        line.control("faults", seed=1, repeat=1.0, routes=["call-status"])

        line.call(digits="1")

        assert len(line.at("/status")) == 2
        assert len(line.at("/leg")) == 4

    def test_are_decided_by_the_seed(self) -> None:
        faults = Faults(seed=7, drop=0.3, repeat=0.3, delay=(0, 5), reorder=True)
        other = Faults(seed=8, drop=0.3, repeat=0.3, delay=(0, 5), reorder=True)

        def course(faults: Faults) -> list[list[float]]:
            return [faults.deliveries(call, "ci", n) for call in range(20) for n in range(3)]

        assert course(faults) == course(faults) != course(other)
        assert {len(deliveries) for deliveries in course(faults)} == {0, 1, 2}

    def test_with_unknown_names_are_refused(self, line: Line) -> None:
        answer = requests.post(
            f"{line.twilio_url}/simulator/faults", json={"routes": ["voice"]}, timeout=5
        )

        assert (answer.status_code, answer.json()) == (400, {"error": "unknown routes: voice"})

    def test_can_take_the_whole_api_down(self, line: Line) -> None:
        line.control("down", status=429)
        with pytest.raises(TwilioRestException) as refusal:
            line.client().calls(f"CA{'5' * 32}").fetch()
        line.control("down", status="hang", seconds=0.1)
        assert line.client().calls.list() == []
        line.control("down", status=503, seconds=30)
        assert line.rest("GET", "/v2/Services").status_code == 503
        line.control("down", status=None)

        assert refusal.value.code == 20429
        assert line.client().calls.list() == []


class TestTheControls:
    @pytest.mark.parametrize(
        ("scenario", "why"),
        [
            ({"to": "+19995550000"}, "not a number of the account"),
            ({"clinic": "asleep"}, "clinic must be one of"),
            ({"script": "caller: Hi\nnurse: Hello"}, "line 2: 'nurse' is none of"),
            ({"caller": {"hangsUp": "never"}}, "caller.hangsUp must be one of"),
            ({"digits": "one"}, "digits must hold only"),
        ],
    )
    def test_say_what_is_wrong_with_a_call(
        self, line: Line, scenario: dict[str, Any], why: str
    ) -> None:
        body = {"to": LINE, "from": CALLER} | scenario

        answer = requests.post(f"{line.twilio_url}/simulator/calls", json=body, timeout=5)

        assert answer.status_code == 400
        assert why in answer.json()["error"]

    def test_add_numbers(self, line: Line) -> None:
        line.control("numbers", phoneNumber="+12125550150")

        assert len(line.client().incoming_phone_numbers.list()) == len(NUMBERS) + 1

    def test_carry_many_calls_at_once(self, line: Line) -> None:
        def place(number: int) -> dict[str, Any]:
            return line.call(digits="1", script=f"caller: I am number {number}.")

        with ThreadPoolExecutor(20) as placing:
            truths = list(placing.map(place, range(20)))

        assert {truth["rang"] for truth in truths} == {CLINIC}
        assert len({truth["recordingSid"] for truth in truths}) == 20
        assert [truth["errors"] + truth["warnings"] for truth in truths] == [[]] * 20


def test_every_callback_is_signed_for_the_url_it_asks(line: Line) -> None:
    line.connect(
        voice_url=f"{line.ringbook_url}/voice?clinic=a%20b+c", status_callback_method="GET"
    )

    line.call(digits="1")

    asked: list[Received] = [received for received in line.received if received.signed]
    assert len(asked) == len(line.received) == 10
    assert asked[0].url.endswith("/voice?clinic=a%20b+c")
