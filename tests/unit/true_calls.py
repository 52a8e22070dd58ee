"""What Twilio truly tells of whole calls, webhook by webhook, in the shape of the sample events."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import cache
from typing import Any

from tests.unit.signed import CI_KEY, form_event, json_event
from tests.unit.twilio_side import (
    CALL_SID,
    CLINIC_PHONE,
    LEG_SID,
    LINE,
    MESSAGE_SID,
    RECORDING_SID,
    TRANSCRIPT_SID,
    sample,
    sample_params,
)

START = datetime(2026, 11, 9, 16, 30, tzinfo=UTC)
ACCOUNT_SID = "AC" + "a" * 32
# Twilio tells it some time after it happened.
ON_ITS_WAY = 0.35


@dataclass(frozen=True)
class Told:
    """A webhook: which function it is for, what it says, and when it is received, s after the start."""

    function: str
    params: Mapping[str, str]
    received: float

    def again(self, later: float) -> "Told":
        """The same once more: Twilio got no answer in time, or thinks so."""
        return replace(self, received=self.received + later)

    @property
    def event(self) -> dict[str, Any]:
        received_at = START + timedelta(seconds=self.received)
        event = _signed(self.function, tuple(sorted(self.params.items())))
        context = event["requestContext"] | {"timeEpoch": int(received_at.timestamp() * 1000)}
        return event | {"requestContext": context}


@cache
def _signed(function: str, params: tuple[tuple[str, str], ...]) -> dict[str, Any]:
    if function == "transcript_ready":
        return json_event(f"/api/twilio/ci-status/{CI_KEY}", dict(params), key=CI_KEY)
    return form_event(sample(function)["rawPath"], dict(params))


def moment(second: float) -> str:
    return format_datetime(START + timedelta(seconds=second))


def told(function: str, second: float, **said: str | None) -> Told:
    """A sample webhook with other words; None takes a parameter away."""
    params = {k: v for k, v in (sample_params(function) | said).items() if v is not None}
    return Told(function, params, second + ON_ITS_WAY)


def rings(second: float, **said: str | None) -> Told:
    return told("incoming_call", second, **said)


def leg(second: float, status: str, number: int, **said: str) -> Told:
    """The clinic's telephone. Which of its webhooks it is, is in the SequenceNumber."""
    params = {
        name: said for name, said in sample_params("call_status").items() if "City" not in name
    }
    params |= {"CallSid": LEG_SID, "ParentCallSid": CALL_SID, "Direction": "outbound-dial"}
    params |= {"From": LINE, "To": CLINIC_PHONE, "CallStatus": status, "Timestamp": moment(second)}
    params.pop("CallDuration")
    params |= {"SequenceNumber": str(number)} | said
    return Told("call_status", params, second + ON_ITS_WAY)


def legs(*steps: tuple[float, str]) -> list[Told]:
    return [leg(second, status, number) for number, (second, status) in enumerate(steps)]


def dialled(second: float, status: str, **said: str | None) -> Told:
    """The dial's action: of a call that was not answered, without what only an answered one has."""
    spoken = {} if status == "completed" else {"DialCallDuration": None, "RecordingUrl": None}
    bridged = "true" if status == "completed" else "false"
    return told(
        "dial_finished",
        second,
        **{"DialCallStatus": status, "DialBridged": bridged} | spoken | said,
    )


def recording(second: float, status: str, sid: str = RECORDING_SID, **said: str | None) -> Told:
    source = {"RecordingSource": "RecordVerb" if sid == MESSAGE_SID else "DialVerb"}
    url = f"https://api.twilio.com/2010-04-01/Accounts/{ACCOUNT_SID}/Recordings/{sid}"
    length = {} if status == "completed" else {"RecordingDuration": None}
    said = (
        source
        | {"RecordingSid": sid, "RecordingStatus": status, "RecordingUrl": url}
        | length
        | said
    )
    return told("recording_ready", second, **said)


def message_left(second: float, seconds: int) -> Told:
    return told("voicemail_left", second, RecordingDuration=str(seconds))


def ended(second: float, status: str = "completed", **said: str | None) -> Told:
    length = str(int(second)) if status == "completed" else "0"
    times = {"CallStatus": status, "CallDuration": length, "Timestamp": moment(second)}
    return told("call_status", second, **times | said)


def words(second: float, event: str, number: int, name: str, **said: str | None) -> Told:
    only_content = dict.fromkeys(("Final", "Track", "TranscriptionData"))
    shape = {} if event == "transcription-content" else only_content
    named = {"Name": name} if event == "transcription-started" else {}
    at = (START + timedelta(seconds=second)).isoformat().replace("+00:00", "Z")
    common = {"TranscriptionEvent": event, "SequenceId": str(number), "Timestamp": at}
    return told("live_transcript", second, **common | shape | named | said)


