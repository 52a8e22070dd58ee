"""A call's facts: the same in whatever order and however often they are told; and what they amount to."""

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calls import call as calls
from calls import call_store, facts, routes
from calls.call_store import Event
from tests.unit.twilio_side import (
    CALLER,
    CLINIC,
    CLINIC_PHONE,
    LEG_SID,
    LINE,
    MESSAGE_SID,
    RECORDING_SID,
    TRANSCRIPT_SID,
    connected_line,
    stored_call,
)

Said = tuple[str, str, dict[str, str]]

PATIENT = {"From": CALLER, "To": LINE, "Direction": "inbound", "FromCity": "EVANSTON"}


def at(second: int) -> str:
    return f"2026-11-09T16:30:{second:02}.250Z"


def stamp(second: int) -> str:
    return f"Mon, 09 Nov 2026 16:30:{second:02} +0000"


def answering(second: int, status: str, **more: str) -> Said:
    return routes.INCOMING, at(second), PATIENT | {"CallStatus": status} | more


def leg(second: int, status: str) -> Said:
    said = {"CallSid": LEG_SID, "ParentCallSid": "", "From": LINE, "To": CLINIC_PHONE}
    said |= {"CallStatus": status, "Timestamp": stamp(second), "Direction": "outbound-dial"}
    return routes.STATUS_CALLBACK, at(second + 1), said


def dialled(second: int, status: str, call_status: str = "in-progress", **more: str) -> Said:
    said = {"CallStatus": call_status, "DialCallStatus": status, "DialCallSid": LEG_SID}
    return routes.DIAL_STATUS, at(second), PATIENT | said | more


def recording(second: int, status: str, sid: str, source: str, **more: str) -> Said:
    said = {"RecordingSid": sid, "RecordingStatus": status, "RecordingSource": source}
    said |= {"RecordingUrl": f"https://api.example/{sid}", "RecordingStartTime": stamp(12)}
    return routes.RECORDING_STATUS, at(second), said | more


def ended(second: int, status: str, seconds: str) -> Said:
    said = {"CallStatus": status, "CallDuration": seconds, "Timestamp": stamp(second)}
    return routes.STATUS_CALLBACK, at(second + 1), PATIENT | said


def words(second: int, name: str) -> Said:
    said = {"TranscriptionEvent": "transcription-started", "TranscriptionSid": TRANSCRIPT_SID}
    return routes.TRANSCRIPTION, at(second), said | {"Name": name, "Timestamp": at(second)}


SEQUENCES: dict[str, list[Said]] = {
    "answered and recorded": [
        answering(0, "ringing"),
        leg(1, "initiated"),
        leg(2, "ringing"),
        words(3, "words"),
        leg(12, "in-progress"),
        recording(13, "in-progress", RECORDING_SID, "DialVerb"),
        leg(50, "completed"),
        dialled(51, "completed", DialBridged="true", DialCallDuration="38"),
        recording(53, "completed", RECORDING_SID, "DialVerb", RecordingDuration="38"),
        ended(52, "completed", "52"),
    ],
    "menu, silence, then 2": [
        answering(0, "ringing"),
        answering(6, "in-progress", Digits=""),
        answering(9, "in-progress", Digits="2"),
        words(10, "summarised"),
        leg(11, "ringing"),
        leg(14, "in-progress"),
        leg(40, "completed"),
        dialled(41, "completed", DialCallDuration="26"),
        ended(42, "completed", "42"),
    ],
    "busy, then voicemail": [
        answering(0, "ringing"),
        leg(1, "initiated"),
        leg(2, "busy"),
        dialled(3, "busy", "ringing", DialBridged="false"),
        recording(12, "in-progress", MESSAGE_SID, "RecordVerb"),
        (
            routes.VOICEMAIL,
            at(30),
            PATIENT | {"RecordingSid": MESSAGE_SID, "RecordingDuration": "18", "Digits": "hangup"},
        ),
        ended(31, "completed", "31"),
        recording(33, "completed", MESSAGE_SID, "RecordVerb", RecordingDuration="17"),
    ],
    "abandoned while it rang": [
        answering(0, "ringing"),
        leg(1, "initiated"),
        leg(2, "ringing"),
        dialled(9, "canceled", "completed", DialBridged="false"),
        leg(9, "canceled"),
        recording(10, "absent", RECORDING_SID, "DialVerb"),
        ended(9, "no-answer", "0"),
    ],
    "answered, and the dial said so before the leg": [
        dialled(20, "completed"),
        leg(5, "in-progress"),
        answering(4, "ringing"),
        recording(22, "absent", RECORDING_SID, "DialVerb"),
        recording(23, "completed", RECORDING_SID, "DialVerb", RecordingDuration="3"),
    ],
}
AMOUNTS_TO: dict[str, dict[str, Any]] = {
    "answered and recorded": {
        "outcome": "answered",
        "status": "completed",
        "duration": 52,
        "startedAt": at(0),
        "answeredAt": "2026-11-09T16:30:12.000Z",
        "recordingSid": RECORDING_SID,
        "recordingDuration": 38,
    },
    "menu, silence, then 2": {
        "outcome": "answered",
        "menuChoice": "2",
        "transcriptSid": TRANSCRIPT_SID,
        "summaryState": "pending",
        "forwardedTo": CLINIC_PHONE,
    },
    "busy, then voicemail": {
        "outcome": "voicemail",
        "dialCallStatus": "busy",
        "recordingSid": MESSAGE_SID,
        "recordingDuration": 17,
    },
    "abandoned while it rang": {
        "outcome": "abandoned",
        "status": "no-answer",
        "dialCallStatus": "canceled",
        "recordingStatus": "absent",
    },
    "answered, and the dial said so before the leg": {
        "outcome": "answered",
        "startedAt": at(4),
        "recordingStatus": "completed",
    },
}
numbers = itertools.count(1)


