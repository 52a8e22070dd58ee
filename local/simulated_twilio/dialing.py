"""<Dial>: rings the clinic, connects it, and tells how each leg is going."""

import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from urllib.parse import urljoin

from . import recordings, twiml
from .live_call import (
    LiveCall,
    final_status_params,
    parties,
    progress_params,
)
from .recordings import RecordingSession
from .resources import Call, Utterance
from .timing import now
from .trace import WebhookRequest

CONNECTING_SECONDS = 1.0
ANSWERED_AFTER_SECONDS = 4.0
CALLER_GIVES_UP_AFTER_SECONDS = 3.0
_E164 = r"\+[1-9]\d{6,14}"
_STATUS_OF_BEHAVIOUR = {"busy": "busy", "no-answer": "no-answer", "fail": "failed"}


@dataclass
class Leg:
    """The call to the clinic, and what it was subscribed to by its <Number>."""

    live: LiveCall
    call: Call
    url: str
    method: str
    events: list[str]
    sequence: int = 0

    def tell(self, event: str) -> None:
        if not self.url or event not in self.events:
            return
        account = self.live.account
        params = {
            "AccountSid": account.sid,
            "ApiVersion": "2010-04-01",
            "CallSid": self.call.sid,
            "ParentCallSid": self.call.parent_sid or "",
            "CallStatus": "initiated" if event == "initiated" else self.call.status,
            "Direction": self.call.direction,
            **parties(self.call),
            **progress_params(self.sequence, now()),
        }
        if event == "completed":
            params |= final_status_params(self.call)
        self.sequence += 1
        self.live.tell(WebhookRequest("leg-status", self.method, self.url, params))

    def end(self, status: str) -> None:
        self.call.end(status)
        self.tell("completed")


async def dial(live: LiveCall, verb: ET.Element, base: str) -> WebhookRequest | None:
    """Runs a <Dial>; its action request, or None where the next verb follows."""
    if verb.get("answerOnBridge") != "true":
        live.answer()
    leg = _leg(live, verb, base)
    status = await _ring(leg, verb)
    recording: RecordingSession | None = None
    if status == "completed":
        recording = await _talk(leg, verb, base)
        if live.trace.scenario.hangs_up == "after-talk":
            live.hang_up()
    elif status == "canceled":
        live.hang_up()
    leg.end(status)
    if recording is not None:
        recording.stop()
    live.trace.dial_call_status = status
    return _afterwards(leg, verb, base, recording)


def _leg(live: LiveCall, verb: ET.Element, base: str) -> Leg:
    nouns = verb.findall("Number")
    if len(nouns) > 1:
        live.trace.warnings.append("not simulated: more than one <Number> in a <Dial>")
    noun = nouns[0] if nouns else ET.Element("Number")
    if noun.get("url"):
        live.trace.warnings.append("not simulated: the whisper of <Number url>")
    call = Call(
        from_number=verb.get("callerId") or live.call.from_number,
        to=twiml.words(noun) or (verb.text or "").strip(),
        direction="outbound-dial",
        number_sid=None,
        parent_sid=live.call.sid,
        status="queued",
    )
    live.account.calls[call.sid] = call
    return Leg(
        live,
        call,
        url=urljoin(base, noun.get("statusCallback", "")) if noun.get("statusCallback") else "",
        method=noun.get("statusCallbackMethod", "POST"),
        events=noun.get("statusCallbackEvent", "completed").split(),
    )


async def _ring(leg: Leg, verb: ET.Element) -> str:
    """How the ringing ended: completed stands for answered."""
    live = leg.live
    if not _may_dial(leg):
        return "failed"
    live.trace.dialled.append(leg.call.to)
    leg.tell("initiated")
    await live.pass_time(CONNECTING_SECONDS)
    clinic = live.trace.scenario.clinic
    if clinic in ("busy", "fail"):
        return _STATUS_OF_BEHAVIOUR[clinic]
    leg.call.status = "ringing"
    leg.tell("ringing")
    if live.trace.scenario.hangs_up == "while-ringing":
        await live.pass_time(CALLER_GIVES_UP_AFTER_SECONDS)
        return "canceled"
    if clinic == "no-answer":
        await live.pass_time(min(600, max(5, twiml.number(verb, "timeout", 30))))
        return "no-answer"
    await live.pass_time(ANSWERED_AFTER_SECONDS)
    leg.call.answer()
    live.answer()
    leg.tell("answered")
    return "completed"


def _may_dial(leg: Leg) -> bool:
    live, caller_id = leg.live, leg.call.from_number
    own = {number.phone_number for number in live.account.numbers.values()}
    if not re.fullmatch(_E164, caller_id) or caller_id not in own | {
        live.call.from_number,
        live.call.to,
    }:
        live.warn(13214, "callerId is not a number that may be shown")
        return False
    if not re.fullmatch(_E164, leg.call.to):
        live.warn(13223, "the dialled number is not valid")
        return False
    return True


async def _talk(leg: Leg, verb: ET.Element, base: str) -> RecordingSession | None:
    live = leg.live
    mode = verb.get("record", "do-not-record")
    recording = None
    if mode not in ("do-not-record", "false"):
        channels = 2 if mode.endswith("-dual") else 1
        recording = recordings.start(live, verb, base, "DialVerb", channels)
    for turn in live.trace.scenario.turns:
        started_at = now()
        await live.pass_time(turn.seconds)
        utterance = Utterance(turn.speaker, turn.text, started_at, now())
        live.heard(utterance)
        if recording is not None:
            recording.recording.utterances.append(utterance)
    return recording


def _afterwards(
    leg: Leg, verb: ET.Element, base: str, recording: RecordingSession | None
) -> WebhookRequest | None:
    live, status = leg.live, leg.call.status
    request = None
    if verb.get("action") is not None:
        params = {"DialCallStatus": status, "DialCallSid": leg.call.sid}
        params["DialBridged"] = "true" if status == "completed" else "false"
        if leg.call.duration is not None:
            params["DialCallDuration"] = str(leg.call.duration)
        if recording is not None:
            params["RecordingUrl"] = live.account.recording_url(recording.recording)
        request = live.action(verb, base, params)
    if live.call.ended_at is not None:
        live.over_with(request)
    return request