def live_words(first: float, last: float, name: str) -> list[Told]:
    return [
        words(first, "transcription-started", 1, name),
        words(first + 2, "transcription-content", 2, name),
        words(last, "transcription-stopped", 3, name),
    ]


def transcript(second: float) -> Told:
    said = {"account_sid": ACCOUNT_SID, "transcript_sid": TRANSCRIPT_SID, "customer_key": CALL_SID}
    return Told(
        "transcript_ready", said | {"event_type": "voice_intelligence_transcript_available"}, second
    )


CALLS: dict[str, list[Told]] = {
    "answered, recorded and transcribed": [
        rings(0),
        *legs((1, "initiated"), (2, "ringing"), (12, "in-progress")),
        recording(12, "in-progress"),
        leg(50, "completed", 3, CallDuration="38"),
        dialled(50, "completed", DialCallDuration="38"),
        ended(51),
        recording(54, "completed", RecordingDuration="38"),
        transcript(90),
    ],
    "a menu, silence, then 2": [
        rings(0),
        rings(6, CallStatus="in-progress", Digits=""),
        rings(9, CallStatus="in-progress", Digits="2"),
        *legs((10, "initiated"), (11, "ringing"), (14, "in-progress")),
        leg(40, "completed", 3, CallDuration="26"),
        dialled(40, "completed", DialCallDuration="26", RecordingUrl=None),
        ended(41),
    ],
    "busy, then a message": [
        rings(0),
        *legs((1, "initiated"), (2, "busy")),
        dialled(2, "busy", CallStatus="in-progress"),
        recording(12, "in-progress", MESSAGE_SID),
        message_left(31, 18),
        ended(33),
        recording(35, "completed", MESSAGE_SID, RecordingDuration="17", RecordingChannels="1"),
        transcript(60),
    ],
    "given up while it rang": [
        rings(0),
        *legs((1, "initiated"), (2, "ringing"), (9, "canceled")),
        dialled(9, "canceled", CallStatus="completed"),
        recording(10, "absent"),
        ended(9, "no-answer", Timestamp=None),
    ],
    "the clinic's number failed, no message": [
        rings(0),
        *legs((1, "initiated"), (1, "failed")),
        dialled(1, "failed"),
        recording(15, "absent", MESSAGE_SID),
        ended(16),
    ],
    "the fallback rang the clinic": [
        *legs((3, "initiated"), (4, "ringing"), (9, "in-progress")),
        leg(40, "completed", 3, CallDuration="31"),
        ended(41),
    ],
    "the fallback took a message": [
        recording(20, "in-progress", MESSAGE_SID),
        message_left(41, 20),
        ended(43),
        recording(45, "completed", MESSAGE_SID, RecordingDuration="20", RecordingChannels="1"),
    ],
    "answered, its end not told, and the fallback took a message": [
        rings(0),
        *legs((1, "initiated"), (2, "ringing"), (12, "in-progress")),
        leg(50, "completed", 3, CallDuration="38"),
        recording(54, "completed", RecordingDuration="38"),
        message_left(61, 5),
        ended(63),
        recording(65, "completed", MESSAGE_SID, RecordingDuration="5", RecordingChannels="1"),
    ],
    "transcribed while it was spoken": [
        rings(0),
        *live_words(2, 30, "summarised"),
        *legs((2, "initiated"), (3, "ringing"), (8, "in-progress"), (30, "completed")),
        dialled(30, "completed", DialCallDuration="22", RecordingUrl=None),
        ended(31),
        transcript(60),
    ],
    "recorded, and words while it was spoken": [
        rings(0),
        *live_words(2, 30, "words"),
        *legs((2, "initiated"), (3, "ringing"), (8, "in-progress"), (30, "completed")),
        recording(8, "in-progress"),
        dialled(30, "completed", DialCallDuration="22"),
        recording(33, "completed", RecordingDuration="22"),
        ended(31),
    ],
}
AMOUNTS_TO = {
    "answered, recorded and transcribed": ("answered", "pending"),
    "a menu, silence, then 2": ("answered", "none"),
    "busy, then a message": ("voicemail", "pending"),
    "given up while it rang": ("abandoned", "none"),
    "the clinic's number failed, no message": ("missed", "none"),
    "the fallback rang the clinic": ("answered", "none"),
    "the fallback took a message": ("voicemail", "pending"),
    "answered, its end not told, and the fallback took a message": ("answered", "pending"),
    "transcribed while it was spoken": ("answered", "pending"),
    "recorded, and words while it was spoken": ("answered", "pending"),
}
