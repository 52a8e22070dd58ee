"""A call in progress: who is on the line, what Twilio tells us about it, what the caller hears."""

import asyncio
import xml.etree.ElementTree as ET
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, NoReturn
from urllib.parse import urljoin

from .account import Account
from .callbacks import Callbacks
from .resources import Call, PhoneNumber, Utterance
from .timing import rfc2822
from .trace import CallTrace, WebhookRequest
from .transcripts import Intelligence
from .webhooks import Webhooks

if TYPE_CHECKING:
    from .live_transcription import LiveTranscription

_CITIES = {
    "212": ("NEW YORK", "NY", "10001"),
    "312": ("CHICAGO", "IL", "60601"),
    "415": ("SAN FRANCISCO", "CA", "94105"),
    "617": ("BOSTON", "MA", "02108"),
}


class CallOver(Exception):
    """The call has ended; nothing more is executed."""


@dataclass
class LiveCall:
    """Everything that the verbs of TwiML work on."""

    account: Account
    webhooks: Webhooks
    callbacks: Callbacks
    intelligence: Intelligence
    trace: CallTrace
    number: PhoneNumber
    keys: list[str] = field(default_factory=list)
    transcriptions: list["LiveTranscription"] = field(default_factory=list)

    @property
    def call(self) -> Call:
        return self.trace.call

    async def pass_time(self, seconds: float) -> None:
        await self.account.clock.pass_time(seconds)

    def params(self) -> dict[str, str]:
        """What every voice request holds ("TwiML for Programmable Voice", request parameters)."""
        return {
            "AccountSid": self.account.sid,
            "ApiVersion": "2010-04-01",
            "CallSid": self.call.sid,
            "CallStatus": self.call.status,
            "Direction": "inbound",
            "StirVerstat": "TN-Validation-Passed-A",
            **parties(self.call),
        }

    def answer(self) -> None:
        self.call.answer()

    async def say(self, text: str, seconds: float) -> None:
        self.answer()
        self.trace.said.append(text)
        await self.pass_time(seconds)

    def warn(self, code: int, why: str) -> None:
        self.trace.warnings.append(f"{code}: {why}")

    def hang_up(self) -> None:
        """The caller hangs up: an unanswered inbound call is no-answer since 2024-07-30."""
        if self.call.ended_at is None:
            self.call.end("completed" if self.call.answered_at else "no-answer")

    def action(self, verb: ET.Element, base: str, params: dict[str, str]) -> WebhookRequest:
        """The request to a verb's action URL; without one Twilio asks the document's URL again."""
        url = urljoin(base, verb.get("action", ""))
        usual = self.params()
        return WebhookRequest(verb.tag.lower(), verb.get("method", "POST"), url, usual | params)

    def over_with(self, last_request: WebhookRequest | None = None) -> NoReturn:
        """The caller has gone: an action URL is still told, but its TwiML is not executed."""
        if last_request is not None:
            self.trace.in_background(self._tell(last_request))
        raise CallOver

    async def _tell(self, request: WebhookRequest) -> None:
        reply = await self.webhooks.send(self.trace, request)
        if reply.error_code:
            self.warn(reply.error_code, f"{request.kind} action failed after the caller had gone")

    def tell(self, request: WebhookRequest, in_turn: asyncio.Lock | None = None) -> None:
        self.callbacks.send(self.trace, request, in_turn)

    def heard(self, utterance: Utterance) -> None:
        for transcription in self.transcriptions:
            transcription.hear(utterance)


def parties(call: Call) -> dict[str, str]:
    """From, To and their older names, with places where the number tells them."""
    params = {"From": call.from_number, "To": call.to}
    params |= {"Caller": call.from_number, "Called": call.to}
    for sides, number in ((("From", "Caller"), call.from_number), (("To", "Called"), call.to)):
        if number.startswith("+"):
            for side in sides:
                params |= _place(side, number)
    return params


def _place(side: str, number: str) -> dict[str, str]:
    city, state, zip_code = _CITIES.get(number[2:5], ("", "", ""))
    country = "US" if number.startswith("+1") else ""
    places = {"City": city, "State": state, "Zip": zip_code, "Country": country}
    return {side + name: value for name, value in places.items()}


def final_status_params(call: Call) -> dict[str, str]:
    """What status callbacks add when a leg has ended; Duration is in minutes, rounded up."""
    if call.duration is None:
        return {"CallDuration": "0"}
    return {"CallDuration": str(call.duration), "Duration": str(-(-call.duration // 60))}


def progress_params(sequence_number: int, at: datetime) -> dict[str, str]:
    return {
        "CallbackSource": "call-progress-events",
        "SequenceNumber": str(sequence_number),
        "Timestamp": rfc2822(at) or "",
    }
