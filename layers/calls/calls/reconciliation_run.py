"""One run of the reconciler: its share of time, what it found, and the calls that failed in it."""

import time
import uuid
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from aws_lambda_powertools import Logger

from calls import call_store, instants, reconciliation_store, twilio_api
from calls.reconciliation_store import Taken

logger = Logger(child=True)

MOST_CALLS = 2000
# So many in a row, and it is not one call that cannot be had, but Twilio.
MOST_AWAY = 3
LEASE_RENEWED_AFTER = 15  # seconds

# Twilio's refusal, others' writes to the same call, or a value of it that nobody thought of.
OF_ONE_CALL = (
    twilio_api.Refused,
    call_store.Contended,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
)

Report = dict[str, Any]
Recordings = dict[str, list[Any]]


@dataclass(frozen=True)
class Patience:
    """Seconds: how long webhooks may be on their way, work in the queue, and work queued here."""

    for_webhooks: int
    for_work: int
    for_queued: int


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
    failed: set[str] = field(default_factory=set)
    repaired: set[str] = field(default_factory=set)
    recordings: dict[str, Recordings] = field(default_factory=dict)
    leased_at: float = 0.0
    away: int = 0
    trouble: str | None = None
    report: Report = field(
        default_factory=lambda: {
            "lines": 0,
            "created": 0,
            "completed": 0,
            "transcriptsOrdered": 0,
            "summariesFetched": 0,
            "givenUp": 0,
        }
    )

    def go_on(self) -> None:
        """Raises Stopped when the run has had its share."""
        if self.away >= MOST_AWAY:
            raise Stopped(self.trouble)
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

    def attempt(self, call_sid: str, act: Callable[[], None]) -> Exception | None:
        """Act on one call; what goes wrong about it is the answer, and keeps nobody from the others."""
        try:
            act()
        except (*OF_ONE_CALL, twilio_api.Unavailable) as error:
            logger.error("call not reconciled", call_sid=call_sid, error=type(error).__name__)
            self.failed.add(call_sid)
            if isinstance(error, twilio_api.Unavailable):
                self.was_away(error)
            else:
                self.away = 0
            return error
        self.away = 0
        return None

    def was_away(self, error: twilio_api.Unavailable) -> None:
        """Remember that something could not be had; the run ends at once where it is told to wait."""
        self.trouble = f"twilio: {error}"
        self.away = MOST_AWAY if isinstance(error, twilio_api.TooMany) else self.away + 1

    def recordings_of(self, call_sid: str, day: str) -> list[Any]:
        """A call's recordings that began on a day, from a list that many calls share."""
        if day not in self.recordings:
            by_call: Recordings = defaultdict(list)
            for one in twilio_api.recordings_made(day):
                by_call[one.call_sid].append(one)
            self.recordings[day] = by_call
        return self.recordings[day].get(call_sid, [])