@st.composite
def arrivals(draw: st.DrawFn, events: int) -> list[int]:
    """The places of a call's webhooks in any order, each there once or more often."""
    repeated = draw(st.lists(st.integers(0, events - 1), max_size=4))
    return draw(st.permutations([*range(events), *repeated]))


def noted(sequence: list[Said], order: list[int]) -> str:
    """The SID of a new call of which Ringbook was told in this order."""
    call_sid = f"CA{next(numbers):032}"
    for place in order:
        route, received_at, said = sequence[place]
        parent = {"ParentCallSid": call_sid} if "ParentCallSid" in said else {"CallSid": call_sid}
        call_store.note(Event(call_sid, route, said | parent, received_at))
    return call_sid


def left_behind(cloud: Any, call_sid: str) -> dict[str, Any]:
    """What is stored of a call, but for its name and what may differ."""
    stored = stored_call(cloud, call_sid)
    return {k: v for k, v in stored.items() if k not in ("callSid", "version", "expiresAt")}


class TestTheSameWebhooks:
    @pytest.mark.parametrize("name", SEQUENCES)
    def test_leave_the_same_call_in_any_order_and_however_often(
        self, cloud: Any, name: str
    ) -> None:
        connected_line()
        sequence = SEQUENCES[name]
        expected = left_behind(cloud, noted(sequence, list(range(len(sequence)))))

        @settings(max_examples=8, deadline=None)
        @given(arrivals(len(sequence)))
        def in_any_order(order: list[int]) -> None:
            assert left_behind(cloud, noted(sequence, order)) == expected

        in_any_order()
        assert expected.items() >= (AMOUNTS_TO[name] | {"customerId": CLINIC}).items()

    @pytest.mark.parametrize("name", SEQUENCES)
    def test_leave_the_same_facts_in_any_order_and_however_often(self, name: str) -> None:
        sequence = SEQUENCES[name]
        expected = told(sequence, list(range(len(sequence))))

        @settings(max_examples=150, deadline=None)
        @given(arrivals(len(sequence)))
        def in_any_order(order: list[int]) -> None:
            assert told(sequence, order) == expected

        in_any_order()

    @pytest.mark.parametrize("name", SEQUENCES)
    def test_rebuild_the_call_from_what_was_kept_of_them(self, cloud: Any, name: str) -> None:
        connected_line()
        call_sid = noted(SEQUENCES[name], list(range(len(SEQUENCES[name]))))
        before = left_behind(cloud, call_sid)

        cloud.dynamodb.Table("CallLogsTable").delete_item(Key={"callSid": call_sid})
        for event in list(call_store.events_of(call_sid)):
            call_store.note(event)

        assert left_behind(cloud, call_sid) == before

    def test_may_be_merged_in_any_grouping(self) -> None:
        sequence = SEQUENCES["busy, then voicemail"]
        whole = told(sequence, list(range(len(sequence))))

        for cut in range(len(sequence)):
            first, second = told(sequence, list(range(cut))), told(sequence, list(range(cut, 8)))
            assert facts.merged(first, second) == facts.merged(second, first) == whole

    def test_told_by_two_functions_at_once_are_both_kept(self, cloud: Any) -> None:
        connected_line()
        call_sid = noted(SEQUENCES["abandoned while it rang"], [0])
        others = iter([{"audioKey": "a"}, {"price": "-0.01"}])

        def interrupted(call: calls.Call) -> calls.Call:
            for work in itertools.islice(others, 1):
                call_store.finish(call_sid, **work)
            return calls.with_work(call, transcriptSid=TRANSCRIPT_SID)

        call_store.change(call_sid, interrupted)

        work = stored_call(cloud, call_sid)["work"]
        kept = ("audioKey", "price", "transcriptSid")
        assert [work[name] for name in kept] == ["a", "-0.01", TRANSCRIPT_SID]


