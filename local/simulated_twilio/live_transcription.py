"""Real-time transcription: what is said on a call is sent on as it is said."""

import asyncio
import json
import xml.etree.ElementTree as ET
from dataclasses import dataclass, field

from .live_call import LiveCall
from .resources import Utterance, new_sid
from .timing import iso8601_precise, now
from .trace import WebhookRequest

_TRACKS = {"caller": "inbound_track", "agent": "outbound_track"}


@dataclass
class LiveTranscription:
    """One <Start><Transcription>; on the caller's leg inbound is the caller's voice."""

    live: LiveCall
    noun: ET.Element
    sid: str = field(default_factory=lambda: new_sid("GT"))
    sequence: int = 0
    utterances: list[Utterance] = field(default_factory=list)
    order_of_track: dict[str, asyncio.Lock] = field(
        default_factory=lambda: {track: asyncio.Lock() for track in _TRACKS.values()}
    )

    @property
    def name(self) -> str:
        return self.noun.get("name") or self.sid

    def begin(self) -> None:
        attribute = self.noun.get
        provider = {
            "profanityFilter": attribute("profanityFilter", "true"),
            "speechModel": attribute("speechModel", "telephony"),
            "enableAutomaticPunctuation": attribute("enableAutomaticPunctuation", "true"),
            "hints": attribute("hints", ""),
        }
        self._tell(
            "transcription-started",
            {
                "Name": self.name,
                "Track": attribute("track", "both_tracks"),
                "InboundTrackLabel": attribute("inboundTrackLabel", ""),
                "OutboundTrackLabel": attribute("outboundTrackLabel", ""),
                "PartialResults": attribute("partialResults", "false"),
                "TranscriptionEngine": attribute("transcriptionEngine", "google"),
                "ProviderConfiguration": json.dumps(provider),
            },
        )

    def hear(self, utterance: Utterance) -> None:
        track = _TRACKS[utterance.speaker]
        if self.noun.get("track", "both_tracks") not in (track, "both_tracks"):
            return
        self.utterances.append(utterance)
        words = utterance.text.split()
        if self.noun.get("partialResults") == "true" and len(words) > 1:
            self._content(track, " ".join(words[: len(words) // 2]), final=False)
        self._content(track, utterance.text, final=True)

    def stop(self) -> None:
        self._tell("transcription-stopped", {})
        wanted = self.noun.get("intelligenceService")
        if not wanted:
            return
        service = self.live.account.service(wanted)
        if service is None:
            self.live.warn(32650, "no such intelligenceService: nothing is kept")
            return
        self.live.intelligence.keep(service, self.sid, self.live.call.sid, self.utterances)

    def _content(self, track: str, text: str, final: bool) -> None:
        params = {
            "Track": track,
            "TranscriptionData": json.dumps({"transcript": text, "confidence": 0.96}),
            "Final": "true" if final else "false",
        }
        if not final:
            params["Stability"] = "0.7"
        self._tell("transcription-content", params, self.order_of_track[track])

    def _tell(
        self, event: str, params: dict[str, str], in_turn: asyncio.Lock | None = None
    ) -> None:
        self.sequence += 1
        url = self.noun.get("statusCallbackUrl")
        if not url:
            return
        usual = {
            "AccountSid": self.live.account.sid,
            "CallSid": self.live.call.sid,
            "TranscriptionSid": self.sid,
            "TranscriptionEvent": event,
            "Timestamp": iso8601_precise(now()) or "",
            "SequenceId": str(self.sequence),
            "LanguageCode": self.noun.get("languageCode", "en-US"),
        }
        method = self.noun.get("statusCallbackMethod", "POST")
        self.live.tell(WebhookRequest("transcription", method, url, usual | params), in_turn)


def start(live: LiveCall, noun: ET.Element) -> None:
    url = noun.get("statusCallbackUrl", "")
    if url and not url.startswith(("http://", "https://")):
        live.warn(12200, "statusCallbackUrl of <Transcription> must be absolute: no callbacks")
        noun.attrib.pop("statusCallbackUrl")
    transcription = LiveTranscription(live, noun)
    live.transcriptions.append(transcription)
    transcription.begin()


def stop(live: LiveCall, name: str | None = None) -> None:
    """Stops the named transcription, or all of them when the call ends."""
    stopping = [t for t in live.transcriptions if name is None or t.name == name]
    for transcription in stopping:
        live.transcriptions.remove(transcription)
        transcription.stop()
