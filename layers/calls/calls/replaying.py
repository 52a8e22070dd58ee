"""Calls told again from the webhooks that are kept: first to see what would change, then to store it."""

import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from calls import call as calls
from calls import call_store, facts, line_store, settings
from calls.call import Call
from calls.call_store import Event
from calls.clinic_by_clinic import Cursor, pages
from calls.facts import Facts

# Then the operator is told how far it is; whoever invokes a function waits no longer than a minute.
SECONDS = 15
# Twilio tells all about a call within a day (docs, "TwiML: Dial, timeLimit": at most 24 hours). So
# while what is left of its webhooks stays for longer than that, none of them has expired.
A_DAY = 24 * 3600

Report = dict[str, Any]


def replay(cursor: Cursor | None, start: str, end: str, *, apply: bool) -> Report:
    """Tell the calls again that started from `start` until before `end`; store them if `apply`.

    Works for SECONDS. Instants are ISO 8601 in UTC, as stored. The report counts the calls `seen`, and as `expired` those of which webhooks are not kept any
    more; `changes` names what is told otherwise, but no words of a call. `cursor` says where to go
    on, None at the end.
    """
    report = _empty()
    until = time.monotonic() + SECONDS
    # Without its Z an instant sorts after every earlier one, and before itself.
    for items, following in pages(cursor, start, end.removesuffix("Z")):
        for item in items:
            _tell_again(item["callSid"], report, apply=apply)
        if time.monotonic() > until:
            return report | {"cursor": following}
    return report | {"cursor": None}


def replay_one(call_sid: str, *, apply: bool) -> Report:
    """Tell one call again, also one that is not in the log any more. Same report as `replay`."""
    report = _empty()
    _tell_again(call_sid, report, apply=apply)
    return report | {"cursor": None}


def _empty() -> Report:
    return {"seen": 0, "expired": 0, "changes": []}


def _tell_again(call_sid: str, report: Report, *, apply: bool) -> None:
    # The call before its webhooks: what is noted meanwhile is among them, or stops the write.
    stored = call_store.get(call_sid)
    kept = list(call_store.kept(call_sid))
    before = _call(stored) if stored else calls.new(call_sid)
    after = _told(before, kept)
    if not stored and not after["facts"]:
        return
    report["seen"] += 1
    report["expired"] += not _is_complete(kept)
    if stored and call_store.is_told_by(stored, after):
        return
    report["changes"].append(_change(stored or {}, before, after))
    if apply:
        call_store.change(call_sid, lambda call: _told(call, list(call_store.kept(call_sid))))


def _told(call: Call, kept: list[tuple[Event, int]]) -> Call:
    """The call with the facts of its webhooks told anew; what else is known of it stays."""
    known = call_store.facts_of(event for event, _ in kept)
    others = call["facts"]
    if _is_complete(kept):
        others = {n: f for n, f in others.items() if f["source"] not in facts.WEBHOOKS}
    is_new = not call["facts"] and not call["work"]
    awaits = _awaited(known) if is_new else ()
    return call_store.with_facts(call, facts.merged(others, known), awaits=awaits)


def _is_complete(kept: Iterable[tuple[Event, int]]) -> bool:
    """Whether all webhooks of a call are there still. Of no webhook nothing can be told."""
    expiries = [expires_at for _, expires_at in kept]
    return bool(expiries) and min(expiries) > datetime.now(UTC).timestamp() + A_DAY


def _awaited(known: Facts) -> tuple[str, ...]:
    """What was expected of a call that is in the log no more; the reconciler sees to it."""
    awaited = ["price"] if calls.has_ended(known) else []
    if any(recording["status"] == "completed" for recording in calls.recordings(known)):
        number = known.get("twilioPhoneNumber", {}).get("value")
        line = line_store.find(number) if number else None
        wanted = settings.answering_for(line).transcription
        awaited += ["audio", "summary"] if wanted else ["audio"]
    return tuple(awaited)


def _change(stored: Mapping[str, Any], before: Call, after: Call) -> dict[str, Any]:
    """Which facts and attributes are told otherwise; of values only how the call ended."""
    item = call_store.item_of(after)
    told = {name for name in (*stored, *item) if stored.get(name) != item.get(name)}
    old, new = before["facts"], after["facts"]
    told |= {name for name in (*old, *new) if old.get(name) != new.get(name)}
    return {
        "callSid": after["callSid"],
        "told": sorted(told - {"callSid", "facts", "work", "version", "expiresAt"}),
        "outcome": [stored.get("outcome"), item["outcome"]],
    }


def _call(item: Mapping[str, Any]) -> Call:
    return {"callSid": item["callSid"], "facts": item["facts"], "work": item["work"]}
