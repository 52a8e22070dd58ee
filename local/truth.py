"""What a call's log must say, from Twilio's own record of the call; nothing of the product has a say here.

A call is the simulator's truth about it, with every request that it sent to us. What only a webhook
tells (a digit, a city) must be known if one that told it was answered with 2xx, may be known if one
was tried, and cannot be known if none was. What Twilio's REST API tells must be known in any case.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Json = Mapping[str, Any]

SECONDS_OFF = 2.0
# Of no call: when a webhook came here, when it is forgotten, and how often it was written.
NOT_COMPARED = ("receivedAt", "expiresAt", "version")
# Twilio's words for the occasions on which it says who calls whom.
_TELL_THE_PARTIES = ("voice", "gather", "dial", "record", "call-status")
_UNANSWERED = ("no-answer", "busy", "failed")


@dataclass(frozen=True)
class Line:
    """A number as it was connected: whose it is, and whom it rings by menu choice."""

    number: str
    clinic_id: str = "none"
    rings: Mapping[str | None, str] = field(default_factory=dict)

    def right_numbers(self, call: Json) -> set[str]:
        """Whom this call may ring: by the digit pressed, or after a failure of ours the default."""
        by_choice = self.rings.get(_choice(call["digits"])) or self.rings.get(None)
        on_failure = self.rings.get(None) if _of_kind(call, "fallback") else None
        return {number for number in (by_choice, on_failure) if number}


@dataclass(frozen=True)
class Wanted:
    """The values that are right; an instant is right when it is near."""

    values: tuple[Any, ...]
    is_instant: bool = False

    def allows(self, got: Any) -> bool:
        if self.is_instant and got is not None and None not in self.values:
            return any(_seconds_between(value, got) <= SECONDS_OFF for value in self.values)
        return any(value == got and type(value) is type(got) for value in self.values)

    def __str__(self) -> str:
        return " or ".join(repr(value) for value in self.values)


@dataclass(frozen=True)
class Wrong:
    """One attribute of one call's log that is not as it must be."""

    call_sid: str
    attribute: str
    wanted: str
    got: Any

    def __str__(self) -> str:
        return f"{self.call_sid} {self.attribute}: wanted {self.wanted}, got {self.got!r}"


def reached(call: Json, line: Line) -> bool:
    """Whether the caller got what the line promises: the clinic's telephone, or words if there is none."""
    right = line.right_numbers(call)
    if not right:
        return not call["dialled"] and bool(call["said"])
    return bool(call["dialled"]) and set(call["dialled"]) <= right


def must_be_logged(call: Json, line: Line) -> bool:
    """A call to nobody's number is known only if a request about it came through."""
    return line.clinic_id != "none" or bool(_delivered(call, *_TELL_THE_PARTIES))


def transcripts_too_many(call: Json) -> int:
    """How many transcripts were ordered of recordings that had one."""
    of_recordings = [t["recordingSid"] for t in call["transcripts"] if t["recordingSid"]]
    return len(of_recordings) - len(set(of_recordings))


def wrong_fields(call: Json, line: Line, booked: bool, log: Json) -> Iterator[Wrong]:
    """Every attribute of a call's log that is wrong, missing or made up."""
    knowable = {**call, "transcripts": _knowable_transcripts(call, log)}
    wanted = expected(knowable, line, booked)
    for name in sorted((wanted.keys() | log.keys()) - {"booking", *NOT_COMPARED}):
        allowed = wanted.get(name, Wanted((None,)))
        if not allowed.allows(log.get(name)):
            yield Wrong(call["callSid"], name, str(allowed), log.get(name))
    yield from _wrong_verdict(call, log, wanted["summaryState"], wanted["appointmentBooked"])


def expected(call: Json, line: Line, booked: bool) -> dict[str, Wanted]:
    """By attribute, what the log of a finished call may say. `booked` is what its words amount to."""
    return {
        **_parties(call, line),
        **_course(call, line),
        **_clinics_leg(call),
        **_recording(call),
        **_summary(call, booked),
    }


def _parties(call: Json, line: Line) -> dict[str, Wanted]:
    params: Json = call["requests"][0]["params"]
    places = {
        name[0].lower() + name[1:]: params.get(name) or None
        for name in ("FromCity", "FromState", "FromZip", "FromCountry", "CallerName")
    }
    tells = _of_kind(call, *_TELL_THE_PARTIES)
    return {
        "callSid": Wanted((call["callSid"],)),
        "from": Wanted((call["from"],)),
        "to": Wanted((call["to"],)),
        "twilioPhoneNumber": Wanted((call["to"],)),
        "customerId": Wanted((line.clinic_id,)),
        **{name: _as_told(value, tells) for name, value in places.items()},
    }


def _course(call: Json, line: Line) -> dict[str, Wanted]:
    pressed = [r for r in call["requests"] if _choice(r["params"].get("Digits", ""))]
    return {
        "status": Wanted((call["status"],)),
        # Twilio's callback says 0 of a call that was not answered, its REST API says nothing.
        "duration": Wanted((call["duration"],) if call["duration"] else (0, None)),
        "menuChoice": _as_told(_choice(call["digits"]), pressed),
        "startedAt": Wanted((call["startTime"],), is_instant=True),
        "endedAt": Wanted((call["endTime"],), is_instant=True),
        "outcome": Wanted((outcome(call, line),)),
        "price": Wanted((call["price"],)),
        "priceUnit": Wanted(("USD" if call["price"] else None,)),
    }


