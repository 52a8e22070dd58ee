"""What happened in a call, step by step, as a clinic reads it."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from calls import instants, routes
from calls.call_store import Event

# What each webhook tells, and the parameter that holds the detail.
STEPS = {
    routes.INCOMING: ("called", "Digits"),
    routes.DIAL_STATUS: ("dial finished", "DialCallStatus"),
    routes.VOICEMAIL: ("voicemail left", "RecordingDuration"),
    routes.STATUS_CALLBACK: ("call", "CallStatus"),
    routes.RECORDING_STATUS: ("recording", "RecordingStatus"),
    routes.TRANSCRIPTION: ("live transcription", "TranscriptionEvent"),
    routes.CI_STATUS: ("transcript ready", ""),
}
SPEAKERS = {"inbound_track": "caller", "outbound_track": "agent"}


def timeline(events: Iterable[Event]) -> list[dict[str, Any]]:
    """Steps `{"at", "event", "detail"?}` in the order in which Twilio says they happened."""
    steps = [_step(event) for event in events if not _is_utterance(event)]
    return sorted(steps, key=lambda step: step["at"])


def spoken(events: Iterable[Event], started_at: str) -> list[dict[str, Any]]:
    """The turns of a live transcription, in Twilio's order, each once. Seconds since the start."""
    said = {
        (event.params.get("TranscriptionSid"), int(event.params.get("SequenceId") or 0)): event
        for event in events
        if _is_utterance(event)
    }
    return [_turn(said[key], started_at) for key in sorted(said)]


def _step(event: Event) -> dict[str, Any]:
    name, parameter = STEPS.get(event.route, (event.route, ""))
    leg = event.params.get("ParentCallSid")
    detail = event.params.get(parameter)
    step = {"at": _at(event), "event": "clinic's telephone" if leg else name}
    return step | ({"detail": detail} if detail else {})


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
