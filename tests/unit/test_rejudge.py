"""What today's engine makes of older verdicts is shown before it is stored, and stored only when asked."""

import json
from typing import Any

import pytest

import admin
from calls import (
    archive,
    booking,
    call_store,
    clinic_by_clinic,
    facts,
    line_store,
    rejudging,
    summaries,
)
from calls import call as calls
from calls.line import NOBODY
from local import rejudged
from local.progress import Progress
from tests.unit.deployed import invoked
from tests.unit.twilio_side import CALLER, LINE, stored_call

OLD = "rules-0"
BOOKS = [
    {"speaker": "caller", "text": "I'd like to book a cleaning, please.", "start": 1.0},
    {"speaker": "agent", "text": "We have Tuesday at three, would that suit you?", "start": 4.0},
    {"speaker": "caller", "text": "Yes, Tuesday at three is great.", "start": 8.0},
    {
        "speaker": "agent",
        "text": "I've booked you in for Tuesday at 3 pm. See you then!",
        "start": 11.0,
    },
    {"speaker": "caller", "text": "Thank you, goodbye.", "start": 15.0},
]


def stored(
    sid: str,
    booked: bool | None,
    *,
    clinic: str = "lakeside",
    engine: str = OLD,
    turns: Any = BOOKS,
    minute: int = 0,
) -> None:
    """A call that ended and was judged; with `turns` None its words are not kept any more."""
    told = facts.known(
        "voice", twilioPhoneNumber=LINE, startedAt=f"2026-11-09T16:{minute:02}:00.000Z"
    )
    told |= facts.known("voice", **{"from": CALLER}) | facts.known("status", status="completed")
    key = f"{clinic}/{sid}/GT1.json"
    if turns is not None:
        key = archive.put_transcript(clinic, sid, "GT1", {"turns": turns, "operatorResults": []})
    verdict: dict[str, Any] = {"booked": booked, "confidence": 0.6, "reason": "old"}
    verdict |= {"evidence": [], "appointment": None, "engine": engine}

    def judged(call: calls.Call) -> calls.Call:
        return calls.with_work(
            call | {"facts": told}, customerId=clinic, transcriptKey=key, booking=verdict
        )

    call_store.change(sid, judged)


def chore(*, apply: bool = False, cursor: Any = None) -> dict[str, Any]:
    """What the function answers to the operator, as JSON carries it."""
    event = {"chore": "rejudge", "apply": apply} | ({"cursor": cursor} if cursor else {})
    return dict(json.loads(json.dumps(admin.handler(json.loads(json.dumps(event)), None))))


def to_the_end(*, apply: bool = False) -> list[dict[str, Any]]:
    reports = [chore(apply=apply)]
    while cursor := reports[-1]["cursor"]:
        reports.append(chore(apply=apply, cursor=cursor))
    return reports


def verdict_of(sid: str) -> dict[str, Any]:
    item = call_store.get(sid)
    assert item
    return dict(item["booking"])


