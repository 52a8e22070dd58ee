"""A patient's call from its first ring to its end: fetch a document, run it, fetch the next."""

import logging
from dataclasses import dataclass

from . import live_transcription, twiml
from .account import Account
from .callbacks import Callbacks
from .live_call import (
    CallOver,
    LiveCall,
    final_status_params,
    progress_params,
)
from .resources import Call
from .scenario import Scenario, ScenarioError
from .trace import CallTrace, WebhookRequest
from .transcripts import Intelligence
from .twiml import Document, TwimlError
from .verbs import VERBS
from .webhooks import Webhooks

PRICED_AFTER_SECONDS = 15.0
# A menu that loops would keep a patient caller for the four hours that a call may last.
PATIENCE_DOCUMENTS = 30
# Dollars a minute, close to Twilio's list prices for the United States.
PRICES = {"inbound": 0.0085, "outbound-dial": 0.014}
CALL_TOKEN = {"CallToken": "%7B%22parentCallInfoToken%22%3A%22simulated%22%7D"}
APPLICATION_ERROR = "We are sorry, an application error has occurred. Goodbye."

log = logging.getLogger(__name__)


class ApplicationError(Exception):
    """Neither the document nor its fallback could be used."""


@dataclass
class Switchboard:
    """Where calls come in."""

    account: Account
    webhooks: Webhooks
    callbacks: Callbacks
    intelligence: Intelligence

    def place(self, scenario: Scenario) -> CallTrace:
        """Starts a call in the background. Raises ScenarioError for a foreign number."""
        number = self.account.number_called(scenario.to)
        if number is None:
            raise ScenarioError(f"{scenario.to} is not a number of the account")
        call = Call(scenario.from_number, scenario.to, "inbound", number.sid)
        trace = CallTrace(len(self.account.traces), call, scenario)
        self.account.calls[call.sid] = call
        self.account.traces[call.sid] = trace
        keys = list(scenario.digits)
        trace.in_background(
            _live_through(LiveCall(**vars(self), trace=trace, number=number, keys=keys))
        )
        return trace


async def _live_through(live: LiveCall) -> None:
    try:
        await _run(live)
    except CallOver:
        pass
    except ApplicationError:
        await live.say(APPLICATION_ERROR, 4)
    _end(live)


async def _run(live: LiveCall) -> None:
    request: WebhookRequest | None = _first_request(live)
    for _ in range(PATIENCE_DOCUMENTS):
        if request is None:
            return
        document = await _document(live, request)
        live.trace.warnings += document.warnings
        request = await _execute(live, document)
    live.trace.warnings.append("the caller lost patience with documents that never end")


def _first_request(live: LiveCall) -> WebhookRequest:
    number = live.number
    if number.settings["trunk_sid"] or number.settings["voice_application_sid"]:
        live.trace.errors.append("VoiceUrl is overridden by a trunk or an application")
    elif not number.text("voice_url"):
        live.trace.errors.append("the number has no VoiceUrl")
    else:
        url, method = number.text("voice_url"), number.text("voice_method")
        return WebhookRequest("voice", method, url, live.params() | CALL_TOKEN)
    live.call.end("failed")
    raise CallOver


async def _document(live: LiveCall, request: WebhookRequest) -> Document:
    try:
        return await _fetch(live, request)
    except TwimlError as error:
        if request.kind == "fallback":
            raise ApplicationError from error
        return await _document(live, _fallback(live, request, error))


async def _fetch(live: LiveCall, request: WebhookRequest) -> Document:
    reply = await live.webhooks.send(live.trace, request)
    try:
        return twiml.read(reply)
    except TwimlError as error:
        live.trace.errors.append(f"{error} ({request.kind})")
        raise


def _fallback(live: LiveCall, failed: WebhookRequest, error: TwimlError) -> WebhookRequest:
    number = live.number
    if not number.text("voice_fallback_url"):
        raise ApplicationError from error
    return WebhookRequest(
        "fallback",
        number.text("voice_fallback_method"),
        number.text("voice_fallback_url"),
        live.params()
        | CALL_TOKEN
        | {"ErrorCode": str(error.code), "ErrorUrl": failed.url.partition("#")[0]},
    )


async def _execute(live: LiveCall, document: Document) -> WebhookRequest | None:
    for verb in document.root:
        if verb.tag in VERBS:
            request = await VERBS[verb.tag](live, verb, document.url)
            if request is not None:
                return request
    return None


def _end(live: LiveCall) -> None:
    if live.call.ended_at is None and live.trace.dial_call_status is None:
        # A document without an answering verb still answers before it hangs up.
        live.answer()
    live.hang_up()
    live_transcription.stop(live)
    _tell_final_status(live)
    live.trace.in_background(_price(live))
    log.info(
        "%s %s dial=%s requests=%d errors=%d",
        live.call.sid,
        live.call.status,
        live.trace.dial_call_status,
        len(live.trace.requests),
        len(live.trace.errors),
    )


def _tell_final_status(live: LiveCall) -> None:
    url = live.number.text("status_callback")
    ended_at = live.call.ended_at
    if not url or ended_at is None:
        return
    params = live.params() | progress_params(0, ended_at) | final_status_params(live.call)
    method = live.number.text("status_callback_method")
    live.tell(WebhookRequest("call-status", method, url, params))


async def _price(live: LiveCall) -> None:
    """Twilio knows the price of a leg only some time after its end; unanswered legs have none."""
    await live.pass_time(PRICED_AFTER_SECONDS)
    for call in live.account.calls.values():
        if live.call.sid in (call.sid, call.parent_sid) and call.duration is not None:
            minutes = -(-call.duration // 60)
            call.price = f"-{minutes * PRICES[call.direction]:.5f}"
