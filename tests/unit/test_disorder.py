"""Whatever Twilio repeats and reorders, and however two workers meet: the same call, one transcript."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st

import summarize_call
from calls import call_store, instants, line_store, replaying, twilio_api, work_queue
from calls.aws import client, from_item, to_item
from calls.call_store import Contended
from calls.work_queue import Work
from tests.unit.side_by_side import Died, SideBySide
from tests.unit.signed import call
from tests.unit.tables import Tables
from tests.unit.true_calls import AMOUNTS_TO, CALLS, START, Told
from tests.unit.twilio_side import CALL_SID, CLINIC, LINE, RECORDING_SID, connected_line

FIRST_OWNER = "hilltop-dental"
LONG_AGO = "2026-01-05T08:00:00.000Z"
ALWAYS = ({"clinicId": CLINIC, "from": LONG_AGO, "to": None},)


def moved(second: float) -> tuple[dict[str, Any], ...]:
    """A number that changes hands while the call is on."""
    at = instants.iso(START + timedelta(seconds=second))
    first = {"clinicId": FIRST_OWNER, "from": LONG_AGO, "to": at}
    return first, {"clinicId": CLINIC, "from": at, "to": None}


OWNERS = {"one": ALWAYS, "moved in the menu": moved(5), "moved at the end": moved(45)}


class Cloud:
    """Tables and a queue, empty; workers that meet at the tables and at Twilio."""

    def __init__(self, exceptions: Any) -> None:
        self.exceptions = exceptions
        self.begins()

    def begins(
        self, schedule: Sequence[int] = (), deaths: dict[int, bool] | None = None
    ) -> "Cloud":
        self.workers = SideBySide(schedule, deaths)
        self.tables = Tables(self.exceptions, lambda made: self.workers.request(made))
        self.queue: list[dict[str, Any]] = []
        return self

    def send_message(self, *, QueueUrl: str, MessageBody: str, DelaySeconds: int) -> None:  # noqa: N803
        self.queue.append(json.loads(MessageBody))

    def received(self, *kinds: str) -> list[dict[str, Any]]:
        """The messages of these kinds; they are not on the queue any more."""
        received = [work for work in self.queue if work["kind"] in kinds]
        self.queue = [work for work in self.queue if work["kind"] not in kinds]
        return received

    def stored(self) -> dict[str, Any]:
        """The call without its version, which counts how often it was written."""
        item = from_item(self.tables.items["CallLogsTable"][CALL_SID,])
        return {name: value for name, value in item.items() if name != "version"}

    def loses_the_call(self) -> None:
        del self.tables.items["CallLogsTable"][CALL_SID,]


@pytest.fixture
def here(cloud: Any, monkeypatch: pytest.MonkeyPatch) -> Cloud:
    here = Cloud(cloud.dynamodb.meta.client.exceptions)
    for door in (call_store, line_store):
        monkeypatch.setattr(door, "client", lambda _: here.tables)
    monkeypatch.setattr(work_queue, "client", lambda _: here)
    monkeypatch.setattr(call_store, "time", SimpleNamespace(sleep=lambda _: None))
    return here


def performs(body: dict[str, Any]) -> None:
    summarize_call.handler({"Records": [{"body": json.dumps(body)}]}, None)


def works_off(here: Cloud) -> None:
    """The queue, but for what needs Twilio's answers."""
    for _ in range(10):
        for body in here.received("note", "decide_transcript"):
            performs(body)


def is_told(here: Cloud, *shares: Sequence[Told]) -> None:
    """Each share to a worker of its own; what failed is told again in the end, as Twilio does."""
    failed: list[Told] = []

    def tells(share: Sequence[Told]) -> None:
        for told in share:
            try:
                answer = call(told.function, told.event)
            except Contended:
                failed.append(told)
            else:
                assert answer["statusCode"] in (200, 204)

    raised = here.workers.run([lambda share=share: tells(share) for share in shares])  # type: ignore[misc]
    assert raised == [None] * len(shares)
    tells(list(failed))
    works_off(here)


