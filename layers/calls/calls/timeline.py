"""What happened in a call, step by step, as a clinic reads it."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from calls import instants, routes
from calls.call_store import Event

LEG = "leg"
# What each webhook tells, and the parameter that holds the detail; in a call's usual order.
STEPS = {
    routes.INCOMING: ("called", "Digits"),
    LEG: ("clinic's telephone", "CallStatus"),
    routes.TRANSCRIPTION: ("live transcription", "TranscriptionEvent"),
    routes.DIAL_STATUS: ("dial finished", "DialCallStatus"),
    routes.VOICEMAIL: ("voicemail left", "RecordingDuration"),
    routes.STATUS_CALLBACK: ("call", "CallStatus"),
    routes.RECORDING_STATUS: ("recording", "RecordingStatus"),
    routes.CI_STATUS: ("transcript ready", ""),
}
ORDER = list(STEPS)
SPEAKERS = {"inbound_track": "caller", "outbound_track": "agent"}


def timeline(events: Iterable[Event]) -> list[dict[str, Any]]:
    """Steps `{"at", "event", "detail"?}` in the order in which Twilio says they happened."""
    steps = [event for event in events if not _is_utterance(event)]
    return [_step(event) for event in sorted(steps, key=_when)]


def spoken(events: Iterable[Event], started_at: str) -> list[dict[str, Any]]:
    """The turns of a live transcription, in Twilio's order, each once. Seconds since the start."""
    said = {
        (event.params.get("TranscriptionSid"), int(event.params.get("SequenceId") or 0)): event
        for event in events
        if _is_utterance(event)
    }
    return [_turn(said[key], started_at) for key in sorted(said)]


def _when(event: Event) -> tuple[str, int, str, str]:
    """Twilio's own times are whole seconds: within one, the usual order is the better guess."""
    at, kind = _at(event), _kind(event)
    rank = ORDER.index(kind) if kind in ORDER else len(ORDER)
    return at[:19], rank, event.params.get("SequenceNumber", ""), at


def _kind(event: Event) -> str:
    return LEG if event.params.get("ParentCallSid") else event.route


def _step(event: Event) -> dict[str, Any]:
    name, parameter = STEPS.get(_kind(event), (event.route, ""))
    detail = event.params.get(parameter)
    return {"at": _at(event), "event": name} | ({"detail": detail} if detail else {})


def _turn(event: Event, started_at: str) -> dict[str, Any]:
    return {
        "speaker": SPEAKERS.get(event.params.get("Track", ""), "agent"),
        "text": _transcription(event.params).get("transcript", ""),
        "start": max(0.0, instants.seconds_between(started_at, _at(event))),
        "end": None,
    }


def _at(event: Event) -> str:
    return instants.from_twilio(event.params.get("Timestamp")) or event.received_at


def _is_utterance(event: Event) -> bool:
    return event.params.get("TranscriptionEvent") == "transcription-content"


def _transcription(params: Mapping[str, str]) -> dict[str, Any]:
    try:
        said = json.loads(params.get("TranscriptionData", ""))
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}
