"""What Twilio's webhooks did not bring is fetched: our calls compared with Twilio's own lists.

A run goes through the lines, each from where the run before it came to, then through the calls that
are not settled, and at last again through those that failed before. It writes down how far it is as
it goes, so that the next one goes on there.
"""

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from typing import Any

from aws_lambda_powertools import Logger

from calls import call as calls
from calls import (
    call_store,
    instants,
    line_store,
    reconciliation_store,
    repair,
    rest_facts,
    settings,
    twilio_api,
)
from calls.call import Call
from calls.call_store import Selection
from calls.line import Line
from calls.reconciliation_run import OF_ONE_CALL, Patience, Report, Run, Stopped
from calls.work_queue import GIVE_UP_AFTER, Work

logger = Logger(child=True)

# How far back a line is looked at that never was, and how long one that has no clinic any more.
WINDOW = timedelta(days=30)
# Twilio lists calls by the day on which they start, and a call lasts up to four hours.
LONGEST_CALL = timedelta(hours=4)
# Looked at again in the next run: Twilio's lists may show a call late.
OVERLAP = timedelta(hours=1)
# The work in the queue ends first, with a reason of its own.
UNSETTLED_TOO_LONG = GIVE_UP_AFTER + 3600
SAVED_EVERY = 20
PAGE = 25
UNSETTLED = "unsettled"
ALL_UNSETTLED = Selection("Unsettled", "unsettled", "unsettled", oldest_first=True)
FAILED = "failed"
# As many as an item of DynamoDB holds with ease; a line with one more waits until there are fewer.
MOST_FAILED = 1000

# Stands for the call after which there is none.
DONE = "done"

# The end of a call and its SID: a line's calls are gone through in this order.
Position = tuple[str, str]
# Of a call that failed: the `number` that was called, when it `ended`, when it was last `tried`.
Failed = dict[str, dict[str, str]]


class TooManyFailed(Exception):
    """No more calls that failed can be remembered, so that no line may go past another one."""


ON_SCHEDULE = Patience(for_webhooks=120, for_work=900, for_queued=3600)
AT_ONCE = Patience(for_webhooks=0, for_work=0, for_queued=60)


def reconcile(seconds: float, patience: Patience, since: str | None = None) -> Report:
    """Work for up to `seconds`; the report says what was found and done.

    A run that goes on with an unfinished one's work gets `since`, the first one's `beganAt`: what
    was gone through since then is done. The report counts the `lines` gone through to the end, the
    calls `checked`, `created`, `completed`, `givenUp` and `failed`, and the work queued
    (`transcriptsOrdered`, `summariesFetched`); then the calls that are `unsettled` still, the
    oldest for `oldestUnsettledAge` seconds. `finished` is false where the next run has to go on
    or to ask Twilio again, and `stopped` says why.
    """
    run = Run(patience, time.monotonic() + seconds, since or "9999")
    stopped: str | None = None
    try:
        run.go_on()
        if len(_failed()) >= MOST_FAILED:
            _try_failed_again(run)
        _go_through_lines(run)
        _go_through_unsettled(run)
        _try_failed_again(run)
    except Stopped as reason:
        stopped = str(reason)
    finally:
        reconciliation_store.give_lease_back(run.holder)
    stopped = stopped or run.trouble
    left = [item["startedAt"] for item in call_store.each(ALL_UNSETTLED)]
    age = instants.seconds_between(left[0], instants.now()) if left else 0
    report = run.report | {
        "checked": len(run.checked),
        "failed": len(run.failed),
        "unsettled": len(left),
        "oldestUnsettledAge": max(0, round(age)),
    }
    report |= {"beganAt": run.began_at, "finished": stopped is None, "stopped": stopped}
    logger.info("reconciled", report=report)
    return report


def _go_through_lines(run: Run) -> None:
    """The line that had its turn longest ago comes first, so that none waits for ever."""
    lines = [line for line in line_store.lines() if line.owners]
    saved = {line.phone_number: reconciliation_store.read(line.phone_number) for line in lines}
    for line in sorted(lines, key=lambda line: str(saved[line.phone_number].get("tried", ""))):
        before = saved[line.phone_number]
        is_done = before.get("lastCall") == DONE and before["until"] >= run.since
        if not is_done and _last_owned(line) > run.ago(WINDOW.total_seconds()):
            try:
                _go_through(run, line, _position(run, line, before))
            except twilio_api.Unavailable as error:
                run.was_away(error)
                continue
            except TooManyFailed:
                run.trouble = f"{MOST_FAILED} calls cannot be repaired"
                continue
        run.report["lines"] += 1


