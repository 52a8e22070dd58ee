"""A clinic reads its calls: the list, one call, its summary, transcript and recording, and counts."""

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from calls import archive, booking, call_store, facts
from calls import call as calls
from calls.line import NOBODY
from tests.unit.signed import call, person_event
from tests.unit.twilio_server import SERVICE_SID, TwilioServer
from tests.unit.twilio_side import (
    CALL_SID,
    CALLER,
    CLINIC,
    CLINIC_PHONE,
    LEG_SID,
    LINE,
    RECORDING_SID,
    TRANSCRIPT_SID,
    connected_line,
    stored_call,
    twilio_sends,
)

LIST = "/api/twilio/call-logs"
STATS = f"{LIST}/stats"
ONE_CALL = ["", "/summary", "/transcript", "/recording"]
OTHER_LINE = "+13125550141"
VERDICT = {"booked": True, "confidence": 0.9, "reason": "", "evidence": [], "appointment": None}
SCRIPT = """
summary: The caller booked a cleaning on Tuesday at 9:00.
caller: Could I come in for a cleaning?
agent: Tuesday at nine is free.
caller: I'll take it.
agent: You are booked for Tuesday at nine.
"""


def asks(path: str = LIST, query: Any = None, **who: Any) -> tuple[int, dict[str, Any]]:
    """The status and the JSON that the clinic's user gets, or whoever else asks."""
    event = person_event("GET", path, query=query, **({"clinic_id": CLINIC} | who))
    answer = call("call_logs", event)
    return answer["statusCode"], json.loads(answer["body"])


def sids(answer: tuple[int, dict[str, Any]]) -> list[str]:
    assert answer[0] == 200, answer[1]
    return [item["callSid"] for item in answer[1]["calls"]]


def stored(
    sid: str,
    started_at: str = "2026-11-09T16:30:00.000Z",
    *,
    clinic: str = CLINIC,
    number: str = LINE,
    menu: str | None = None,
    dial: str | None = "answered",
    status: str = "completed",
    duration: int | None = 60,
    awaits: tuple[str, ...] = (),
    **work: Any,
) -> None:
    """A call as the webhooks and the work about it left it."""
    told = facts.known(
        "voice", twilioPhoneNumber=number, to=number, startedAt=started_at, menuChoice=menu
    )
    told |= facts.known("status", status=status, duration=duration)
    told |= facts.known("dial", dialCallStatus=dial)

    def as_given(call: calls.Call) -> calls.Call:
        given = calls.with_work(call | {"facts": told}, customerId=clinic, **work)
        return calls.awaiting(given, *awaits)

    call_store.change(sid, as_given)


def judged(booked: bool | None) -> dict[str, Any]:
    return VERDICT | {"booked": booked, "engine": booking.ENGINE}


def a_day_of_calls() -> None:
    """A to H of the clinic, one a minute; X of another clinic, N to an unknown number."""
    minute = "2026-11-09T16:3{}:00.000Z".format
    stored("A", minute(0), menu="1", summaryText="Booked.", booking=judged(True))
    stored("B", minute(1), menu="2", summaryText="Asked.", booking=judged(False), duration=31)
    stored("C", minute(2), number=OTHER_LINE, summaryText="Unclear.", booking=judged(None))
    stored("D", minute(3), dial="no-answer", menu="1", duration=20)
    stored("E", minute(4), number=OTHER_LINE, dial=None, status="in-progress", duration=None)
    stored("F", minute(5), menu="1", awaits=("summary",))
    stored("G", minute(6), summaryFailure="gave_up")
    stored("H", minute(7), dial=None, duration=3)
    stored("X", minute(3), clinic="hilltop", summaryText="Booked.", booking=judged(True))
    stored("N", minute(3), clinic=NOBODY, number="+13125550999", dial=None)