def told(sequence: list[Said], order: list[int]) -> facts.Facts:
    known: facts.Facts = {}
    for place in order:
        route, received_at, said = sequence[place]
        known = facts.merged(known, facts.facts_from(route, said, received_at))
    return known


class TestTwilioSays:
    @pytest.mark.parametrize(
        ("earlier", "later"),
        list(itertools.combinations(["queued", "initiated", "ringing", "in-progress", "busy"], 2)),
    )
    def test_a_status_that_only_moves_forward(self, earlier: str, later: str) -> None:
        first, second = facts.known("voice", status=later), facts.known("rest", status=earlier)

        assert facts.merged(first, second) == facts.merged(second, first) == first

    @pytest.mark.parametrize(
        ("weaker", "stronger"), list(itertools.combinations(["voice", "dial", "status", "rest"], 2))
    )
    def test_a_final_status_that_the_better_source_decides(
        self, weaker: str, stronger: str
    ) -> None:
        one = facts.known(weaker, status="completed")
        other = facts.known(stronger, status="busy")

        assert facts.merged(one, other) == facts.merged(other, one) == other

    @pytest.mark.parametrize(
        ("sources", "expected"),
        [
            (("voice", "leg"), at(5)),
            (("leg", "voice"), at(5)),
            (("webhook", "voice"), at(5)),
            (("leg", "rest"), at(9)),
        ],
    )
    def test_the_earliest_start_unless_its_own_list_knows_better(
        self, sources: tuple[str, str], expected: str
    ) -> None:
        one = facts.known(sources[0], startedAt=at(5))
        other = facts.known(sources[1], startedAt=at(9))

        assert facts.merged(one, other)["startedAt"]["value"] == expected
        assert facts.merged(other, one)["startedAt"]["value"] == expected

    def test_nothing_on_a_route_that_nobody_reads(self) -> None:
        assert facts.facts_from("/api/twilio/voice/unheard-of", {"CallSid": "CA1"}, at(0)) == {}


def call_with(
    *, owner: str = CLINIC, recordings: tuple[dict[str, Any], ...] = (), **values: Any
) -> calls.Call:
    """A call of which these facts are known."""
    known = facts.known("status", **values)
    for number, said in enumerate(recordings):
        fields = {name: {"value": value, "step": 0} for name, value in said.items()}
        known[f"recordings.RE{number}"] = {"value": fields, "source": "webhook"}
    return calls.with_work(calls.new("CA1"), customerId=owner) | {"facts": known}


def message(status: str = "completed", **more: Any) -> dict[str, Any]:
    return {"source": "RecordVerb", "status": status} | more


