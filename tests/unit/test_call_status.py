"""Twilio reports how a call and its legs are going: the log follows, whatever the order."""

from typing import Any

import pytest

from tests.unit.signed import call
from tests.unit.twilio_side import (
    CALL_SID,
    CALLER,
    CLINIC,
    CLINIC_PHONE,
    LEG_SID,
    LINE,
    connected_line,
    queued,
    sample,
    stored_call,
    stored_calls,
    twilio_sends,
)

CLINICS_LEG: dict[str, str | None] = {
    "CallSid": LEG_SID,
    "ParentCallSid": CALL_SID,
    "From": LINE,
    "To": CLINIC_PHONE,
    "Direction": "outbound-dial",
    "CallerName": None,
    "FromCity": "CHICAGO",
    "CallDuration": None,
    "Duration": None,
}
RECEIVED_AT = "2026-11-09T16:33:03.342Z"
SECONDS = {"initiated": "06", "ringing": "07", "in-progress": "15", "completed": "59"}


def leg_says(status: str, **changes: str | None) -> dict[str, Any]:
    """The answer to a callback of the clinic's leg."""
    at = f"Mon, 09 Nov 2026 16:30:{SECONDS.get(status, '36')} +0000"
    sequence = str(list(SECONDS).index(status)) if status in SECONDS else "2"
    said = CLINICS_LEG | {"CallStatus": status, "Timestamp": at, "SequenceNumber": sequence}
    return twilio_sends("call_status", **said | changes)


class TestTheEndOfACall:
    def test_is_logged_with_its_length_and_its_time(self, cloud: Any) -> None:
        connected_line()

        answered = call("call_status", sample("call_status"))

        assert answered == {"statusCode": 204}
        expected = {
            "customerId": CLINIC,
            "twilioPhoneNumber": LINE,
            "from": CALLER,
            "status": "completed",
            "duration": 178,
            "endedAt": "2026-11-09T16:33:03.000Z",
        }
        assert stored_call(cloud).items() >= expected.items()

    @pytest.mark.parametrize(
        ("status", "outcome"),
        [
            ("completed", "abandoned"),
            ("busy", "abandoned"),
            ("no-answer", "abandoned"),
            ("canceled", "abandoned"),
            ("failed", "failed"),
        ],
    )
    def test_is_final_whichever_it_is(self, cloud: Any, status: str, outcome: str) -> None:
        connected_line()

        twilio_sends("call_status", CallStatus=status, CallDuration="0")

        stored = stored_call(cloud)
        assert (stored["status"], stored["outcome"]) == (status, outcome)
        assert stored["duration"] == 0

    def test_has_its_price_fetched_a_while_later(self, cloud: Any) -> None:
        connected_line()

        call("call_status", sample("call_status"))

        (work,) = queued(cloud)
        assert (work["kind"], work["call_sid"], work["delay"]) == ("fetch_price", CALL_SID, 30)

    def test_is_not_undone_by_a_late_word_of_its_beginning(self, cloud: Any) -> None:
        connected_line()

        call("call_status", sample("call_status"))
        call("incoming_call", sample("incoming_call"))

        stored = stored_call(cloud)
        assert stored["status"] == "completed"
        assert stored["startedAt"] == "2026-11-09T16:30:05.214Z"

    def test_may_overtake_the_end_of_the_dial(self, cloud: Any) -> None:
        connected_line()

        call("call_status", sample("call_status"))
        twilio_sends("dial_finished", CallStatus="in-progress")

        stored = stored_call(cloud)
        assert (stored["status"], stored["outcome"]) == ("completed", "answered")

    def test_is_logged_for_a_number_that_nobody_owns(self, cloud: Any) -> None:
        answered = call("call_status", sample("call_status"))

        assert answered == {"statusCode": 204}
        stored = stored_call(cloud)
        assert (stored["customerId"], stored["outcome"]) == ("none", "unknown_number")

    @pytest.mark.parametrize("caller", ["anonymous", "Anonymous", "unknown"])
    def test_is_logged_for_a_withheld_caller(self, cloud: Any, caller: str) -> None:
        connected_line()

        twilio_sends("call_status", From=caller, Caller=caller)

        assert stored_call(cloud)["from"] == caller

    def test_needs_no_time_stamp(self, cloud: Any) -> None:
        connected_line()

        twilio_sends("call_status", Timestamp=None)

        assert stored_call(cloud)["endedAt"] == RECEIVED_AT