class TestTheList:
    def test_is_newest_first(self, cloud: Any) -> None:
        a_day_of_calls()

        answer = asks()

        assert sids(answer) == list("HGFEDCBA")
        assert answer[1]["cursor"] is None

    def test_of_a_clinic_without_calls_is_empty(self, cloud: Any) -> None:
        assert asks() == (200, {"calls": [], "cursor": None})

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ({"booked": "true"}, "A"),
            ({"booked": "false"}, "B"),
            ({"booked": "unknown"}, "HGFEDC"),
            ({"outcome": "answered"}, "GFCBA"),
            ({"outcome": "missed"}, "D"),
            ({"outcome": "in_progress"}, "E"),
            ({"outcome": "abandoned"}, "H"),
            ({"outcome": "voicemail"}, ""),
            ({"menuChoice": "1"}, "FDA"),
            ({"menuChoice": "2"}, "B"),
            ({"phoneNumber": LINE}, "HGFDBA"),
            ({"phoneNumber": "(312) 555-0141"}, "EC"),
            ({"summaryState": "ready"}, "CBA"),
            ({"summaryState": "pending"}, "F"),
            ({"summaryState": "failed"}, "G"),
            ({"summaryState": "none"}, "HED"),
            ({"from": "2026-11-09T16:34:00Z"}, "HGFE"),
            ({"to": "2026-11-09T16:34:00Z"}, "DCBA"),
            ({"from": "2026-11-09T17:34:00+01:00", "to": "2026-11-09T16:36:00.001Z"}, "GFE"),
            ({"from": "2026-11-09"}, "HGFEDCBA"),
            ({"from": "2026-11-09T16:34:00Z", "to": "2026-11-09T16:34:00Z"}, ""),
            ({"booked": "unknown", "menuChoice": "1"}, "FD"),
            ({"booked": "unknown", "summaryState": "ready"}, "C"),
            ({"summaryState": "ready", "phoneNumber": LINE, "outcome": "answered"}, "BA"),
            ({"outcome": "answered", "menuChoice": "1", "from": "2026-11-09T16:31:00Z"}, "F"),
            ({"booked": "true", "to": "2026-11-09T16:30:00Z"}, ""),
            ({"clinicId": CLINIC}, "HGFEDCBA"),
        ],
        ids=lambda value: "&".join(map("=".join, value.items())) if isinstance(value, dict) else "",
    )
    def test_is_filtered(self, cloud: Any, query: dict[str, str], expected: str) -> None:
        a_day_of_calls()

        answer = asks(query=query)

        assert sids(answer) == list(expected)

    def test_has_every_field_of_a_call_null_where_nothing_is_known(self, cloud: Any) -> None:
        stored("E", dial=None, status="in-progress", duration=None)

        (item,) = asks()[1]["calls"]

        assert item == {
            "callSid": "E",
            "customerId": CLINIC,
            "twilioPhoneNumber": LINE,
            "to": LINE,
            "status": "in-progress",
            "startedAt": "2026-11-09T16:30:00.000Z",
            "summaryReady": False,
            "summaryState": "none",
            "summaryReason": "in_progress",
            "outcome": "in_progress",
            **dict.fromkeys(["from", "dialCallStatus", "duration", "menuChoice", "answeredAt"]),
            **dict.fromkeys(["endedAt", "recordingSid", "recordingUrl", "recordingStatus"]),
            **dict.fromkeys(["recordingDuration", "transcriptSid", "summaryText", "booking"]),
            **dict.fromkeys(["appointmentBooked", "callerName", "fromCity", "fromState"]),
            **dict.fromkeys(["fromZip", "fromCountry", "forwardedTo", "price", "priceUnit"]),
        }

    @pytest.mark.parametrize(
        ("query", "field"),
        [
            ({"limit": "0"}, "limit"),
            ({"limit": "101"}, "limit"),
            ({"limit": "-1"}, "limit"),
            ({"limit": "many"}, "limit"),
            ({"limit": ""}, "limit"),
            ({"from": "yesterday"}, "from"),
            ({"from": "0001-01-01T00:00:00+14:00"}, "from"),
            ({"to": "1795356000"}, "to"),
            ({"to": "9999-12-31T23:59:59-14:00"}, "to"),
            ({"from": "2026-11-09T16:31:00Z", "to": "2026-11-09T16:30:00Z"}, "to"),
            ({"booked": "yes"}, "booked"),
            ({"outcome": "lost"}, "outcome"),
            ({"menuChoice": "3"}, "menuChoice"),
            ({"summaryState": "done"}, "summaryState"),
            ({"page": "2"}, "page"),
            ({"cursor": "not a cursor"}, "cursor"),
            ({"cursor": ""}, "cursor"),
            ({"cursor": "ä"}, "cursor"),
        ],
        ids=str,
    )
    def test_bad_input_is_400_and_names_the_field(
        self, cloud: Any, query: dict[str, str], field: str
    ) -> None:
        status, problem = asks(query=query)

        assert (status, problem["field"]) == (400, field)
        assert problem["detail"]

    @pytest.mark.parametrize("query", [{"from": "0001-01-01"}, {"to": "0001-01-01T00:00:00Z"}])
    def test_the_ends_of_time_are_instants_too(self, cloud: Any, query: dict[str, str]) -> None:
        assert asks(query=query)[0] == 200

    @pytest.mark.parametrize(("limit", "shown"), [("1", 1), ("100", 27), (None, 25)])
    def test_is_cut_at_the_limit(self, cloud: Any, limit: str | None, shown: int) -> None:
        for n in range(27):
            stored(f"call-{n}", f"2026-11-09T16:00:00.{n:03}Z")

        answer = asks(query={"limit": limit} if limit else {})

        assert len(sids(answer)) == shown
        assert (answer[1]["cursor"] is None) == (shown == 27)