def outcomes() -> Iterator[Any]:
    over: dict[str, Any] = {"status": "completed"}
    yield "nothing is known", call_with(), "in_progress"
    yield "it rings", call_with(status="ringing"), "in_progress"
    yield "it is under way", call_with(status="in-progress"), "in_progress"
    yield "the clinic spoke", call_with(dialCallStatus="answered"), "answered"
    yield "the clinic spoke, over", call_with(**over, dialCallStatus="answered"), "answered"
    yield (
        "the dial says it against the leg",
        (call_with(**over, dialCallStatus="answered", legStatus="busy")),
        "answered",
    )
    yield (
        "the dial says no against the leg",
        (call_with(**over, dialCallStatus="no-answer", legStatus="completed", answeredAt=at(3))),
        "missed",
    )
    yield (
        "only the leg says it",
        (call_with(**over, legStatus="completed", answeredAt=at(3))),
        "answered",
    )
    yield (
        "the leg is still ringing",
        call_with(status="in-progress", legStatus="ringing"),
        ("in_progress"),
    )
    for dialled_as in ("busy", "no-answer", "failed"):
        yield f"{dialled_as}, over", call_with(**over, dialCallStatus=dialled_as), "missed"
        yield f"{dialled_as} leg, over", call_with(**over, legStatus=dialled_as), "missed"
        yield (
            f"{dialled_as}, still waiting",
            (call_with(status="in-progress", dialCallStatus=dialled_as)),
            "in_progress",
        )
    yield "hung up while it rang", call_with(**over, dialCallStatus="canceled"), "abandoned"
    yield "hung up in the menu", call_with(**over), "abandoned"
    yield "hung up before anything", call_with(status="no-answer"), "abandoned"
    yield "the call itself failed", call_with(status="failed"), "failed"
    yield (
        "a message after busy",
        (call_with(**over, dialCallStatus="busy", recordings=(message(duration=9),))),
        "voicemail",
    )
    yield (
        "a message, its length not known yet",
        (call_with(status="in-progress", recordings=(message("processing"),))),
        "voicemail",
    )
    yield (
        "a message of no length",
        (call_with(**over, dialCallStatus="busy", recordings=(message(duration=0),))),
        "missed",
    )
    yield (
        "a message that is absent",
        (call_with(**over, dialCallStatus="busy", recordings=(message("absent"),))),
        "missed",
    )
    yield (
        "a message being spoken",
        (
            call_with(
                status="in-progress", dialCallStatus="busy", recordings=(message("in-progress"),)
            )
        ),
        "in_progress",
    )
    yield (
        "a recording of the dial is no message",
        (
            call_with(
                **over,
                dialCallStatus="busy",
                recordings=({"source": "DialVerb", "status": "completed", "duration": 9},),
            )
        ),
        "missed",
    )
    yield "nobody's number", call_with(**over, owner="none"), "unknown_number"
    yield "nobody's number, ringing", call_with(status="ringing", owner="none"), "unknown_number"


@pytest.mark.parametrize(
    ("call", "outcome"), [pytest.param(call, end, id=case) for case, call, end in outcomes()]
)
def test_what_a_call_amounts_to(call: calls.Call, outcome: str) -> None:
    assert calls.outcome(call) == outcome


@settings(max_examples=150)
@given(
    status=st.sampled_from([None, "ringing", "in-progress", "completed", "failed", "no-answer"]),
    dialled_as=st.sampled_from([None, "answered", "busy", "no-answer", "failed", "canceled"]),
    leg_status=st.sampled_from([None, "initiated", "ringing", "in-progress", "completed", "busy"]),
    answered_at=st.sampled_from([None, at(3)]),
    owner=st.sampled_from([CLINIC, "none"]),
    message_status=st.sampled_from([None, "in-progress", "processing", "absent", "completed"]),
)
def test_a_call_always_amounts_to_one_of_seven_things(
    status: str | None,
    dialled_as: str | None,
    leg_status: str | None,
    answered_at: str | None,
    owner: str,
    message_status: str | None,
) -> None:
    call = call_with(
        owner=owner,
        recordings=(message(message_status),) if message_status else (),
        status=status,
        dialCallStatus=dialled_as,
        legStatus=leg_status,
        answeredAt=answered_at,
    )

    assert calls.outcome(call) in {
        "in_progress",
        "answered",
        "missed",
        "voicemail",
        "abandoned",
        "failed",
        "unknown_number",
    }
