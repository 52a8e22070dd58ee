"""The border to Twilio's webhooks: read the form, refuse what Twilio did not sign, answer TwiML."""

import base64
import functools
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

from aws_lambda_powertools import Logger
from twilio.request_validator import RequestValidator
from twilio.twiml.voice_response import VoiceResponse

from calls import instants, metrics, routes, secret, settings
from calls.call_store import Event
from calls.problems import Problem, problem_answer
from calls.twiml import Deployment

logger = Logger()

Answer = dict[str, Any]


@dataclass(frozen=True)
class Webhook:
    """A request of Twilio's: what it says, and where it was sent."""

    route: str
    params: Mapping[str, str]
    query: Mapping[str, str]
    received_at: str
    base_url: str
    seconds_left: Callable[[], float]
    """How long the function may still run."""

    @property
    def deployment(self) -> Deployment:
        return Deployment(self.base_url, settings.load().intelligence_service)

    @property
    def event(self) -> Event:
        """The webhook as it is kept, under the patient's call. Raises Problem if it names none."""
        own_sid = self.needed("CallSid")
        call_sid = self.params.get("ParentCallSid") or own_sid
        return Event(call_sid, self.route, self.params, self.received_at)

    def needed(self, name: str) -> str:
        """A parameter without which the request means nothing. Raises Problem if it is missing."""
        value = self.params.get(name)
        if not value:
            raise Problem(400, f"No {name}", f"The request has no {name}.", field=name)
        return value


def twilio_webhook(handle: Callable[[Webhook], VoiceResponse | None]) -> Callable[..., Answer]:
    """A Lambda handler (HTTP API payload 2.0) from a function of one signed webhook.

    Answers its TwiML, or 204 where it returns None; 403 to what Twilio did not sign.
    """

    @functools.wraps(handle)
    def handler(event: dict[str, Any], context: Any) -> Answer:
        logger.remove_keys(["call_sid"])
        try:
            webhook = _read(event, context)
            logger.append_keys(call_sid=webhook.params.get("CallSid"))
            return _answer(handle(webhook))
        except Problem as problem:
            logger.warning("webhook refused", status=problem.status, title=problem.title)
            if problem.status == 403:
                metrics.count("SignatureRefused")
            return problem_answer(problem)

    return handler


def _answer(twiml: VoiceResponse | None) -> Answer:
    if twiml is None:
        return {"statusCode": 204}
    return {
        "statusCode": 200,
        "headers": {"content-type": "text/xml; charset=utf-8"},
        "body": str(twiml),
    }


def _read(event: dict[str, Any], context: Any) -> Webhook:
    """The webhook of an API Gateway event. Raises Problem 403 or 400."""
    body = _body(event)
    base_url = settings.load().backend_url or f"https://{event['requestContext']['domainName']}"
    url = _url(base_url, event)
    headers = event.get("headers", {})
    is_json = headers.get("content-type", "").startswith("application/json")
    form = {} if is_json else dict(parse_qsl(body, keep_blank_values=True))
    _refuse_unsigned(event, url, body if is_json else form)
    return Webhook(
        route=_route(event["rawPath"]),
        params=_json_params(body) if is_json else form,
        query=dict(parse_qsl(event.get("rawQueryString", ""))),
        received_at=_received_at(event),
        base_url=base_url,
        seconds_left=lambda: context.get_remaining_time_in_millis() / 1000,
    )


def _body(event: dict[str, Any]) -> str:
    body = event.get("body") or ""
    if not event.get("isBase64Encoded"):
        return str(body)
    # What is not UTF-8 was not signed by Twilio, and the replacement fails the signature.
    return base64.b64decode(body).decode("utf-8", errors="replace")


def _url(base_url: str, event: dict[str, Any]) -> str:
    query = event.get("rawQueryString")
    return f"{base_url}{event['rawPath']}{'?' + query if query else ''}"


def _route(path: str) -> str:
    return routes.CI_STATUS if path.startswith(routes.CI_STATUS) else path


def _refuse_unsigned(event: dict[str, Any], url: str, said: str | dict[str, str]) -> None:
    signature = event.get("headers", {}).get("x-twilio-signature")
    key = (event.get("pathParameters") or {}).get("key")
    if key and not _key_matches(key):
        raise _refusal("The key in the address is wrong.")
    if signature is None and not key:
        raise _refusal("The X-Twilio-Signature header is missing.")
    if signature is not None and not _signed_by_twilio(url, said, signature, keyed=bool(key)):
        raise _refusal("The X-Twilio-Signature does not fit the request.")


def _refusal(detail: str) -> Problem:
    return Problem(403, "Not signed by Twilio", detail)


def _key_matches(key: str) -> bool:
    return any(
        hmac.compare_digest(read().ci_webhook_key.encode(), key.encode())
        for read in (secret.read, secret.reread)
    )


def _signed_by_twilio(url: str, said: str | dict[str, str], signature: str, *, keyed: bool) -> bool:
    if isinstance(said, str) and "bodySHA256" not in parse_qs(urlsplit(url).query):
        # Such a signature covers the address only; it counts where the address holds the key.
        if not keyed:
            return False
        said = {}
    return any(
        RequestValidator(token).validate(url, said, signature)
        for read in (secret.read, secret.reread)
        for token in read().auth_tokens
    )


def _json_params(body: str) -> dict[str, str]:
    try:
        said = json.loads(body)
    except ValueError as error:
        raise Problem(400, "Not JSON", "The body could not be read as JSON.") from error
    if not isinstance(said, dict):
        raise Problem(400, "Not an object", "The body must be a JSON object.")
    return {name: value for name, value in said.items() if isinstance(value, str)}


def _received_at(event: dict[str, Any]) -> str:
    epoch_ms = event["requestContext"].get("timeEpoch")
    return instants.from_epoch_ms(epoch_ms) if epoch_ms else instants.now()