class TestPages:
    def test_go_on_where_the_one_before_ended(self, cloud: Any) -> None:
        a_day_of_calls()

        pages = self.all_pages({"limit": "3"})

        assert pages == [list("HGF"), list("EDC"), list("BA")]

    def test_end_without_an_empty_one(self, cloud: Any) -> None:
        a_day_of_calls()

        assert self.all_pages({"limit": "4"}) == [list("HGFE"), list("DCBA")]

    def test_of_calls_that_began_in_the_same_instant_show_each_once(self, cloud: Any) -> None:
        for n in range(7):
            stored(f"call-{n}")

        pages = self.all_pages({"limit": "2"})

        assert [len(page) for page in pages] == [2, 2, 2, 1]
        assert len({sid for page in pages for sid in page}) == 7

    def test_are_filled_to_the_limit_under_a_filter(self, cloud: Any) -> None:
        a_summary_of_much = "x" * 30_000  # A megabyte is all that DynamoDB reads at once.
        for n in range(60):
            stored(
                f"call-{n}",
                f"2026-11-09T16:00:{n:02}.000Z",
                menu="1" if n % 8 == 0 else "2",
                summaryText=a_summary_of_much,
            )

        pages = self.all_pages({"menuChoice": "1", "limit": "3"})

        assert pages == [
            ["call-56", "call-48", "call-40"],
            ["call-32", "call-24", "call-16"],
            ["call-8", "call-0"],
        ]

    def test_stay_the_same_when_new_calls_come_in(self, cloud: Any) -> None:
        a_day_of_calls()
        _, first = asks(query={"limit": "4"})
        stored("I", "2026-11-09T16:38:00.000Z")

        answer = asks(query={"limit": "4", "cursor": first["cursor"]})

        assert sids(answer) == list("DCBA")

    @pytest.mark.parametrize(
        "other",
        [
            {"booked": "unknown"},
            {"from": "2026-11-09T16:30:00Z"},
            {"phoneNumber": LINE},
            {"summaryState": "none"},
        ],
        ids=str,
    )
    def test_of_another_query_are_refused(self, cloud: Any, other: dict[str, str]) -> None:
        a_day_of_calls()
        _, first = asks(query={"limit": "4"})

        status, problem = asks(query={"limit": "4", "cursor": first["cursor"]} | other)

        assert (status, problem["field"]) == (400, "cursor")

    def test_of_another_clinic_are_refused(self, cloud: Any) -> None:
        a_day_of_calls()
        _, first = asks(query={"limit": "4"})

        status, problem = asks(query={"limit": "4", "cursor": first["cursor"]}, clinic_id="hilltop")

        assert (status, problem["field"]) == (400, "cursor")

    def test_with_any_character_altered_are_refused(self, cloud: Any) -> None:
        a_day_of_calls()
        cursor = asks(query={"limit": "4"})[1]["cursor"]
        altered = [
            *(cursor[:n] + ("A" if cursor[n] != "A" else "B") + cursor[n + 1 :] for n in (0, 40)),
            *(cursor.rstrip("=")[:-1] + letter for letter in "AQgw"),
            *(cursor + more for more in ("A", "!", "=")),
            cursor[:-4],
            cursor[4:],
        ]

        answers = [asks(query={"limit": "4", "cursor": c}) for c in altered if c != cursor]

        assert {(status, problem["field"]) for status, problem in answers} == {(400, "cursor")}

    def all_pages(self, query: dict[str, str]) -> list[list[str]]:
        pages, cursor = [], None
        while True:
            answer = asks(query=query | ({"cursor": cursor} if cursor else {}))
            pages.append(sids(answer))
            cursor = answer[1]["cursor"]
            if cursor is None:
                return pages


