"""Which calls a clinic asks for: filters, the index that serves them, and signed cursors."""

import base64
import hashlib
import hmac
import json
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from calls import instants
from calls.call_store import Selection
from calls.json_api import Request
from calls.phone_numbers import line_key
from calls.problems import Problem


def _instant(text: str) -> str:
    try:
        return instants.iso(instants.parsed(text))
    except (ValueError, OverflowError) as error:
        raise ValueError("is no ISO 8601 instant, such as 2026-11-22T14:00:00Z") from error


EARLIEST, LATEST = "0001-01-01T00:00:00.000Z", "9999-12-31T00:00:00.000Z"

Instant = Annotated[str, AfterValidator(_instant)]
Outcome = Literal[
    "in_progress", "answered", "missed", "voicemail", "abandoned", "failed", "unknown_number"
]


class Period(Request):
    """Instants from `from`, inclusive, to `to`, exclusive; and the clinic, if an admin asks."""

    from_: Annotated[Instant, Field(alias="from")] = EARLIEST
    to: Instant = LATEST
    clinic_id: str | None = None

    @field_validator("to")
    @classmethod
    def _not_before_from(cls, to: str, info: ValidationInfo) -> str:
        if to < info.data.get("from_", ""):
            raise ValueError("lies before from")
        return to

    def selection(self, clinic_id: str) -> Selection:
        return Selection("ByCustomer", "customerId", clinic_id, self.from_, self.last)

    @property
    def last(self) -> str:
        """The end of the period as an inclusive bound: after every earlier instant, before `to`."""
        return self.to.removesuffix("Z")


class ListQuery(Period):
    booked: Literal["true", "false", "unknown"] | None = None
    outcome: Outcome | None = None
    menu_choice: Literal["1", "2"] | None = None
    phone_number: str | None = None
    summary_state: Literal["none", "pending", "ready", "failed"] | None = None
    limit: Annotated[int, Field(ge=1, le=100)] = 25
    cursor: str | None = None

    def selection(self, clinic_id: str) -> Selection:
        """One index by its key; what else is asked filters it."""
        keys = {
            "customerSummary": self.summary_state and f"{clinic_id}#{self.summary_state}",
            "customerBooked": self.booked and f"{clinic_id}#{self.booked}",
            "customerId": clinic_id,
        }
        key = next(name for name, value in keys.items() if value)
        also = keys | {
            "outcome": self.outcome,
            "menuChoice": self.menu_choice,
            "twilioPhoneNumber": self.phone_number and line_key(self.phone_number),
        }
        return Selection(
            INDEXES[key],
            key,
            str(keys[key]),
            self.from_,
            self.last,
            tuple((name, value) for name, value in also.items() if value and name != key),
        )


INDEXES = {"customerSummary": "BySummary", "customerBooked": "ByBooked", "customerId": "ByCustomer"}


def cursor(selection: Selection, next_key: dict[str, str] | None, signing_key: str) -> str | None:
    """Where the next page of this very query starts, or None at the end."""
    if next_key is None:
        return None
    body = json.dumps(next_key, sort_keys=True).encode()
    return base64.urlsafe_b64encode(_mac(selection, body, signing_key) + body).decode()


def opened(selection: Selection, cursor: str | None, signing_key: str) -> dict[str, str] | None:
    """The key in a cursor. Raises Problem 400 if it was altered, or is of another query."""
    if cursor is None:
        return None
    try:
        raw = base64.urlsafe_b64decode(cursor.encode())
    except ValueError:
        raw = b""
    mac, body = raw[:32], raw[32:]
    unaltered = base64.urlsafe_b64encode(raw).decode() == cursor
    if not unaltered or not hmac.compare_digest(mac, _mac(selection, body, signing_key)):
        detail = "Use the cursor of the page before, with the same filters, unchanged."
        raise Problem(400, "Bad cursor", detail, field="cursor")
    return dict(json.loads(body))


def _mac(selection: Selection, body: bytes, signing_key: str) -> bytes:
    said = b"cursor\0" + repr(selection).encode() + b"\0" + body
    return hmac.digest(signing_key.encode(), said, hashlib.sha256)


def stats(items: Any) -> dict[str, Any]:
    """Counts of calls by how they ended, what was booked and who called; duration in seconds."""
    # A year of calls is large: of each, only what is counted stays.
    counted = ("outcome", "appointmentBooked", "menuChoice", "duration")
    calls = [{name: item.get(name) for name in counted} for item in items]
    durations = [call["duration"] for call in calls if call["duration"] is not None]
    return {
        "calls": len(calls),
        "byOutcome": {o: _count(calls, "outcome", o) for o in Outcome.__args__},  # type: ignore[attr-defined]
        "booked": _count(calls, "appointmentBooked", True),
        "notBooked": _count(calls, "appointmentBooked", False),
        "unknown": _count(calls, "appointmentBooked", None),
        "averageDuration": round(sum(durations) / len(durations), 1) if durations else None,
        "newPatients": _count(calls, "menuChoice", "1"),
        "existingPatients": _count(calls, "menuChoice", "2"),
    }


def _count(calls: list[dict[str, Any]], name: str, value: Any) -> int:
    return sum(call.get(name) == value for call in calls)
