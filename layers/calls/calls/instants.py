"""Instants as Ringbook stores them: ISO 8601 in UTC with milliseconds, so that text order is time order."""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime


def now() -> str:
    return iso(datetime.now(UTC))


def iso(moment: datetime) -> str:
    """`2026-11-22T14:00:00.000Z`; a moment without a zone is taken as UTC."""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return aware.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parsed(text: str) -> datetime:
    """The moment that an ISO 8601 text names, in UTC. Raises ValueError for anything else."""
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)


def from_twilio(timestamp: str | None) -> str | None:
    """Twilio's callbacks carry RFC 2822 (voice) or ISO 8601 (transcription); None if it is neither."""
    if not timestamp:
        return None
    for read in (parsedate_to_datetime, parsed):
        try:
            return iso(read(timestamp))
        except (ValueError, OverflowError):
            continue
    return None


def seconds_between(earlier: str, later: str) -> float:
    return (parsed(later) - parsed(earlier)).total_seconds()


def from_epoch_ms(milliseconds: int) -> str:
    return iso(datetime.fromtimestamp(milliseconds / 1000, UTC))


def before(moment: str, seconds: int) -> str:
    return iso(parsed(moment) - timedelta(seconds=seconds))


def whole_second(moment: str) -> str:
    """The second in which an instant lies, as Twilio's lists tell it."""
    return iso(parsed(moment).replace(microsecond=0))