class TestWhoMayAsk:
    def test_a_clinic_sees_no_other_clinics_calls(self, cloud: Any) -> None:
        a_day_of_calls()

        assert sids(asks(clinic_id="hilltop")) == ["X"]

    def test_an_admin_names_the_clinic(self, cloud: Any) -> None:
        a_day_of_calls()
        hilltop = {"clinicId": "hilltop"}

        listed = asks(LIST, hilltop, groups="[admin]", clinic_id=None)
        _, counted = asks(STATS, hilltop, groups="[admin]", clinic_id=None)

        assert sids(listed) == ["X"]
        assert counted["calls"] == 1

    def test_an_admin_sees_calls_to_unknown_numbers(self, cloud: Any) -> None:
        a_day_of_calls()

        answer = asks(query={"clinicId": "none"}, groups="[admin]", clinic_id=None)

        assert sids(answer) == ["N"]
        assert answer[1]["calls"][0]["outcome"] == "unknown_number"

    @pytest.mark.parametrize("path", [LIST, STATS])
    @pytest.mark.parametrize("query", [{}, {"clinicId": ""}], ids=str)
    def test_an_admin_who_names_no_clinic_gets_400(
        self, cloud: Any, path: str, query: dict[str, str]
    ) -> None:
        status, problem = asks(path, query, groups="[admin]", clinic_id=None)

        assert (status, problem["field"]) == (400, "clinicId")

    @pytest.mark.parametrize(
        "who",
        [
            {"token_use": "access"},
            {"groups": ""},
            {"groups": "[patients]"},
            {"clinic_id": None},
        ],
        ids=["access token", "no group", "another group", "no clinic"],
    )
    def test_others_get_403(self, cloud: Any, who: dict[str, Any]) -> None:
        stored("A")

        for path in (LIST, STATS, *(f"{LIST}/A{more}" for more in ONE_CALL)):
            status, problem = asks(path, **who)

            assert (status, problem["status"]) == (403, 403), path

    @pytest.mark.parametrize("named", ["hilltop", "none"])
    def test_a_customer_who_names_another_clinic_gets_403(self, cloud: Any, named: str) -> None:
        assert asks(query={"clinicId": named})[0] == 403

    @pytest.mark.parametrize("more", ONE_CALL)
    def test_another_clinics_call_is_like_one_that_does_not_exist(
        self, cloud: Any, more: str
    ) -> None:
        stored("A")

        theirs = asks(f"{LIST}/A{more}", clinic_id="hilltop")
        nobodys = asks(f"{LIST}/B{more}", clinic_id="hilltop")

        assert theirs[0] == 404
        assert theirs[1] | {"detail": theirs[1]["detail"].replace("A", "B")} == nobodys[1]

    @pytest.mark.parametrize("query", [{}, {"clinicId": CLINIC}])
    def test_an_admin_reads_any_call(self, cloud: Any, query: dict[str, str]) -> None:
        stored("A")

        status, answer = asks(f"{LIST}/A", query, groups="[admin]", clinic_id=None)

        assert (status, answer["callSid"]) == (200, "A")

    def test_an_address_that_does_not_exist_is_404(self, cloud: Any) -> None:
        assert asks(f"{LIST}/A/audio")[0] == 404


