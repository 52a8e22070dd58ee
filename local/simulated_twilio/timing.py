"""The simulated clock: people and machines take scaled time, every timestamp is wall time."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime


@dataclass
class Clock:
    """How much faster than life things happen.

    `time_scale` multiplies what people and Twilio's machines take (ringing, talking, silence,
    transcription); `http_time_scale` multiplies Twilio's patience with our HTTP answers.
    """

    time_scale: float = 0.05
    http_time_scale: float = 1.0

    async def pass_time(self, seconds: float) -> None:
        await asyncio.sleep(seconds * self.time_scale)


def now() -> datetime:
    return datetime.now(UTC)


def rfc2822(instant: datetime | None) -> str | None:
    return None if instant is None else format_datetime(instant)


def iso8601(instant: datetime | None) -> str | None:
    return None if instant is None else instant.strftime("%Y-%m-%dT%H:%M:%SZ")


def iso8601_precise(instant: datetime | None) -> str | None:
    return None if instant is None else instant.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def seconds_between(start: datetime, end: datetime) -> int:
    """Whole seconds, as the difference of the two timestamps that Twilio shows; at least one."""
    return max(1, int(end.timestamp()) - int(start.timestamp()))
