"""Facts about a call: what each webhook or REST answer says of it, and which saying holds.

A fact is `{"value": …, "source": …}`. Facts are merged by a fixed ranking, never by arrival order,
so that any order and any repetition of the same webhooks leaves the same facts.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from calls import instants, routes
from calls.phone_numbers import line_key
from calls.reception import ANSWERED, menu_choice
from calls.twiml import SUMMARISED

Fact = dict[str, Any]
Facts = dict[str, Fact]
Params = Mapping[str, str]

# Twilio's own list of calls knows best, then the callback at a call's end; what was only deduced
# gives way to whatever is said.
SOURCES = ("deduced", "webhook", "leg", "voice", "dial", "status", "rest")
# Those of webhooks, so of facts that can be told again from what is kept of them.
WEBHOOKS = ("webhook", "leg", "voice", "dial", "status")

# A status only moves forward; all that end a call or a recording stand on one step.
PROGRESS = {"queued": 0, "initiated": 1, "ringing": 2, "in-progress": 3}
FINAL = 4
RECORDING_PROGRESS = {"in-progress": 0, "processing": 1, "absent": 2, "failed": 2, "completed": 3}

# Twilio's own list knows; of all others the earliest holds, whichever of them says it.
EARLIEST = ("startedAt", "answeredAt")
# A webhook without a time of its own has that of its receipt: of repetitions, the first.
INSTANTS = (*EARLIEST, "endedAt")


def facts_from(route: str, params: Params, received_at: str) -> Facts:
    """What one webhook says of its call. Unknown routes and parameters say nothing."""
    reader = READERS.get(route)
    if reader is None:
        return {}
    at = instants.from_twilio(params.get("Timestamp")) or received_at
    return reader(params, at)


def merged(facts: Facts, new: Facts) -> Facts:
    """Both together; the same result in any order, and however often."""
    return facts | {name: _stronger(name, facts.get(name), fact) for name, fact in new.items()}


def known(source: str, **values: Any) -> Facts:
    """Facts of one source, without those whose value is missing or blank."""
    return {
        name: {"value": value, "source": source}
        for name, value in values.items()
        if value not in (None, "")
    }


def _stronger(name: str, one: Fact | None, other: Fact) -> Fact:
    if one is None:
        return other
    if name.startswith("recordings."):
        return _combined(one, other)
    strengths = _strength(name, one), _strength(name, other)
    if strengths[0] != strengths[1]:
        return one if strengths[0] > strengths[1] else other
    choose = min if name in INSTANTS else max
    return choose(one, other, key=lambda fact: (_spelled(fact["value"]), fact["source"]))


def _strength(name: str, fact: Fact) -> tuple[int, int]:
    if name in EARLIEST:
        return 0, int(fact["source"] == "rest")
    progress = PROGRESS.get(fact["value"], FINAL) if name in ("status", "legStatus") else 0
    return progress, SOURCES.index(fact["source"])


def _combined(one: Fact, other: Fact) -> Fact:
    """A recording's fields, each from the saying that was further on."""
    fields = dict(one["value"])
    for field, said in other["value"].items():
        fields[field] = max(fields.get(field, said), said, key=lambda s: (s["step"], _spelled(s)))
    return {"value": fields, "source": max(one["source"], other["source"], key=SOURCES.index)}


def _spelled(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=str)


def _voice(params: Params, at: str) -> Facts:
    return _parent(params, "voice", at) | known(
        "voice", menuChoice=menu_choice(params.get("Digits")), status=params.get("CallStatus")
    )


def _parent(params: Params, source: str, at: str) -> Facts:
    """Who called whom, as every webhook about the patient's own leg says it."""
    facts = known(
        source,
        twilioPhoneNumber=line_key(params["To"]) if params.get("To") else None,
        to=params.get("To"),
        callerName=params.get("CallerName"),
        fromCity=params.get("FromCity"),
        fromState=params.get("FromState"),
        fromZip=params.get("FromZip"),
        fromCountry=params.get("FromCountry"),
        startedAt=at,
    )
    return facts | known(source, **{"from": params.get("From")})


