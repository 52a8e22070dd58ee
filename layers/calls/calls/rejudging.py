"""Stored verdicts of older engines judged again: first to see what would change, then to store it."""

import time
from collections.abc import Mapping
from typing import Any

from calls import archive, call_store, summaries
from calls.clinic_by_clinic import Cursor, pages

# Then the operator is told how far it is; whoever invokes a function waits no longer than a minute.
SECONDS = 15

Report = dict[str, Any]


def rejudge(cursor: Cursor | None, *, apply: bool) -> Report:
    """Judge again what older engines judged, for SECONDS, and store it if `apply` is true.

    The report counts the calls `seen` and the verdicts `judged`; `changes` are the verdicts whose
    answer is another one, `gone` the calls whose words are not kept any more. `cursor` says where
    to go on, None at the end.
    """
    report: Report = {"seen": 0, "judged": 0, "changes": [], "gone": []}
    until = time.monotonic() + SECONDS
    for items, following in pages(cursor):
        report["seen"] += len(items)
        for item in filter(summaries.was_judged_by_older_engine, items):
            _judge_again(item, report, apply=apply)
        if time.monotonic() > until:
            return report | {"cursor": following}
    return report | {"cursor": None}


def _judge_again(item: Mapping[str, Any], report: Report, *, apply: bool) -> None:
    old = item["booking"]
    try:
        new = summaries.judge(item)
    except archive.Gone:
        report["gone"].append(item["callSid"])
        return
    report["judged"] += 1
    if new["booked"] is not old["booked"]:
        change = {"callSid": item["callSid"], "old": _in_short(old), "new": _in_short(new)}
        report["changes"].append(change)
    if apply:
        call_store.replace_verdict(item["callSid"], old, new)


def _in_short(verdict: Mapping[str, Any]) -> dict[str, Any]:
    return {name: verdict[name] for name in ("booked", "confidence", "reason", "engine")}