def _last_owned(line: Line) -> str:
    return max(owner["to"] or instants.now() for owner in line.owners)


def _go_through(run: Run, line: Line, position: Position) -> None:
    """Check the calls that ended since the line was last gone through, in the order of their end.

    They are listed a day at a time, and a day without calls is gone through too.
    """
    until = run.ago(run.patience.for_webhooks)
    listed: list[tuple[str, Any]] = []
    count = 0
    try:
        for day in _days(instants.before(position[0], round(LONGEST_CALL.total_seconds())), until):
            run.go_on()
            day_ends = min(until, _next(day))
            # Of the day before, those are left that ended on this one; a date sorts before its instants.
            listed = [one for one in listed if one[0] > day] + _ended(line, day)
            run.away = 0
            due = [one for one in listed if position < _place(one) and one[0] <= day_ends]
            for one in sorted(due, key=_place):
                run.go_on()
                _check(run, one[1], line)
                position = _place(one)
                count += 1
                if count % SAVED_EVERY == 0:
                    _save(line, position)
            position = max(position, (day_ends, ""))
    except (Stopped, TooManyFailed, twilio_api.Unavailable):
        # Twilio may list a call late, and the next run may come late as well.
        _save(line, min(position, (run.ago(OVERLAP.total_seconds()), "")))
        raise
    _save(line, (max(until, position[0]), DONE))


def _place(one: tuple[str, Any]) -> Position:
    return one[0], one[1].sid


def _position(run: Run, line: Line, before: dict[str, Any]) -> Position:
    """After which call to go on; of a line that was gone through, the last hour is seen again."""
    earliest = _earliest(run), ""
    if before.get("lastCall") == DONE:
        seen_again = instants.before(before["until"], round(OVERLAP.total_seconds()))
        return max((seen_again, ""), earliest)
    if before:
        return max((before["until"], before["lastCall"]), earliest)
    return max((_first_owned(line), ""), earliest)


def _earliest(run: Run) -> str:
    """No call is looked for that ended before; what is kept for a shorter time would expire at once."""
    return run.ago(min(WINDOW, timedelta(days=settings.load().retention_days)).total_seconds())


def _save(line: Line, position: Position) -> None:
    until, last_call = position
    reconciliation_store.write(
        line.phone_number, until=until, lastCall=last_call, tried=instants.now()
    )


def _first_owned(line: Line) -> str:
    return min(str(owner["from"]) for owner in line.owners)


def _ended(line: Line, day: str) -> list[tuple[str, Any]]:
    """The line's calls that began on a day and are over, each with its end."""
    return [
        (instants.iso(rest_facts.end(call)), call)
        for call in twilio_api.calls_to(line.phone_number, day)
        if call.direction == "inbound"
        and rest_facts.has_ended(call)
        and instants.iso(rest_facts.start(call)) >= _first_owned(line)
    ]


def _days(first: str, last: str) -> Iterator[str]:
    day = first[:10]
    while day <= last:
        yield day
        day = _next(day)


def _next(day: str) -> str:
    return (date.fromisoformat(day[:10]) + timedelta(days=1)).isoformat()


def _check(run: Run, parent: Any, line: Line) -> None:
    """Complete a call as Twilio lists it; one that fails is tried again in each run."""
    run.checked.add(parent.sid)
    if run.attempt(parent.sid, partial(_complete, run, parent, line)):
        failed = _failed()
        if len(failed) >= MOST_FAILED and parent.sid not in failed:
            raise TooManyFailed
        ended = instants.iso(rest_facts.end(parent))
        again = {"number": line.phone_number, "ended": ended, "tried": instants.now()}
        reconciliation_store.write(FAILED, calls=failed | {parent.sid: again})


def _complete(run: Run, parent: Any, line: Line) -> None:
    stored = call_store.find(parent.sid)
    days = _days(instants.iso(rest_facts.start(parent)), instants.iso(rest_facts.end(parent)))
    recordings = [one for day in days for one in run.recordings_of(parent.sid, day)]
    call, is_news = repair.complete(stored, parent, recordings, line)
    if not is_news:
        return
    run.repaired.add(parent.sid)
    run.report["completed" if stored else "created"] += 1
    work = repair.work_for(call)
    if "price" in calls.outstanding(call):
        work.append(Work("fetch_price", parent.sid))
    _queue(run, call, work)


