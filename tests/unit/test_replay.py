"""Calls told again from their webhooks: shown first, and what webhooks never told stays."""

import itertools
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

import admin
from calls import call as calls
from calls import call_store, clinic_by_clinic, facts, instants, line_store, replaying, routes
from calls.call_store import Event
from calls.line import NOBODY
from local import replayed
from local.progress import Progress
from tests.unit.deployed import invoked
from tests.unit.signed import call
from tests.unit.true_calls import CALLS
from tests.unit.twilio_side import (
    CALL_SID,
    CALLER,
    CLINIC,
    LINE,
    TRANSCRIPT_SID,
    connected_line,
    stored_call,
)

OTHER_LINE = "+13125550141"
VERDICT = {"booked": True, "confidence": 0.9, "reason": "said so", "evidence": [], "engine": "e-1"}
BY_REST = {
    "transcriptSid": TRANSCRIPT_SID,
    "summaryText": "A cleaning on Tuesday.",
    "booking": VERDICT,
    "price": "-0.0085",
    "priceUnit": "USD",
    "audioKey": "a.mp3",
}


def chore(**said: Any) -> dict[str, Any]:
    """What the function answers to the operator, as JSON carries it."""
    event = json.loads(json.dumps({"chore": "replay"} | said))
    return dict(json.loads(json.dumps(admin.handler(event, None))))


def to_the_end(**said: Any) -> list[dict[str, Any]]:
    reports = [chore(**said)]
    while cursor := reports[-1]["cursor"]:
        reports.append(chore(**said, cursor=cursor))
    return reports


def stored() -> dict[str, Any]:
    item = call_store.get(CALL_SID)
    assert item
    return {name: value for name, value in item.items() if name != "version"}


def spoil(how: Callable[[dict[str, Any]], object]) -> None:
    """Somebody's hand, or an older release's reader, in the facts."""

    def spoilt(stored: calls.Call) -> calls.Call:
        told = dict(stored["facts"])
        how(told)
        return stored | {"facts": told}

    call_store.change(CALL_SID, spoilt)


def expire(cloud: Any, in_hours: float, *, all_but: int = 0) -> None:
    """The webhooks have only so long to live; of those that are kept, the first went before."""
    table = cloud.dynamodb.Table("CallEventsTable")
    items = sorted(table.scan()["Items"], key=lambda item: str(item["receivedAt"]))
    at = int((datetime.now(UTC) + timedelta(hours=in_hours)).timestamp())
    for item in items:
        table.put_item(Item=item | {"expiresAt": at})
    for item in items[: len(items) - all_but]:
        table.delete_item(Key={name: item[name] for name in ("callSid", "eventId")})


def rang(sid: str, minute: int, to: str = LINE) -> None:
    """Another call, of which only its begin is known."""
    said = {"CallSid": sid, "To": to, "From": CALLER, "CallStatus": "ringing"}
    call_store.note(Event(sid, routes.INCOMING, said, f"2026-11-09T16:{minute:02}:00.000Z"))


def owned_by(number: str, clinic_id: str) -> None:
    owners = ({"clinicId": clinic_id, "from": "2026-01-05T08:00:00.000Z", "to": None},)
    connected_line(phone_number=number, clinic_id=clinic_id, owners=owners)
    clinic = {"clinicId": clinic_id, "name": clinic_id, "timezone": "America/Chicago"}
    line_store.put_clinic(clinic)


@pytest.fixture
def kept(cloud: Any) -> Any:
    """A call that was answered, recorded, summarised and paid for; its webhooks stay for long."""
    owned_by(LINE, CLINIC)
    for told in CALLS["answered, recorded and transcribed"]:
        call(told.function, told.event)
    call_store.finish(CALL_SID, **BY_REST)
    table = cloud.dynamodb.Table("CallEventsTable")
    for item in table.scan()["Items"]:
        in_a_year = int((datetime.now(UTC) + timedelta(days=365)).timestamp())
        table.put_item(Item=item | {"expiresAt": in_a_year})
    return cloud


def status_is_wrong(told: dict[str, Any]) -> None:
    told.update(facts.known("status", status="failed", dialCallStatus="busy"))


def begun_too_early(told: dict[str, Any]) -> None:
    told.update(facts.known("voice", startedAt="2020-01-01T00:00:00.000Z"))


def never_answered(told: dict[str, Any]) -> None:
    for name in ("dialCallStatus", "answeredAt", "legStatus", "duration"):
        del told[name]


def made_up(told: dict[str, Any]) -> None:
    told.update(facts.known("dial", menuChoice="9", mood="good"))