class TestOneCall:
    def test_has_its_fields_and_its_timeline(self, cloud: Any) -> None:
        connected_line()
        twilio_sends("incoming_call")
        twilio_sends("call_status")
        twilio_sends("dial_finished")
        for status, n, second in (("ringing", "1", 4), ("in-progress", "2", 18)):
            twilio_sends(
                "call_status",
                ParentCallSid=CALL_SID,
                CallSid=LEG_SID,
                To=CLINIC_PHONE,
                CallStatus=status,
                SequenceNumber=n,
                Timestamp=f"Mon, 09 Nov 2026 16:30:{second:02} +0000",
            )
        twilio_sends("recording_ready")

        answered, answer = asks(f"{LIST}/{CALL_SID}")

        assert answered == 200
        shown = {
            name: answer[name]
            for name in ("callSid", "customerId", "from", "to", "status", "dialCallStatus")
        }
        assert shown == {
            "callSid": CALL_SID,
            "customerId": CLINIC,
            "from": CALLER,
            "to": LINE,
            "status": "completed",
            "dialCallStatus": "answered",
        }
        assert answer["forwardedTo"] == CLINIC_PHONE
        assert answer["answeredAt"] == "2026-11-09T16:30:18.000Z"
        assert (answer["outcome"], answer["duration"]) == ("answered", 178)
        assert (answer["callerName"], answer["fromCity"]) == ("RIVERA ELENA", "EVANSTON")
        assert answer["recordingSid"] == RECORDING_SID
        rings = [step for step in answer["timeline"] if step["event"] == "clinic's telephone"]
        assert rings == [
            {"at": "2026-11-09T16:30:04.000Z", "event": "clinic's telephone", "detail": "ringing"},
            {
                "at": "2026-11-09T16:30:18.000Z",
                "event": "clinic's telephone",
                "detail": "in-progress",
            },
        ]
        steps = [(step["event"], step.get("detail")) for step in answer["timeline"]]
        assert ("called", None) in steps
        assert ("dial finished", "completed") in steps
        assert ("call", "completed") in steps
        assert ("recording", "completed") in steps
        moments = [step["at"] for step in answer["timeline"]]
        assert moments == sorted(moments)


def transcribed_at(twilio: TwilioServer) -> None:
    """The call is recorded, and the transcript of it ordered."""
    twilio.carried(CALL_SID, SCRIPT)
    twilio.recorded(CALL_SID, RECORDING_SID)
    form = {
        "ServiceSid": SERVICE_SID,
        "Channel": json.dumps({"media_properties": {"source_sid": RECORDING_SID}}),
        "CustomerKey": CALL_SID,
    }
    auth = (twilio.account.sid, twilio.account.auth_token)
    answer = requests.post(f"{twilio.url}/v2/Transcripts", data=form, auth=auth, timeout=5)
    stored(CALL_SID, awaits=("summary",), transcriptSid=answer.json()["sid"])