def _failed() -> Failed:
    """The calls that failed in runs before, by their SIDs."""
    return dict(reconciliation_store.read(FAILED).get("calls", {}))


def _try_failed_again(run: Run) -> None:
    """The call that was tried longest ago comes first."""
    failed = _failed()
    for call_sid in sorted(failed, key=lambda sid: failed[sid]["tried"]):
        if call_sid in run.failed:
            continue
        run.go_on()
        run.checked.add(call_sid)
        if failed[call_sid]["ended"] < _earliest(run):
            _report_given_up(run, call_sid, "cannot_be_repaired")
            del failed[call_sid]
        elif run.attempt(call_sid, partial(_complete_failed, run, call_sid, failed[call_sid])):
            failed[call_sid]["tried"] = instants.now()
        else:
            del failed[call_sid]
        reconciliation_store.write(FAILED, calls=failed)


def _complete_failed(run: Run, call_sid: str, failed: dict[str, str]) -> None:
    line = line_store.find(failed["number"])
    try:
        parent = twilio_api.call(call_sid)
    except twilio_api.NotFound:
        _report_given_up(run, call_sid, "unknown_to_twilio")
        return
    if line:
        _complete(run, parent, line)


def _go_through_unsettled(run: Run) -> None:
    """Look after the calls that still await something, the oldest first."""
    selection = replace(ALL_UNSETTLED, end=run.ago(run.patience.for_work))
    after = reconciliation_store.read(UNSETTLED).get("after")
    if after and after["startedAt"] > selection.end:
        after = None  # An operator's run came further than this one may look.
    try:
        while True:
            page, following = call_store.newest(selection, PAGE, after)
            for item in page:
                run.go_on()
                # Whatever comes of this call, the next run goes on after it.
                after = call_store.key_of(item, selection)
                _settle(run, item["callSid"])
            if following is None:
                after = None
                return
            after = following
    finally:
        reconciliation_store.write(UNSETTLED, after=after)


def _settle(run: Run, call_sid: str) -> None:
    if call_sid not in run.repaired:
        run.attempt(call_sid, partial(_look_after, run, call_sid))


def _look_after(run: Run, call_sid: str) -> None:
    """Bring an unsettled call on; one that has been unsettled for too long is ended."""
    call = call_store.find(call_sid)
    if call is None:
        return
    if calls.is_settled(call):
        call_store.change(call_sid, lambda same: same)  # An older version thought otherwise.
        return
    run.checked.add(call_sid)
    try:
        reason = _brought_on(run, call)
    except call_store.Contended:
        raise
    except (*OF_ONE_CALL, twilio_api.Unavailable) as error:
        # What Twilio does not say today it may say tomorrow.
        is_away = isinstance(error, twilio_api.Unavailable)
        if _unsettled_for(call) > (WINDOW.total_seconds() if is_away else UNSETTLED_TOO_LONG):
            _give_up(run, call_sid, "cannot_be_repaired")
        raise
    if reason and _unsettled_for(call_store.find(call_sid) or call) > UNSETTLED_TOO_LONG:
        _give_up(run, call_sid, reason)


def _brought_on(run: Run, call: Call) -> str | None:
    """Complete a call and queue what it awaits; why nothing comes of that, if so."""
    reason = "never_settled"
    try:
        call, is_news = repair.refresh(call)
        run.report["completed"] += is_news
    except twilio_api.NotFound:
        reason = "unknown_to_twilio"
    is_waiting = _queue(run, call, repair.work_for(call))
    return None if is_waiting or calls.is_settled(call) else reason


def _unsettled_for(call: Call) -> float:
    """Seconds since the call's start, or since the reconciler made it more than it was."""
    started_at = call["facts"]["startedAt"]["value"]
    since = max(started_at, call["work"].get("repairedAt", ""))
    return instants.seconds_between(since, instants.now())


def _give_up(run: Run, call_sid: str, reason: str) -> None:
    repair.give_up(call_sid, reason)
    _report_given_up(run, call_sid, reason)


def _report_given_up(run: Run, call_sid: str, reason: str) -> None:
    run.report["givenUp"] += 1
    logger.error("call given up", call_sid=call_sid, reason=reason)


def _queue(run: Run, call: Call, work: list[Work]) -> bool:
    """Whether there was work to be queued now."""
    queued = repair.queue(call, work, run.ago(run.patience.for_queued))
    kinds = [one.kind for one in queued]
    run.report["transcriptsOrdered"] += kinds.count("order_transcript")
    run.report["summariesFetched"] += kinds.count("fetch_summary")
    return bool(queued)
