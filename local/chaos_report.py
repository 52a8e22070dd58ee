"""What a chaos run came to: its figures, and a line for everything that is wrong."""

from collections.abc import Iterator, Mapping
from typing import Any

from local import truth
from local.chaos_calls import Planned
from local.truth import Line, Wrong

Json = dict[str, Any]


def judged(
    calls: list[Json], log: list[Json], placed: Mapping[str, Planned]
) -> tuple[Json, list[str]]:
    """The run's figures, and a line for everything that is wrong."""
    by_sid: dict[str, list[Json]] = {}
    for logged in log:
        by_sid.setdefault(logged["callSid"], []).append(logged)
    lines = {sid: plan.line for sid, plan in placed.items()}
    unreached = [c["callSid"] for c in calls if not truth.reached(c, lines[c["callSid"]])]
    lost = [sid for sid in _lost(calls, lines) if sid not in by_sid]
    made_up = [sid for sid in by_sid if sid not in lines]
    twice = [sid for sid, logs in by_sid.items() if len(logs) > 1]
    wrong = [w for c in calls if c["callSid"] in by_sid for w in _wrong(c, placed, by_sid)]
    too_many = [c["callSid"] for c in calls for _ in range(truth.transcripts_too_many(c))]
    report = {
        "calls": len(calls),
        "rang": len(calls) - len(unreached),
        "lost": len(lost),
        "duplicated": len(twice) + len(made_up),
        "wrong_fields": len(wrong),
        "transcripts_ordered_twice": len(too_many),
        "unsettled": 0,
    }
    told = {
        "did not reach what it should": unreached,
        "lost": lost,
        "logged more than once": twice,
        "logged and never placed": made_up,
        "transcribed twice": too_many,
    }
    return report, [f"{sid}: {what}" for what, sids in told.items() for sid in sids] + [
        str(w) for w in wrong
    ]


def _lost(calls: list[Json], lines: Mapping[str, Line]) -> list[str]:
    return [c["callSid"] for c in calls if truth.must_be_logged(c, lines[c["callSid"]])]


def _wrong(
    call: Json, placed: Mapping[str, Planned], by_sid: Mapping[str, list[Json]]
) -> Iterator[Wrong]:
    plan = placed[call["callSid"]]
    for logged in by_sid[call["callSid"]]:
        yield from truth.wrong_fields(call, plan.line, plan.words.booked, logged)


def is_flawless(report: Mapping[str, Any]) -> bool:
    faults = ("lost", "duplicated", "wrong_fields", "transcripts_ordered_twice", "unsettled")
    return report["rang"] == report["calls"] and not any(report[name] for name in faults)