class TestTheSummary:
    @pytest.fixture
    def transcribed(self, cloud: Any, twilio: TwilioServer) -> TwilioServer:
        """A recorded call of the clinic, and its transcript at Twilio."""
        transcribed_at(twilio)
        twilio.finished(stored_call(cloud)["transcriptSid"])
        return twilio

    @pytest.mark.parametrize(
        ("call", "state", "reason"),
        [
            ({"summaryText": "Booked.", "booking": judged(True)}, "ready", None),
            ({"awaits": ("summary",)}, "pending", None),
            ({"summaryFailure": "gave_up"}, "failed", "gave_up"),
            ({"summaryFailure": "transcript_failed"}, "failed", "transcript_failed"),
            ({}, "none", "not_recorded"),
            ({"status": "ringing", "dial": None}, "none", "in_progress"),
        ],
        ids=["ready", "pending", "given up", "transcript failed", "not recorded", "in progress"],
    )
    def test_has_one_of_four_states(
        self, cloud: Any, call: dict[str, Any], state: str, reason: str | None
    ) -> None:
        stored("A", **call)

        answer = asks(f"{LIST}/A/summary")

        assert answer == (
            200,
            {
                "callSid": "A",
                "summaryReady": state == "ready",
                "summaryState": state,
                "summaryText": call.get("summaryText"),
                "reason": reason,
                "appointmentBooked": True if "booking" in call else None,
                "booking": call.get("booking"),
            },
        )

    @pytest.mark.parametrize("status", ["absent", "failed"])
    def test_is_none_where_nothing_was_recorded(self, cloud: Any, status: str) -> None:
        connected_line()
        twilio_sends("incoming_call")
        twilio_sends("call_status")
        twilio_sends("recording_ready", RecordingStatus=status, RecordingDuration=None)

        _, answer = asks(f"{LIST}/{CALL_SID}/summary")

        assert (answer["summaryState"], answer["reason"]) == ("none", f"recording_{status}")

    def test_is_none_where_transcription_is_off(self, cloud: Any) -> None:
        connected_line()
        twilio_sends("incoming_call")
        twilio_sends("call_status")
        twilio_sends("recording_ready")

        _, answer = asks(f"{LIST}/{CALL_SID}/summary")

        assert (answer["summaryState"], answer["reason"]) == ("none", "transcription_off")

    def test_is_fetched_now_when_there_is_a_transcript(self, transcribed: TwilioServer) -> None:
        status, answer = asks(f"{LIST}/{CALL_SID}/summary")

        assert (status, answer["summaryState"]) == (200, "ready")
        assert answer["summaryText"] == "The caller booked a cleaning on Tuesday at 9:00."
        assert answer["booking"]["engine"] == booking.ENGINE
        assert asks(f"{LIST}/{CALL_SID}")[1]["summaryReady"] is True

    def test_is_fetched_once(self, transcribed: TwilioServer) -> None:
        first = asks(f"{LIST}/{CALL_SID}/summary")
        asked = len(transcribed.asked)

        assert asks(f"{LIST}/{CALL_SID}/summary") == first
        assert len(transcribed.asked) == asked

    def test_is_still_pending_while_twilio_works(self, twilio: TwilioServer) -> None:
        twilio.transcripts_take_for_ever()
        transcribed_at(twilio)

        status, answer = asks(f"{LIST}/{CALL_SID}/summary")

        assert (status, answer["summaryState"]) == (200, "pending")

    @pytest.mark.parametrize("down", [400, 404, 429, 503])
    def test_is_the_stored_state_when_twilio_fails(
        self, transcribed: TwilioServer, down: int
    ) -> None:
        transcribed.fails("GET", "/OperatorResults", down, times=3)

        status, answer = asks(f"{LIST}/{CALL_SID}/summary")

        assert (status, answer["summaryState"], answer["summaryText"]) == (200, "pending", None)

    def test_failed_once_is_ready_when_it_can_be_fetched_after_all(
        self, transcribed: TwilioServer
    ) -> None:
        call_store.finish(CALL_SID, summaryFailure="gave_up")

        _, answer = asks(f"{LIST}/{CALL_SID}/summary")

        assert (answer["summaryState"], answer["reason"]) == ("ready", None)

    def test_by_an_older_engine_is_judged_again_and_stored(self, transcribed: TwilioServer) -> None:
        _, made = asks(f"{LIST}/{CALL_SID}/summary")
        call_store.finish(CALL_SID, booking=judged(None) | {"engine": "rules-0"})

        _, answer = asks(f"{LIST}/{CALL_SID}/summary")

        assert answer == made
        assert call_store.get(CALL_SID) is not None
        assert asks(f"{LIST}/{CALL_SID}")[1]["booking"] == made["booking"]
        assert sids(asks(query={"booked": str(made["appointmentBooked"]).lower()})) == [CALL_SID]

    def test_by_todays_engine_is_left_alone(self, cloud: Any) -> None:
        stored("A", summaryText="Booked.", booking=judged(False))
        before = stored_call(cloud, "A")

        asks(f"{LIST}/A/summary")

        assert stored_call(cloud, "A") == before


class TestTheTranscript:
    def test_is_that_of_the_recording(self, cloud: Any) -> None:
        turns = [{"speaker": "caller", "text": "Hello?", "start": 0.5, "end": 1.25}]
        key = archive.put_transcript(CLINIC, "A", "GT1", {"turns": turns, "operatorResults": []})
        stored("A", transcriptKey=key)

        answer = asks(f"{LIST}/A/transcript")

        assert answer == (200, {"callSid": "A", "source": "ci", "turns": turns})

    def test_is_what_was_heard_live_in_order_and_once(self, cloud: Any) -> None:
        connected_line()
        twilio_sends("incoming_call")
        twilio_sends("live_transcript", TranscriptionEvent="transcription-started", SequenceId="1")
        for n, track, said in (
            (10, "inbound_track", "Goodbye."),
            (9, "outbound_track", "You are booked."),
            (2, "inbound_track", "Is Tuesday free?"),
            (2, "inbound_track", "Is Tuesday free?"),
        ):
            twilio_sends(
                "live_transcript",
                SequenceId=str(n),
                Track=track,
                TranscriptionData=json.dumps({"transcript": said}),
                Timestamp=f"2026-11-22T14:00:{n:02}.500Z",
            )
        twilio_sends(
            "live_transcript",
            SequenceId="3",
            Final="false",
            TranscriptionData='{"transcript": "Is Tues"}',
        )

        status, answer = asks(f"{LIST}/{CALL_SID}/transcript")

        assert (status, answer["source"]) == (200, "live")
        assert [(turn["speaker"], turn["text"]) for turn in answer["turns"]] == [
            ("caller", "Is Tuesday free?"),
            ("agent", "You are booked."),
            ("caller", "Goodbye."),
        ]
        assert [turn.keys() for turn in answer["turns"]] == [
            {"speaker", "text", "start", "end"}
        ] * 3

    def test_is_404_where_nothing_was_said(self, cloud: Any) -> None:
        stored("A")

        status, problem = asks(f"{LIST}/A/transcript")

        assert (status, problem["title"]) == (404, "No transcript")