def told_in_order(here: Cloud, name: str, owners: str) -> dict[str, Any]:
    """What is stored of a call when each webhook comes once and one after the other."""
    here.begins()
    line(owners)
    is_told(here, sorted(CALLS[name], key=lambda told: told.received))
    return here.stored()


def line(owners: str) -> None:
    connected_line(owners=OWNERS[owners], settings={"enableTranscription": True})


@st.composite
def arrivals(draw: st.DrawFn, name: str) -> tuple[list[Told], list[Told]]:
    """A call's webhooks in any order, some more than once, and by which of two workers."""
    true = CALLS[name]
    again = st.builds(Told.again, st.sampled_from(true), st.integers(1, 15))
    everything = draw(st.permutations(true + draw(st.lists(again, max_size=4))))
    by_first = draw(st.lists(st.booleans(), min_size=len(everything), max_size=len(everything)))
    return (
        [told for told, first in zip(everything, by_first, strict=True) if first],
        [told for told, first in zip(everything, by_first, strict=True) if not first],
    )


schedules = st.lists(st.integers(0, 1), max_size=120)


class TestACall:
    @pytest.mark.parametrize("name", CALLS)
    def test_is_the_same_whatever_comes_when_and_by_which_worker(
        self, here: Cloud, name: str
    ) -> None:
        expected = {owners: told_in_order(here, name, owners) for owners in OWNERS}

        @settings(max_examples=100, deadline=None, derandomize=True)
        @given(arrivals(name), schedules, st.sampled_from(list(OWNERS)))
        def in_any_order(
            shares: tuple[list[Told], list[Told]], schedule: list[int], owners: str
        ) -> None:
            here.begins(schedule)
            line(owners)

            is_told(here, *shares)

            assert here.stored() == expected[owners]
            assert replaying.replay_one(CALL_SID, apply=False)["changes"] == []
            here.loses_the_call()
            replaying.replay_one(CALL_SID, apply=True)
            assert here.stored() == expected[owners]

        in_any_order()

    @pytest.mark.parametrize("name", CALLS)
    def test_amounts_to_what_it_was(self, here: Cloud, name: str) -> None:
        stored = told_in_order(here, name, "one")

        assert (stored["outcome"], stored["summaryState"]) == AMOUNTS_TO[name]
        assert (stored["customerId"], stored["twilioPhoneNumber"]) == (CLINIC, LINE)
        assert stored["unsettled"] == "unsettled"  # its price at least is awaited

    @pytest.mark.parametrize(
        ("owners", "owner"), [("moved in the menu", FIRST_OWNER), ("moved at the end", FIRST_OWNER)]
    )
    def test_is_of_who_had_the_number_when_it_began(
        self, here: Cloud, owners: str, owner: str
    ) -> None:
        assert told_in_order(here, "a menu, silence, then 2", owners)["customerId"] == owner

    def test_began_when_the_first_of_its_repetitions_was_received(self, here: Cloud) -> None:
        first, *_ = CALLS["a menu, silence, then 2"]
        line("one")

        is_told(here, [first.again(4.5), first, first.again(9)])

        assert here.stored()["startedAt"] == "2026-11-09T16:30:00.350Z"

    def test_of_a_line_that_is_not_transcribed_awaits_no_transcript(self, here: Cloud) -> None:
        def connected(*, transcribed: bool) -> None:
            connected_line(owners=ALWAYS, settings={"enableTranscription": transcribed})

        *others, recorded = CALLS["the fallback took a message"]
        for transcribed, state in ((False, "none"), (True, "pending")):
            here.begins()
            connected(transcribed=transcribed)

            is_told(here, [recorded, *others])

            assert here.stored()["summaryState"] == state
            assert len(here.received("order_transcript")) == int(transcribed)


