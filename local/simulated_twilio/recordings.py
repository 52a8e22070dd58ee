"""Recordings of calls: started by Dial or Record, processed after the end, then told of."""

import xml.etree.ElementTree as ET
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

from .live_call import LiveCall
from .resources import Recording
from .timing import now, rfc2822
from .trace import WebhookRequest

PROCESSING_SECONDS = 3.0
EVENTS = ("in-progress", "completed", "absent")


@dataclass
class RecordingSession:
    """A recording that runs, and the callback it was subscribed to (`url` empty: none)."""

    live: LiveCall
    recording: Recording
    url: str
    method: str
    events: list[str]

    def stop(self) -> None:
        self.recording.ended_at = now()
        self.recording.become("processing")
        self.live.trace.in_background(self._process())

    def discard(self) -> None:
        """Nothing was recorded."""
        self.recording.ended_at = now()
        self.recording.become("absent")
        self.tell()

    async def _process(self) -> None:
        await self.live.pass_time(PROCESSING_SECONDS)
        self.recording.become("completed")
        self.recording.price = "-0.00250"
        self.tell()
        for service in self.live.account.services.values():
            if service.auto_transcribe:
                self.live.intelligence.transcribe(service, self.recording)

    def tell(self) -> None:
        recording = self.recording
        if not self.url or recording.status not in self.events:
            return
        params = {
            "AccountSid": self.live.account.sid,
            "CallSid": recording.call_sid,
            "RecordingSid": recording.sid,
            "RecordingUrl": self.live.account.recording_url(recording),
            "RecordingStatus": recording.status,
            "RecordingChannels": str(recording.channels),
            "RecordingStartTime": rfc2822(recording.started_at) or "",
            "RecordingSource": recording.source,
            "RecordingTrack": "both",
        }
        if recording.status == "completed":
            params["RecordingDuration"] = str(recording.duration)
        if recording.status != "in-progress":
            params["ErrorCode"] = "0"
        self.live.tell(WebhookRequest("recording-status", self.method, self.url, params))


def start(
    live: LiveCall, verb: ET.Element, base: str, source: str, channels: int
) -> RecordingSession:
    recording = Recording(live.call.sid, source, channels)
    live.account.recordings[recording.sid] = recording
    session = RecordingSession(
        live,
        recording,
        url=_callback_url(live, verb, base),
        method=verb.get("recordingStatusCallbackMethod", "POST"),
        events=_events(live, verb),
    )
    session.tell()
    return session


def _callback_url(live: LiveCall, verb: ET.Element, base: str) -> str:
    given = verb.get("recordingStatusCallback")
    if given is None:
        return ""
    url = urljoin(base, given)
    if urlsplit(url).scheme not in ("http", "https") or any(c.isspace() for c in url):
        live.warn(13256, "recordingStatusCallback is no valid URL: no callbacks")
        return ""
    return url


def _events(live: LiveCall, verb: ET.Element) -> list[str]:
    events = verb.get("recordingStatusCallbackEvent", "completed").split()
    for event in events:
        if event not in EVENTS:
            live.warn(13621, f"there is no recording event '{event}'")
    return events
