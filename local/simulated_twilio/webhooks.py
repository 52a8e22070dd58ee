"""Requests that Twilio makes to us: signed, patient for 15 seconds, retried as the URL says."""

import asyncio
import base64
import hashlib
import hmac
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qs, urldefrag, urlencode, urljoin, urlsplit, urlunsplit

import aiohttp
from yarl import URL

from .account import Account
from .trace import CallTrace, WebhookRequest

MAX_REDIRECTS = 10
MAX_BODY_BYTES = 64 * 1024
_FORM = "application/x-www-form-urlencoded; charset=UTF-8"


@dataclass(frozen=True)
class ConnectionOverrides:
    """How to deliver, as the fragment of a URL says.

    Seconds; names and defaults from "Webhooks connection overrides". The fragment itself is
    neither sent nor signed.
    """

    url: str
    connect_timeout: float = 5.0
    read_timeout: float = 15.0
    total_timeout: float = 15.0
    retries: int = 1
    policies: frozenset[str] = frozenset({"ct"})

    @classmethod
    def from_url(cls, url: str) -> "ConnectionOverrides":
        bare, fragment = urldefrag(url)
        given = {name: values[-1] for name, values in parse_qs(fragment).items()}
        return cls(
            url=bare,
            connect_timeout=_clamped(given.get("ct"), 100, 10_000, 5_000) / 1000,
            read_timeout=_clamped(given.get("rt"), 100, 15_000, 15_000) / 1000,
            total_timeout=_clamped(given.get("tt"), 100, 15_000, 15_000) / 1000,
            retries=_clamped(given.get("rc"), 0, 5, 1),
            policies=frozenset(given.get("rp", "ct").split(",")),
        )

    def retry_after(self, failure: str | None) -> bool:
        return failure is not None and bool({failure, "all"} & self.policies)


def _clamped(text: str | None, low: int, high: int, default: int) -> int:
    return min(high, max(low, int(text))) if text and text.isdigit() else default


@dataclass(frozen=True)
class Reply:
    """The answer to a webhook; `failure` is the retry policy's word for what went wrong."""

    url: str
    status: int | None = None
    content_type: str = ""
    body: bytes = b""
    failure: str | None = None
    error_code: int | None = None


def signature(auth_token: str, url: str, params: Mapping[str, str]) -> str:
    """X-Twilio-Signature: HMAC-SHA1 over the URL and the sorted form ("Webhooks security")."""
    signed = _as_signed(url) + "".join(name + params[name] for name in sorted(params))
    digest = hmac.new(auth_token.encode(), signed.encode(), hashlib.sha1).digest()
    return base64.b64encode(digest).decode()


def _as_signed(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme != "https":
        return url
    return urlunsplit(parts._replace(netloc=parts.hostname or ""))


def with_query(url: str, params: Mapping[str, str]) -> str:
    if not params:
        return url
    return url + ("&" if urlsplit(url).query else "?") + urlencode(params)


class Webhooks:
    """Sends requests and notes each attempt in the trace of its call."""

    def __init__(self, account: Account, session: aiohttp.ClientSession) -> None:
        self._account = account
        self._session = session

    async def send(self, trace: CallTrace, request: WebhookRequest) -> Reply:
        """Delivers with the retries that the URL's fragment asks for; never raises for HTTP."""
        overrides = ConnectionOverrides.from_url(request.url)
        request = replace(request, url=overrides.url)
        loop = asyncio.get_running_loop()
        deadline = loop.time() + overrides.total_timeout * self._account.clock.http_time_scale
        token = str(uuid.uuid4())
        for attempt in range(1, overrides.retries + 2):
            reply = await self._follow(request, overrides, token, deadline)
            trace.note(request, attempt, reply.status)
            if not overrides.retry_after(reply.failure) or loop.time() >= deadline:
                break
        return reply

    async def _follow(
        self, request: WebhookRequest, overrides: ConnectionOverrides, token: str, deadline: float
    ) -> Reply:
        for _ in range(MAX_REDIRECTS + 1):
            signed = self._signed(request, token)
            try:
                reply, location = await self._exchange(signed, overrides, deadline)
            except (aiohttp.ConnectionTimeoutError, aiohttp.ClientConnectorError):
                return Reply(request.url, failure="ct", error_code=11205)
            except (TimeoutError, aiohttp.ClientError):
                return Reply(request.url, failure="rt", error_code=11200)
            if location is None:
                return reply
            # Twilio turns POST into GET on 301 and 302 and keeps the parameters.
            method = request.method if reply.status in (307, 308) else "GET"
            request = replace(request, method=method, url=urljoin(request.url, location))
        return Reply(request.url, failure="redirects", error_code=11215)

    def _signed(self, request: WebhookRequest, token: str) -> dict[str, Any]:
        headers = {
            "Accept": "*/*",
            "User-Agent": "TwilioProxy/1.1",
            "X-Home-Region": "us1",
            "I-Twilio-Idempotency-Token": token,
        }
        url, body = request.url, None
        form: Mapping[str, str] = {}
        if request.method == "GET":
            url = with_query(url, request.params)
        elif request.as_json:
            body = json.dumps(request.params)
            url = with_query(url, {"bodySHA256": hashlib.sha256(body.encode()).hexdigest()})
            headers["Content-Type"] = "application/json"
        else:
            body, form = urlencode(request.params), request.params
            headers["Content-Type"] = _FORM
        headers["X-Twilio-Signature"] = signature(self._account.auth_token, url, form)
        exact_url = URL(url, encoded=True)
        return {"method": request.method, "url": exact_url, "data": body, "headers": headers}

    async def _exchange(
        self, request: dict[str, Any], overrides: ConnectionOverrides, deadline: float
    ) -> tuple[Reply, str | None]:
        scale = self._account.clock.http_time_scale
        timeout = aiohttp.ClientTimeout(
            total=None,
            sock_connect=overrides.connect_timeout * scale,
            sock_read=overrides.read_timeout * scale,
        )
        async with (
            asyncio.timeout_at(deadline),
            self._session.request(**request, timeout=timeout, allow_redirects=False) as response,
        ):
            location = response.headers.get("Location") if 300 <= response.status < 400 else None
            return await _reply(response), location


async def _reply(response: aiohttp.ClientResponse) -> Reply:
    failed = response.status >= 400
    return Reply(
        url=str(response.url),
        status=response.status,
        content_type=response.content_type if "Content-Type" in response.headers else "",
        body=await response.read(),
        failure=f"{response.status // 100}xx" if failed else None,
        error_code=11200 if failed else None,
    )
