"""What Twilio's webhooks did not bring is fetched: our calls compared with Twilio's own lists.

A run goes through the lines, each from where the run before it came to, and then through the calls
that are not settled. It writes down how far it is as it goes, so that the next one goes on there.
"""

import time
import uuid
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
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
from calls.reconciliation_store import Taken
from calls.work_queue import GIVE_UP_AFTER, Work

logger = Logger(child=True)

MOST_CALLS = 2000
# How far back a line is looked at that never was, and how long one that has no clinic any more.
WINDOW = timedelta(days=30)
# Twilio lists calls by the day on which they start, and a call lasts up to four hours.
LONGEST_CALL = timedelta(hours=4)
# Looked at again in the next run: Twilio's lists may show a call late.
OVERLAP = timedelta(hours=1)
# The work in the queue ends first, with a reason of its own.
UNSETTLED_TOO_LONG = GIVE_UP_AFTER + 3600
SAVED_EVERY = 20
LEASE_RENEWED_AFTER = 15  # seconds
PAGE = 25
UNSETTLED = "unsettled"
ALL_UNSETTLED = Selection("Unsettled", "unsettled", "unsettled", oldest_first=True)

# Stands for the call after which there is none.
DONE = "done"

Report = dict[str, Any]
# The end of a call and its SID: a line's calls are gone through in this order.
Position = tuple[str, str]
Recordings = dict[str, list[Any]]


@dataclass(frozen=True)
class Patience:
    """Seconds: how long webhooks may be on their way, work in the queue, and work queued here."""

    for_webhooks: int
    for_work: int
    for_queued: int


ON_SCHEDULE = Patience(for_webhooks=120, for_work=900, for_queued=3600)
AT_ONCE = Patience(for_webhooks=0, for_work=0, for_queued=60)


class Stopped(Exception):
    """The run ends before all is done: its time or its count is used up, or another has taken over."""


@dataclass
class Run:
    patience: Patience
    ends_at: float
    # Lines that were gone through since are done.
    since: str = "9999"
    began_at: str = field(default_factory=instants.now)
    holder: str = field(default_factory=lambda: str(uuid.uuid4()))
    checked: set[str] = field(default_factory=set)
    repaired: set[str] = field(default_factory=set)
    recordings: dict[str, Recordings] = field(default_factory=dict)
    leased_at: float = 0.0
    report: Report = field(
        default_factory=lambda: {
            "lines": 0,
            "created": 0,
            "completed": 0,
            "transcriptsOrdered": 0,
            "summariesFetched": 0,
            "givenUp": 0,
            "failed": 0,
        }
    )

    def go_on(self) -> None:
        """Raises Stopped when the run has had its share."""
        if time.monotonic() > self.ends_at:
            raise Stopped("time")
        if len(self.checked) >= MOST_CALLS:
            raise Stopped("count")
        if time.monotonic() - self.leased_at > LEASE_RENEWED_AFTER:
            try:
                reconciliation_store.take_lease(self.holder)
            except Taken as taken:
                raise Stopped("another run is at work") from taken
            self.leased_at = time.monotonic()

    def ago(self, seconds: float) -> str:
        return instants.iso(datetime.now(UTC) - timedelta(seconds=seconds))


def reconcile(seconds: float, patience: Patience, since: str | None = None) -> Report:
    """Work for up to `seconds`; the report says what was found and done.

    A run that goes on with an unfinished one's work gets `since`, the first one's `beganAt`: what
    was gone through since then is done. The report counts the `lines` gone through to the end, the calls `checked`, `created`, `completed`,
    `givenUp` and `failed`, and the work queued (`transcriptsOrdered`, `summariesFetched`); then
    the calls that are `unsettled` still, the oldest for `oldestUnsettledAge` seconds. `finished`
    is false where the next run has to go on, and `stopped` says why.
    """
    run = Run(patience, time.monotonic() + seconds, since or "9999")
    stopped: str | None = None
    try:
        run.go_on()
        _go_through_lines(run)
        _go_through_unsettled(run)
    except Stopped as reason:
        stopped = str(reason)
    except twilio_api.Unavailable as error:
        stopped = f"twilio: {error}"
    finally:
        reconciliation_store.give_lease_back(run.holder)
    left = [item["startedAt"] for item in call_store.each(ALL_UNSETTLED)]
    age = instants.seconds_between(left[0], instants.now()) if left else 0
    report = run.report | {
        "checked": len(run.checked),
        "unsettled": len(left),
        "oldestUnsettledAge": max(0, round(age)),
    }
    report |= {"beganAt": run.began_at, "finished": stopped is None, "stopped": stopped}
    logger.info("reconciled", report=report)
    return report


def _go_through_lines(run: Run) -> None:
    """The line that was gone through longest ago comes first, so that none waits for ever."""
    lines = [line for line in line_store.lines() if line.owners]
    saved = {line.phone_number: reconciliation_store.read(line.phone_number) for line in lines}
    for line in sorted(lines, key=lambda line: str(saved[line.phone_number].get("until", ""))):
        before = saved[line.phone_number]
        is_done = before.get("lastCall") == DONE and before["until"] >= run.since
        if not is_done and _last_owned(line) > run.ago(WINDOW.total_seconds()):
            _go_through(run, line, _position(run, line, before))
        run.report["lines"] += 1


def _last_owned(line: Line) -> str:
    return max(owner["to"] or instants.now() for owner in line.owners)