@pytest.fixture
def clinics(cloud: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Two clinics, and an engine that takes every call that it has words of for booked."""

    def decide(turns: Any, *_: Any, **__: Any) -> booking.Verdict:
        quote = {"quote": turns[-1]["text"], "source": "transcript", "speaker": "caller"}
        return booking.Verdict(True, 0.9, "confirmed", (quote,))

    monkeypatch.setattr(booking, "decide", decide)
    for clinic_id in ("lakeside", "hilltop"):
        line_store.put_clinic(
            {"clinicId": clinic_id, "name": clinic_id, "timezone": "America/Chicago"}
        )
    return cloud


class TestLookingFirst:
    def test_shows_what_would_change_and_from_what_to_what(self, clinics: Any) -> None:
        stored("CA1", None)

        (report,) = to_the_end()

        new = summaries.judge(call_store.get("CA1") or {})
        assert new["booked"] is True
        assert report == {
            "seen": 1,
            "judged": 1,
            "changes": [
                {
                    "callSid": "CA1",
                    "old": {"booked": None, "confidence": 0.6, "reason": "old", "engine": OLD},
                    "new": {name: new[name] for name in ("booked", "confidence", "reason")}
                    | {"engine": booking.ENGINE},
                }
            ],
            "gone": [],
            "cursor": None,
        }

    def test_changes_nothing(self, clinics: Any) -> None:
        stored("CA1", None)
        stored("CA2", True)
        before = [stored_call(clinics, sid) for sid in ("CA1", "CA2")]

        to_the_end()

        assert [stored_call(clinics, sid) for sid in ("CA1", "CA2")] == before

    def test_counts_a_verdict_that_stays_without_naming_it(self, clinics: Any) -> None:
        stored("CA1", True)

        (report,) = to_the_end()

        assert (report["judged"], report["changes"]) == (1, [])

    @pytest.mark.parametrize("engine", [booking.ENGINE, f"{booking.ENGINE}+some.model-v1:0"])
    def test_leaves_out_what_todays_engine_judged(self, clinics: Any, engine: str) -> None:
        stored("CA1", None, engine=engine)

        (report,) = to_the_end()

        assert (report["seen"], report["judged"]) == (1, 0)

    def test_takes_in_what_an_older_engine_and_a_model_judged(self, clinics: Any) -> None:
        stored("CA1", None, engine="rules-0+some.model-v1:0")

        assert to_the_end()[0]["judged"] == 1

    def test_leaves_out_calls_without_a_verdict(self, clinics: Any) -> None:
        told = facts.known("voice", startedAt="2026-11-09T16:00:00.000Z")
        call_store.change(
            "CA1", lambda call: calls.with_work(call | {"facts": told}, customerId="lakeside")
        )

        (report,) = to_the_end()

        assert (report["seen"], report["judged"]) == (1, 0)

    def test_names_calls_whose_words_are_not_kept_any_more(self, clinics: Any) -> None:
        stored("CA1", None, turns=None)
        stored("CA2", None)

        (report,) = to_the_end()

        assert report["gone"] == ["CA1"]
        assert [change["callSid"] for change in report["changes"]] == ["CA2"]

    def test_shows_no_words_of_a_call(self, clinics: Any) -> None:
        stored("CA1", None)

        assert "Tuesday" not in json.dumps(to_the_end())
        assert CALLER not in json.dumps(to_the_end())


class TestStoring:
    def test_stores_each_new_verdict(self, clinics: Any) -> None:
        stored("CA1", None)
        stored("CA2", True)

        (report,) = to_the_end(apply=True)

        assert report["judged"] == 2
        for sid in ("CA1", "CA2"):
            assert verdict_of(sid)["engine"] == booking.ENGINE
            assert verdict_of(sid)["evidence"]

    def test_lists_the_call_under_its_new_verdict(self, clinics: Any) -> None:
        stored("CA1", None)

        to_the_end(apply=True)

        assert stored_call(clinics, "CA1")["customerBooked"] == "lakeside#true"

    def test_is_done_once(self, clinics: Any) -> None:
        stored("CA1", None)
        to_the_end(apply=True)

        (report,) = to_the_end(apply=True)

        assert (report["judged"], report["changes"]) == (0, [])

    def test_leaves_a_verdict_that_was_replaced_meanwhile(
        self, clinics: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        stored("CA1", None)
        judge = summaries.judge

        def judge_while_another_writes(item: Any) -> dict[str, Any]:
            stored("CA1", False, engine="another-9")
            return judge(item)

        monkeypatch.setattr(summaries, "judge", judge_while_another_writes)

        chore(apply=True)

        assert verdict_of("CA1")["engine"] == "another-9"

    @pytest.mark.parametrize("said", [False, None, 0, "no", "true"])
    def test_needs_a_plain_true(self, clinics: Any, said: Any) -> None:
        stored("CA1", None)

        admin.handler({"chore": "rejudge", "apply": said}, None)

        assert verdict_of("CA1")["engine"] == OLD


class TestALongWork:
    @pytest.fixture
    def many(self, clinics: Any, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        """Calls of two clinics and of unknown numbers, some at the same instant; no time but for a page."""
        monkeypatch.setattr(clinic_by_clinic, "PAGE", 2)
        monkeypatch.setattr(rejudging, "SECONDS", -1)
        owners = ["lakeside"] * 5 + ["hilltop"] * 4 + [NOBODY]
        for number, clinic in enumerate(owners):
            stored(f"CA{number}", None, clinic=clinic, minute=number // 2)
        return [f"CA{number}" for number in range(len(owners))]

    @pytest.mark.parametrize("apply", [False, True])
    def test_goes_on_where_it_stopped_and_misses_no_call(
        self, many: list[str], apply: bool
    ) -> None:
        reports = to_the_end(apply=apply)

        changed = [change["callSid"] for report in reports for change in report["changes"]]
        assert sorted(changed) == many
        assert len(reports) > 5
        assert all(report["seen"] <= 2 for report in reports)

    def test_is_not_thrown_by_a_clinic_that_comes_meanwhile(self, many: list[str]) -> None:
        first = chore()
        line_store.put_clinic({"clinicId": "a-new-one", "name": "New", "timezone": "UTC"})

        reports = [first]
        while cursor := reports[-1]["cursor"]:
            reports.append(chore(cursor=cursor))

        seen = sum(report["seen"] for report in reports)
        assert seen == len(many)


class TestTheOperator:
    @pytest.fixture
    def deployed(self, clinics: Any) -> Any:
        return invoked()

    def told(self, deployed: Any, *, apply: bool) -> str:
        return "\n".join(rejudged.told(deployed, Progress(), apply=apply))

    def test_reads_each_change_and_how_to_store_it(self, deployed: Any) -> None:
        stored("CA1", False)
        stored("CA2", True)

        told = self.told(deployed, apply=False)

        assert "CA1  not booked 0.60 (old) by rules-0  ->  booked " in told
        assert f"by {booking.ENGINE}" in told
        assert "CA2" not in told
        assert "1 of 2 verdicts of older engines would change; nothing was stored" in told
        assert "make rejudge APPLY=1" in told

    def test_reads_what_was_stored(self, deployed: Any) -> None:
        stored("CA1", False)

        told = self.told(deployed, apply=True)

        assert "stored 1 verdicts, 1 of them with another answer" in told

    def test_sees_how_far_it_is(
        self,
        deployed: Any,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        monkeypatch.setattr(rejudging, "SECONDS", -1)
        stored("CA1", False)
        stored("CA2", False, clinic="hilltop")

        self.told(deployed, apply=False)

        progress = capsys.readouterr().out
        assert "1 calls seen" in progress
        assert "2 calls seen" in progress