class TestTheRecording:
    def test_is_a_link_to_the_copy(self, cloud: Any) -> None:
        key = archive.put_audio(CLINIC, CALL_SID, "RE1", b"mp3 with two channels")
        connected_line()
        twilio_sends("recording_ready")
        twilio_sends("incoming_call")
        call_store.finish(CALL_SID, audioKey=key)

        status, answer = asks(f"{LIST}/{CALL_SID}/recording")

        assert status == 200
        assert answer.keys() == {"url", "expiresAt", "contentType", "duration"}
        assert (answer["contentType"], answer["duration"]) == ("audio/mpeg", 163)
        assert requests.get(answer["url"], timeout=5).content == b"mp3 with two channels"

    def test_has_a_signature_of_version_4_at_the_regional_endpoint(self, cloud: Any) -> None:
        stored("A", audioKey="some/key.mp3")

        url = urlsplit(asks(f"{LIST}/A/recording")[1]["url"])

        signed = parse_qs(url.query)
        assert url.hostname == "files.s3.eu-west-1.amazonaws.com"
        assert signed["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"]
        assert "/eu-west-1/s3/aws4_request" in signed["X-Amz-Credential"][0]
        assert signed["X-Amz-Expires"] == ["900"]

    @pytest.mark.parametrize("status", ["in-progress", "completed"])
    def test_is_409_while_it_is_made_and_copied(self, cloud: Any, status: str) -> None:
        connected_line()
        twilio_sends("incoming_call")
        twilio_sends("recording_ready", RecordingStatus=status)

        answered, problem = asks(f"{LIST}/{CALL_SID}/recording")

        assert (answered, problem["title"]) == (409, "Not copied yet")

    def test_is_404_where_there_is_none(self, cloud: Any) -> None:
        connected_line()
        twilio_sends("incoming_call")
        twilio_sends("recording_ready", RecordingStatus="absent", RecordingDuration=None)

        assert asks(f"{LIST}/{CALL_SID}/recording")[0] == 404

    def test_is_404_when_the_copy_was_given_up(self, cloud: Any) -> None:
        stored("A", awaits=("audio",), audioFailure="gave_up")

        assert asks(f"{LIST}/A/recording")[0] == 404


class TestStats:
    def test_count_the_clinics_calls(self, cloud: Any) -> None:
        a_day_of_calls()

        answer = asks(STATS)

        assert answer == (
            200,
            {
                "calls": 8,
                "byOutcome": {
                    "in_progress": 1,
                    "answered": 5,
                    "missed": 1,
                    "voicemail": 0,
                    "abandoned": 1,
                    "failed": 0,
                    "unknown_number": 0,
                },
                "booked": 1,
                "notBooked": 1,
                "unknown": 6,
                "averageDuration": 42.0,
                "newPatients": 3,
                "existingPatients": 1,
            },
        )

    def test_count_a_period(self, cloud: Any) -> None:
        a_day_of_calls()

        _, answer = asks(STATS, {"from": "2026-11-09T16:31:00Z", "to": "2026-11-09T16:34:00Z"})

        assert (answer["calls"], answer["booked"], answer["notBooked"]) == (3, 0, 1)

    def test_of_nothing_are_zeros(self, cloud: Any) -> None:
        _, answer = asks(STATS)

        assert (answer["calls"], answer["averageDuration"]) == (0, None)

    @pytest.mark.parametrize("query", [{"from": "yesterday"}, {"limit": "5"}], ids=str)
    def test_bad_input_is_400(self, cloud: Any, query: dict[str, str]) -> None:
        status, problem = asks(STATS, query)

        assert (status, problem["field"]) == (400, next(iter(query)))


def test_a_transcript_sid_alone_is_no_key_to_the_call(cloud: Any) -> None:
    stored("A", transcriptSid=TRANSCRIPT_SID)

    assert asks(f"{LIST}/{TRANSCRIPT_SID}")[0] == 404