class TestTheClinicsLeg:
    def test_adds_to_the_patients_call_and_is_no_call_of_its_own(self, cloud: Any) -> None:
        connected_line()
        call("incoming_call", sample("incoming_call"))

        answers = [leg_says(status) for status in SECONDS]

        assert answers == [{"statusCode": 204}] * 4
        assert stored_calls(cloud) == [CALL_SID]
        expected = {
            "from": CALLER,
            "to": LINE,
            "fromCity": "EVANSTON",
            "status": "ringing",
            "forwardedTo": CLINIC_PHONE,
            "dialCallSid": LEG_SID,
            "answeredAt": "2026-11-09T16:30:15.000Z",
        }
        assert stored_call(cloud).items() >= expected.items()

    @pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 2, 1, 0), (2, 0, 3, 1), (1, 3, 0, 2)])
    def test_tells_the_same_in_any_order(self, cloud: Any, order: tuple[int, ...]) -> None:
        connected_line()

        for place in order:
            leg_says(list(SECONDS)[place])

        stored = stored_call(cloud)
        assert stored["dialCallStatus"] == "answered"
        assert stored["answeredAt"] == "2026-11-09T16:30:15.000Z"
        assert stored["startedAt"] == "2026-11-09T16:30:06.000Z"

    @pytest.mark.parametrize("end", ["busy", "no-answer", "failed", "canceled"])
    def test_tells_how_the_dial_ended_when_the_dials_own_word_is_lost(
        self, cloud: Any, end: str
    ) -> None:
        connected_line()

        leg_says(end)
        leg_says("ringing")

        assert stored_call(cloud)["dialCallStatus"] == end
        assert "answeredAt" not in stored_call(cloud)

    def test_does_not_contradict_the_dials_own_word(self, cloud: Any) -> None:
        connected_line()

        leg_says("completed")
        leg_says("in-progress")
        twilio_sends("dial_finished", DialCallStatus="completed", DialBridged="false")

        assert stored_call(cloud)["dialCallStatus"] == "no-answer"

    def test_has_no_price_fetched_for_it(self, cloud: Any) -> None:
        connected_line()

        leg_says("completed", CallDuration="44")

        assert queued(cloud) == []
        assert "duration" not in stored_call(cloud)


class TestBadInput:
    @pytest.mark.parametrize("parent", [None, CALL_SID])
    @pytest.mark.parametrize("value", [None, ""])
    def test_that_names_no_call_is_refused(
        self, cloud: Any, parent: str | None, value: str | None
    ) -> None:
        answered = twilio_sends("call_status", CallSid=value, ParentCallSid=parent)

        assert answered["statusCode"] == 400
        assert "CallSid" in answered["body"]
        assert stored_calls(cloud) == []

    @pytest.mark.parametrize("length", ["", "long", "-1", None])
    def test_in_place_of_a_length_leaves_the_length_out(
        self, cloud: Any, length: str | None
    ) -> None:
        connected_line()

        answered = twilio_sends("call_status", CallDuration=length)

        assert answered == {"statusCode": 204}
        assert "duration" not in stored_call(cloud)

    def test_in_place_of_a_time_falls_back_to_the_time_of_receipt(self, cloud: Any) -> None:
        connected_line()

        twilio_sends("call_status", Timestamp="yesterday")

        assert stored_call(cloud)["endedAt"] == RECEIVED_AT