def _dial(params: Params, at: str) -> Facts:
    url = params.get("RecordingUrl") or ""
    said = {"status": "processing", "source": "DialVerb", "url": url}
    return (
        _parent(params, "webhook", at)
        | recording(url.rpartition("/")[2], said)
        | known(
            "dial",
            status=params.get("CallStatus"),
            dialCallStatus=dial_call_status(
                params.get("DialCallStatus"), params.get("DialBridged")
            ),
            dialCallSid=params.get("DialCallSid"),
            dialCallDuration=whole(params.get("DialCallDuration")),
        )
    )


def _voicemail(params: Params, at: str) -> Facts:
    facts = _parent(params, "webhook", at) | known("voice", status=params.get("CallStatus"))
    seconds = whole(params.get("RecordingDuration"))
    said = {
        "status": "processing",
        "source": "RecordVerb",
        "url": params.get("RecordingUrl"),
        "duration": seconds,
    }
    return facts | recording(params.get("RecordingSid"), said)


def _status(params: Params, at: str) -> Facts:
    return _leg(params, at) if params.get("ParentCallSid") else _call(params, at)


def _leg(params: Params, at: str) -> Facts:
    status = params.get("CallStatus")
    return known(
        "leg",
        startedAt=at,
        legStatus=status,
        dialCallSid=params.get("CallSid"),
        forwardedTo=params.get("To"),
        answeredAt=at if status == "in-progress" else None,
    )


def _call(params: Params, at: str) -> Facts:
    status = params.get("CallStatus")
    ended = PROGRESS.get(status or "", FINAL) == FINAL
    duration = whole(params.get("CallDuration"))
    # Twilio's seconds are whole; a second less never comes before a start that was seen.
    began = instants.before(at, max(0, (duration or 0) - 1)) if ended else at
    return _parent(params, "webhook", began) | known(
        "status", status=status, duration=duration, endedAt=at if ended else None
    )


def _recording_callback(params: Params, at: str) -> Facts:
    said = {
        "status": params.get("RecordingStatus"),
        "source": params.get("RecordingSource"),
        "url": params.get("RecordingUrl"),
        "duration": whole(params.get("RecordingDuration")),
        "channels": whole(params.get("RecordingChannels")),
        "startedAt": instants.from_twilio(params.get("RecordingStartTime")),
    }
    return recording(params.get("RecordingSid"), said) | known(
        "webhook", startedAt=said["startedAt"] or at
    )


def recording(sid: str | None, said: Mapping[str, Any], source: str = "webhook") -> Facts:
    """What is said of one recording; a field holds from the saying that was further on."""
    if not sid:
        return {}
    step = RECORDING_PROGRESS.get(str(said["status"]), 0)
    fields = {k: {"value": v, "step": step} for k, v in said.items() if v not in (None, "")}
    return {f"recordings.{sid}": {"value": fields, "source": source}}


def _transcription(params: Params, at: str) -> Facts:
    """The words themselves stay in CallEvents; a call only learns that they will be summarised."""
    if params.get("TranscriptionEvent") != "transcription-started":
        return {}
    summarised = params.get("Name") == SUMMARISED
    sid = params.get("TranscriptionSid") if summarised else None
    return known("webhook", startedAt=at, liveTranscriptSid=sid)


def dial_call_status(status: str | None, bridged: str | None) -> str | None:
    """The seed's word for how the dial ended: Twilio's `completed` is `answered` if it was bridged."""
    if status in ANSWERED:
        return "no-answer" if bridged == "false" else "answered"
    return status


def whole(number: str | None) -> int | None:
    """Twilio writes numbers as text; None for what is none (a running recording's `-1`)."""
    return int(number) if number and number.isdecimal() else None


READERS: dict[str, Callable[[Params, str], Facts]] = {
    routes.INCOMING: _voice,
    routes.DIAL_STATUS: _dial,
    routes.VOICEMAIL: _voicemail,
    routes.STATUS_CALLBACK: _status,
    routes.RECORDING_STATUS: _recording_callback,
    routes.TRANSCRIPTION: _transcription,
}