class TwilioInMemory:
    """Conversational Intelligence; it would make as many transcripts of a recording as are ordered."""

    def __init__(self, here: Cloud) -> None:
        self.here = here
        self.made: list[str] = []

    def order_transcript(self, recording_sid: str, call_sid: str, participants: Any) -> str:
        return str(self.here.workers.request(self._made))

    def transcript_of(self, recording_sid: str) -> str | None:
        return self.here.workers.request(lambda: next(iter(self.made), None))

    def _made(self) -> str:
        self.made.append(f"GT{len(self.made):032}")
        return self.made[-1]


class TestARecording:
    """Workers meet in rounds, as the queue hands messages out: one that died is handed out again
    when it has been hidden for six minutes, in which every other worker has ended."""

    @pytest.fixture
    def twilio(self, here: Cloud, monkeypatch: pytest.MonkeyPatch) -> TwilioInMemory:
        twilio = TwilioInMemory(here)
        for name in ("order_transcript", "transcript_of"):
            monkeypatch.setattr(twilio_api, name, getattr(twilio, name))
        return twilio

    def test_has_one_transcript_whoever_meets_and_dies(
        self, here: Cloud, twilio: TwilioInMemory, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        now = [START]
        monkeypatch.setattr(instants, "now", lambda: instants.iso(now[0]))
        order = asdict(Work("order_transcript", CALL_SID, RECORDING_SID, since=instants.now()))

        @settings(max_examples=250, deadline=None, derandomize=True)
        @given(
            st.integers(1, 3),
            schedules,
            st.dictionaries(st.integers(0, 30), st.booleans(), max_size=5),
        )
        def in_any_order(times: int, schedule: list[int], deaths: dict[int, bool]) -> None:
            here.begins(schedule, deaths)
            twilio.made.clear()
            line("one")
            tell_of_the_recording()

            messages = [order] * times
            for _ in range(20):
                raised = here.workers.run([lambda body=body: performs(body) for body in messages])  # type: ignore[misc]
                assert {type(error) for error in raised} <= {Died, type(None)}
                died = [body for body, error in zip(messages, raised, strict=True) if error]
                messages = died + here.received("order_transcript")
                now[0] += timedelta(seconds=360)

            assert messages == []
            assert len(twilio.made) == 1
            assert here.stored()["transcriptSid"] == twilio.made[0]

        def tell_of_the_recording() -> None:
            call_store.expect(CALL_SID, "summary")

        in_any_order()


class TestTheTablesOfTheseTests:
    """They answer as moto's do, of which moto's authors say that they answer as DynamoDB's."""

    CONDITIONS = (
        "attribute_not_exists(callSid)",
        "attribute_not_exists(callSid) OR version = :version",
        "attribute_not_exists(eventId) OR receivedAt > :received",
        "version = :version",
    )

    @pytest.mark.parametrize("condition", CONDITIONS)
    @pytest.mark.parametrize("stands", [True, False])
    @pytest.mark.parametrize("changes", [{}, {"version": 1}, {"receivedAt": "2"}])
    def test_honour_conditions(
        self, cloud: Any, condition: str, stands: bool, changes: dict[str, Any]
    ) -> None:
        moto = client("dynamodb")
        item = {"callSid": "CA1", "eventId": "1", "version": 2, "receivedAt": "1"} | changes
        values = {
            name: value
            for name, value in to_item({":version": 2, ":received": "1"}).items()
            if name in condition
        }
        answers: list[Any] = []

        for tables in (moto, Tables(moto.exceptions)):
            if stands:
                tables.put_item(TableName="CallEventsTable", Item=to_item(item))
            more = {"ExpressionAttributeValues": values} if values else {}
            try:
                tables.put_item(
                    TableName="CallEventsTable",
                    Item=to_item(item | {"new": True}),
                    ConditionExpression=condition,
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                    **more,
                )
                answers.append("put")
            except ClientError as error:
                answers.append((error.response["Error"]["Code"], error.response.get("Item")))
            pages = tables.get_paginator("query").paginate(
                TableName="CallEventsTable",
                KeyConditionExpression="callSid = :sid",
                ExpressionAttributeValues=to_item({":sid": "CA1"}),
                ConsistentRead=True,
            )
            answers.append([item for page in pages for item in page["Items"]])

        assert answers[:2] == answers[2:]