def outcome(call: Json, line: Line) -> str:
    if line.clinic_id == "none":
        return "unknown_number"
    ended = [leg["status"] for leg in call["legs"]]
    if "completed" in ended:
        return "answered"
    if any(r["source"] == "RecordVerb" and r["status"] == "completed" for r in call["recordings"]):
        return "voicemail"
    if any(status in _UNANSWERED for status in ended):
        return "missed"
    return "failed" if call["status"] == "failed" else "abandoned"


def _clinics_leg(call: Json) -> dict[str, Wanted]:
    leg: Json = call["legs"][-1] if call["legs"] else {}
    dial_ended = {"completed": "answered"}.get(leg.get("status", ""), leg.get("status"))
    told = _of_kind(call, "dial")
    return {
        "dialCallSid": Wanted((leg.get("callSid"),)),
        "dialCallStatus": Wanted((dial_ended,)),
        "dialCallDuration": _as_told(leg.get("duration"), told, also=(leg.get("duration"),)),
        "legStatus": Wanted((leg.get("status"),)),
        "forwardedTo": Wanted((leg.get("to"),)),
        "answeredAt": Wanted((leg.get("connectedAt"),), is_instant=True),
    }


def _recording(call: Json) -> dict[str, Wanted]:
    recording = _main_recording(call)
    return {
        "recordingSid": Wanted((recording.get("sid"),)),
        "recordingUrl": Wanted((recording.get("url"),)),
        "recordingStatus": Wanted((recording.get("status"),)),
        "recordingDuration": Wanted((recording.get("duration"),)),
    }


def _main_recording(call: Json) -> Json:
    """What was said to the clinic speaks for a call, before a message left after it."""

    def rank(recording: Json) -> tuple[bool, bool]:
        return recording["status"] == "completed", recording["source"] == "DialVerb"

    return max(call["recordings"], key=rank, default={})


def _summary(call: Json, booked: bool) -> dict[str, Wanted]:
    live = tuple(t["sid"] for t in call["transcripts"] if not t["recordingSid"])
    recording = _main_recording(call)
    status = recording.get("status")
    transcribed = status == "completed" or bool(live)
    text = call["summary"] if transcribed else None
    state, reason = _state_and_reason(transcribed, text, status)
    main = recording.get("sid") if status == "completed" else None
    sids = tuple(t["sid"] for t in call["transcripts"] if t["recordingSid"] in (main, None))
    sids = sids or ("the transcript of its recording",)
    has_words = bool(text) or _was_spoken(call)
    return {
        "transcriptSid": Wanted(sids if transcribed else (None,)),
        "liveTranscriptSid": Wanted(live or (None,)),
        "summaryText": Wanted((text,)),
        "summaryReady": Wanted((state == "ready",)),
        "summaryState": Wanted((state,)),
        "summaryReason": Wanted((reason,)),
        "appointmentBooked": Wanted((booked if transcribed and has_words else None,)),
    }


def _state_and_reason(
    transcribed: bool, text: str | None, recording: str | None
) -> tuple[str, str | None]:
    if not transcribed:
        return "none", f"recording_{recording}" if recording else "not_recorded"
    return ("ready", None) if text else ("failed", "no_summary_operator")


def _was_spoken(call: Json) -> bool:
    ended = [thing["status"] for thing in (*call["legs"], *call["recordings"])]
    return "completed" in ended


def _knowable_transcripts(call: Json, log: Json) -> list[Json]:
    """A live transcript has no recording: only webhooks tell whose it is."""
    told = _of_kind(call, "transcription")
    maybe_told = any(request["attempt"] for request in told) and log.get("liveTranscriptSid")
    is_told = maybe_told or any(_came_through(request) for request in told)
    return [t for t in call["transcripts"] if t["recordingSid"] or is_told]


def _wrong_verdict(call: Json, log: Json, state: Wanted, booked: Wanted) -> Iterator[Wrong]:
    """A verdict's words must have been said; a call that was never summarised has no verdict."""
    verdict = log.get("booking")
    if state.allows("none") or verdict is None:
        if (verdict is None) != state.allows("none"):
            yield Wrong(call["callSid"], "booking", f"that of a summary {state}", verdict)
        return
    if not booked.allows(verdict["booked"]):
        yield Wrong(call["callSid"], "booking.booked", str(booked), verdict["booked"])
    for evidence in verdict["evidence"]:
        spoken = [call["summary"] or ""] if evidence["source"] == "summary" else call["words"]
        if not any(evidence["quote"] in words for words in spoken):
            yield Wrong(call["callSid"], "booking.evidence", "words that were said", evidence)


def _as_told(value: Any, tried: Sequence[Json], also: tuple[Any, ...] = ()) -> Wanted:
    """A value by whether the requests that told it came through; `also` is right without them."""
    if value is None:
        return Wanted((None,))
    if any(_came_through(request) for request in tried):
        return Wanted((value,))
    if any(request["attempt"] for request in tried):
        return Wanted((value, None))
    return Wanted((None, *also))


def _choice(digits: str) -> str | None:
    return next((digit for digit in digits if digit in "12"), None)


def _of_kind(call: Json, *kinds: str) -> list[Json]:
    return [request for request in call["requests"] if request["kind"] in kinds]


def _delivered(call: Json, *kinds: str) -> list[Json]:
    return [request for request in _of_kind(call, *kinds) if _came_through(request)]


def _came_through(request: Json) -> bool:
    return request["status"] is not None and 200 <= request["status"] < 300


def _seconds_between(one: str, other: str) -> float:
    return abs((datetime.fromisoformat(one) - datetime.fromisoformat(other)).total_seconds())