def recorded_twice(told: dict[str, Any]) -> None:
    said = {"value": {"status": {"value": "completed", "step": 3}}, "source": "webhook"}
    told["recordings.RE0"] = said


SPOILS = (status_is_wrong, begun_too_early, never_answered, made_up, recorded_twice, dict.clear)


class TestACall:
    @pytest.mark.parametrize("spoils", SPOILS, ids=lambda spoils: spoils.__name__)
    def test_that_was_spoilt_is_restored(self, kept: Any, spoils: Any) -> None:
        before = stored()
        spoil(spoils)
        assert stored() != before

        report = chore(callSid=CALL_SID, apply=True)

        assert stored() == before
        assert [change["callSid"] for change in report["changes"]] == [CALL_SID]

    def test_that_is_right_is_not_written(self, kept: Any) -> None:
        before = stored_call(kept)

        report = chore(callSid=CALL_SID, apply=True)

        assert report == {"seen": 1, "expired": 0, "changes": [], "cursor": None}
        assert stored_call(kept) == before

    def test_is_shown_before_it_is_stored(self, kept: Any) -> None:
        spoil(status_is_wrong)
        before = stored_call(kept)

        report = chore(callSid=CALL_SID)

        assert stored_call(kept) == before
        (change,) = report["changes"]
        assert change["outcome"] == ["missed", "answered"]
        assert set(change["told"]) == {"dialCallStatus", "outcome", "status"}

    @pytest.mark.parametrize("said", [False, None, 0, "no", "true"])
    def test_needs_a_plain_true_to_be_stored(self, kept: Any, said: Any) -> None:
        spoil(status_is_wrong)

        chore(callSid=CALL_SID, apply=said)

        assert stored()["outcome"] == "missed"

    def test_keeps_what_came_by_rest(self, kept: Any) -> None:
        by_rest = facts.known("rest", duration=52, callerName="RIVERA E", direction="inbound")
        spoil(lambda told: told.update(by_rest))
        spoil(status_is_wrong)

        chore(callSid=CALL_SID, apply=True)

        assert stored()["work"].items() >= BY_REST.items()
        assert {name: stored()["facts"][name] for name in by_rest} == by_rest
        assert (stored()["outcome"], stored()["booking"]) == ("answered", VERDICT)

    def test_is_listed_as_it_is_told(self, kept: Any) -> None:
        """An older release described it otherwise; its facts were right all along."""
        before = stored_call(kept)
        kept.dynamodb.Table("CallLogsTable").put_item(
            Item=before | {"outcome": "missed", "customerBooked": "another#true", "old": 1}
        )

        report = chore(callSid=CALL_SID, apply=True)

        assert report["changes"][0]["told"] == ["customerBooked", "old", "outcome"]
        assert stored_call(kept) == before | {"version": before["version"] + 1}

    def test_that_is_lost_is_in_the_log_again_and_awaits_its_work(self, kept: Any) -> None:
        before = stored()
        kept.dynamodb.Table("CallLogsTable").delete_item(Key={"callSid": CALL_SID})

        report = chore(callSid=CALL_SID, apply=True)

        assert report["changes"][0]["outcome"] == [None, "answered"]
        assert stored()["facts"] == before["facts"]
        assert stored()["customerId"] == CLINIC
        assert stored()["work"] == {"awaits": ["audio", "price"], "customerId": CLINIC}

    def test_that_nobody_ever_told_of_is_not_made_up(self, kept: Any) -> None:
        report = chore(callSid="CA" + "0" * 32, apply=True)

        assert report["seen"] == 0
        assert call_store.get("CA" + "0" * 32) is None

    def test_keeps_what_is_told_while_it_is_replayed(
        self, kept: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        spoil(status_is_wrong)
        read = call_store.kept
        said = {"CallSid": CALL_SID, "To": LINE, "CallStatus": "in-progress", "Digits": "2"}
        news = {2: Event(CALL_SID, routes.INCOMING, said, "2026-11-09T16:30:05.000Z")}
        times = itertools.count(1)

        def another_tells_meanwhile(call_sid: str) -> Any:
            found = list(read(call_sid))
            if event := news.get(next(times)):
                call_store.note(event)
            return found

        monkeypatch.setattr(call_store, "kept", another_tells_meanwhile)

        chore(callSid=CALL_SID, apply=True)

        assert next(times) == 4
        assert (stored()["menuChoice"], stored()["outcome"]) == ("2", "answered")


class TestWebhooksThatExpired:
    def test_take_no_fact_with_them(self, kept: Any) -> None:
        before = stored()
        expire(kept, in_hours=12, all_but=1)

        report = chore(callSid=CALL_SID, apply=True)

        assert stored() == before
        assert report == {"seen": 1, "expired": 1, "changes": [], "cursor": None}

    def test_all_of_them_leave_the_call_as_it_is(self, kept: Any) -> None:
        expire(kept, in_hours=12)
        spoil(made_up)
        before = stored()

        report = chore(callSid=CALL_SID, apply=True)

        assert stored() == before
        assert (report["expired"], report["changes"]) == (1, [])

    def test_soon_still_add_what_they_tell(self, kept: Any) -> None:
        before = stored()
        spoil(never_answered)
        expire(kept, in_hours=12, all_but=100)

        report = chore(callSid=CALL_SID, apply=True)

        assert stored() == before
        assert (report["expired"], len(report["changes"])) == (1, 1)


class TestManyCalls:
    @pytest.fixture
    def many(self, cloud: Any, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        """Calls of two clinics and of nobody, all without their numbers' owner's facts; page by page."""
        monkeypatch.setattr(clinic_by_clinic, "PAGE", 2)
        monkeypatch.setattr(replaying, "SECONDS", -1)
        owned_by(LINE, CLINIC)
        owned_by(OTHER_LINE, "hilltop")
        for number, to in enumerate([LINE] * 5 + [OTHER_LINE] * 4 + ["+13125550149"]):
            rang(f"CA{number}", minute=number, to=to)
            call_store.change(
                f"CA{number}",
                lambda c: c | {"facts": {n: f for n, f in c["facts"].items() if n != "from"}},
            )
        return [f"CA{number}" for number in range(10)]

    def changed(self, **said: Any) -> list[str]:
        reports = to_the_end(**said)
        assert all(report["seen"] <= 2 for report in reports)
        return sorted(change["callSid"] for report in reports for change in report["changes"])

    def test_are_told_clinic_by_clinic_and_none_is_missed(self, many: list[str]) -> None:
        assert self.changed() == many
        assert self.changed(apply=True) == many
        assert self.changed() == []
        owners = {sid: (call_store.get(sid) or {})["customerId"] for sid in many}
        assert [owners[sid] for sid in ("CA0", "CA5", "CA9")] == [CLINIC, "hilltop", NOBODY]

    def test_are_those_of_the_period_with_its_first_and_without_its_last_instant(
        self, many: list[str]
    ) -> None:
        period = {"from": "2026-11-09T16:02:00.000Z", "to": "2026-11-09T16:06:00.000Z"}

        assert self.changed(**period) == ["CA2", "CA3", "CA4", "CA5"]
        assert self.changed(**{"from": "2026-11-09T16:08:00.000Z"}) == ["CA8", "CA9"]
        assert self.changed(to="2026-11-09T16:01:00.000Z") == ["CA0"]


class TestTheOperator:
    def told(self, *, apply: bool = False, **which: Any) -> str:
        return "\n".join(replayed.told(invoked(), Progress(), apply=apply, **which))

    def test_reads_what_would_change_and_how_to_store_it(self, kept: Any) -> None:
        spoil(status_is_wrong)

        told = self.told(callSid=CALL_SID)

        assert f"{CALL_SID}  missed -> answered  (dialCallStatus, outcome, status)" in told
        assert "1 of 1 calls would change; nothing was stored: add APPLY=1 to store it" in told

    def test_reads_what_was_stored(self, kept: Any) -> None:
        spoil(status_is_wrong)

        assert "stored 1 of 1 calls anew" in self.told(apply=True)
        assert "0 of 1 calls would change" in self.told(callSid=CALL_SID)

    def test_reads_that_there_is_nothing_to_tell(self, kept: Any) -> None:
        assert "no such call" in self.told(callSid="CA" + "0" * 32)

    def test_reads_that_webhooks_expired(self, kept: Any) -> None:
        expire(kept, in_hours=1)

        assert "of 1 calls webhooks are not kept any more" in self.told()

    def test_reads_no_words_and_no_numbers(self, kept: Any) -> None:
        spoil(dict.clear)

        told = self.told()

        for patients in (CALLER, "RIVERA", "EVANSTON", "cleaning"):
            assert patients not in told


def test_every_source_of_a_webhook_is_known_as_one() -> None:
    told = [told for sequence in CALLS.values() for told in sequence]
    sources = {
        fact["source"]
        for webhook in told
        for fact in facts.facts_from(
            webhook.event["rawPath"], webhook.params, instants.now()
        ).values()
    }

    assert sources == set(facts.WEBHOOKS)
    assert sources <= set(facts.SOURCES)
