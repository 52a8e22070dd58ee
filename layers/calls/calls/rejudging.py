"""Stored verdicts of older engines judged again: first to see what would change, then to store it."""

import time
from collections.abc import Iterator, Mapping
from typing import Any

from calls import archive, call_store, line_store, summaries
from calls.call_store import Selection
from calls.line import NOBODY

PAGE = 25
# Then the operator is told how far it is; whoever invokes a function waits no longer than a minute.
SECONDS = 15

Cursor = Mapping[str, Any]
Report = dict[str, Any]


def rejudge(cursor: Cursor | None, *, apply: bool) -> Report:
    """Judge again what older engines judged, for SECONDS, and store it if `apply` is true.

    The report counts the calls `seen` and the verdicts `judged`; `changes` are the verdicts whose
    answer is another one, `gone` the calls whose words are not kept any more. `cursor` says where
    to go on, None at the end.
    """
    report: Report = {"seen": 0, "judged": 0, "changes": [], "gone": []}
    until = time.monotonic() + SECONDS
    for items, following in _pages(cursor):
        report["seen"] += len(items)
        for item in filter(summaries.was_judged_by_older_engine, items):
            _judge_again(item, report, apply=apply)
        if time.monotonic() > until:
            return report | {"cursor": following}
    return report | {"cursor": None}


def _pages(cursor: Cursor | None) -> Iterator[tuple[list[dict[str, Any]], Cursor]]:
    """Calls, clinic by clinic and the newest first, and the cursor of what follows them."""
    begin = cursor or {"clinicId": "", "after": None}
    for clinic_id in sorted({NOBODY, *(str(c["clinicId"]) for c in line_store.clinics())}):
        if clinic_id < begin["clinicId"]:
            continue
        selection = Selection("ByCustomer", "customerId", clinic_id)
        after = begin["after"] if clinic_id == begin["clinicId"] else None
        is_last = False
        while not is_last:
            items, after = call_store.newest(selection, PAGE, after)
            is_last = after is None
            # The least id that sorts after this one: the clinic is done.
            following = clinic_id + "\0" if is_last else clinic_id
            yield items, {"clinicId": following, "after": after}


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