def _go_through(run: Run, line: Line, position: Position) -> None:
    """Check the calls that ended since the line was last gone through, in the order of their end."""
    until = run.ago(run.patience.for_webhooks)
    try:
        for count, (ended_at, call) in enumerate(_ended(run, line, position, until), start=1):
            run.go_on()
            _check(run, call, line)
            position = (ended_at, call.sid)
            if count % SAVED_EVERY == 0:
                _save(line, position)
    except (Stopped, twilio_api.Unavailable):
        _save(line, position)
        raise
    _save(line, (max(until, position[0]), DONE))


def _position(run: Run, line: Line, before: dict[str, Any]) -> Position:
    """After which call to go on; of a line that was gone through, the last hour is seen again."""
    if before.get("lastCall") == DONE:
        return instants.before(before["until"], round(OVERLAP.total_seconds())), ""
    if before:
        return before["until"], before["lastCall"]
    window = min(WINDOW, timedelta(days=settings.load().retention_days))
    return max(_first_owned(line), run.ago(window.total_seconds())), ""


def _save(line: Line, position: Position) -> None:
    until, last_call = position
    reconciliation_store.write(line.phone_number, until=until, lastCall=last_call)


def _first_owned(line: Line) -> str:
    return min(str(owner["from"]) for owner in line.owners)


def _ended(run: Run, line: Line, after: Position, until: str) -> list[tuple[str, Any]]:
    """The line's calls that ended after a position, each with its end, in the order of positions."""
    ended = []
    for day in _days(instants.before(after[0], round(LONGEST_CALL.total_seconds())), until):
        run.go_on()
        for call in twilio_api.calls_to(line.phone_number, day):
            if call.direction != "inbound" or not rest_facts.has_ended(call):
                continue
            ended_at = instants.iso(rest_facts.end(call))
            if (
                after < (ended_at, call.sid)
                and ended_at <= until
                and instants.iso(rest_facts.start(call)) >= _first_owned(line)
            ):
                ended.append((ended_at, call))
    return sorted(ended, key=lambda one: (one[0], one[1].sid))


def _days(first: str, last: str) -> Iterator[str]:
    day, end = instants.parsed(first).date(), instants.parsed(last).date()
    while day <= end:
        yield day.isoformat()
        day += timedelta(days=1)


def _check(run: Run, parent: Any, line: Line) -> None:
    run.checked.add(parent.sid)
    with _one_call(run, parent.sid):
        stored = call_store.find(parent.sid)
        call, is_news = repair.complete(stored, parent, _recordings_of(run, parent), line)
        if not is_news:
            return
        run.repaired.add(parent.sid)
        run.report["completed" if stored else "created"] += 1
        work = repair.work_for(call)
        if "price" in calls.outstanding(call):
            work.append(Work("fetch_price", parent.sid))
        _queue(run, call, work)


def _recordings_of(run: Run, parent: Any) -> list[Any]:
    """From lists of whole days, which many calls share."""
    days = _days(instants.iso(rest_facts.start(parent)), instants.iso(rest_facts.end(parent)))
    return [one for day in days for one in _recordings_made(run, day).get(parent.sid, [])]


def _recordings_made(run: Run, day: str) -> Recordings:
    if day not in run.recordings:
        by_call: Recordings = defaultdict(list)
        for one in twilio_api.recordings_made(day):
            by_call[one.call_sid].append(one)
        run.recordings[day] = by_call
    return run.recordings[day]


def _go_through_unsettled(run: Run) -> None:
    """Look after the calls that still await something, the oldest first."""
    selection = replace(ALL_UNSETTLED, end=run.ago(run.patience.for_work))
    after = reconciliation_store.read(UNSETTLED).get("after")
    try:
        while True:
            page, following = call_store.newest(selection, PAGE, after)
            for item in page:
                run.go_on()
                _settle(run, item["callSid"])
                after = call_store.key_of(item, selection)
            if following is None:
                after = None
                return
            after = following
    finally:
        reconciliation_store.write(UNSETTLED, after=after)


def _settle(run: Run, call_sid: str) -> None:
    call = None if call_sid in run.repaired else call_store.find(call_sid)
    if call is None or calls.is_settled(call):
        return
    run.checked.add(call_sid)
    reason = "never_settled"
    with _one_call(run, call_sid):
        try:
            call, is_news = repair.refresh(call)
            run.report["completed"] += is_news
        except twilio_api.NotFound:
            reason = "unknown_to_twilio"
        is_waiting = _queue(run, call, repair.work_for(call))
        if not is_waiting and not calls.is_settled(call) and _is_too_old(call):
            repair.give_up(call_sid, reason)
            run.report["givenUp"] += 1
            logger.error("call given up", call_sid=call_sid, reason=reason)


def _is_too_old(call: Call) -> bool:
    """Counted from the call's start, or from when the reconciler made it more than it was."""
    started_at = call["facts"]["startedAt"]["value"]
    since = max(started_at, call["work"].get("repairedAt", ""))
    return instants.seconds_between(since, instants.now()) > UNSETTLED_TOO_LONG


def _queue(run: Run, call: Call, work: list[Work]) -> bool:
    """Whether there was work to be queued now."""
    queued = repair.queue(call, work, run.ago(run.patience.for_queued))
    kinds = [one.kind for one in queued]
    run.report["transcriptsOrdered"] += kinds.count("order_transcript")
    run.report["summariesFetched"] += kinds.count("fetch_summary")
    return bool(queued)


# Twilio's refusal, others' writes to the same call, or a value of it that nobody thought of.
OF_ONE_CALL = (
    twilio_api.Refused,
    call_store.Contended,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
)


@contextmanager
def _one_call(run: Run, call_sid: str) -> Iterator[None]:
    """What goes wrong about one call keeps nobody from the others."""
    try:
        yield
    except OF_ONE_CALL as error:
        logger.error("call not reconciled", call_sid=call_sid, error=type(error).__name__)
        run.report["failed"] += 1
