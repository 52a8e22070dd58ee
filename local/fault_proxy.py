"""Stands before what the functions call, on this machine, and breaks it on demand."""

import asyncio
import json
import socket
import threading
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

import aiohttp
from aiohttp import web
from multidict import CIMultiDict
from yarl import URL

AWS_SERVICES = ("dynamodb", "sqs", "secretsmanager", "s3")
DEPENDENCIES = (*AWS_SERVICES, "twilio")
# "refuse": no connection. "stall": no answer. "error", "throttle": an answer that says so.
# "lose": what was asked is done, and the answer is lost.
FAULTS = ("refuse", "stall", "error", "throttle", "lose")

# What hop-by-hop headers say holds for one connection only (RFC 9110); aiohttp writes its own.
_HOP_BY_HOP = ("connection", "keep-alive", "transfer-encoding", "content-length", "expect", "te")
_LARGEST_BODY = 64 * 1024**2
_SECONDS_STALLED = 60

Answer = tuple[int, str, str]


@dataclass(frozen=True)
class Asked:
    """A request on its way: to which dependency, with what body, from which port of this machine."""

    dependency: str
    body: bytes
    port: int


# Called before a request is passed on (False) and after it was done (True); says whether its sender died.
Watch = Callable[[Asked, bool], Awaitable[bool]]


async def _nobody_dies(asked: Asked, done: bool) -> bool:
    return False


class _Dependency:
    """One proxy on a port of its own."""

    def __init__(self, name: str, proxies: "FaultProxies") -> None:
        self.name, self.target = name, ""
        self.fault: str | None = None
        self._proxies = proxies
        self._mended = asyncio.Event()
        self._listening: web.TCPSite | None = None
        # Holds the port while nothing listens there, so that nobody else gets it.
        self._held = socket.socket()
        self._held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self._held.bind(("127.0.0.1", 0))
        self.port = int(self._held.getsockname()[1])

    async def open(self) -> None:
        app = web.Application(client_max_size=_LARGEST_BODY)
        app.router.add_route("*", "/{path:.*}", self._pass)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0)
        await self._runner.setup()
        self._session = aiohttp.ClientSession(
            auto_decompress=False, cookie_jar=aiohttp.DummyCookieJar()
        )
        await self._listen()

    async def close(self) -> None:
        self._mended.set()
        await self._runner.cleanup()
        await self._session.close()
        self._held.close()

    async def become(self, fault: str | None) -> None:
        self.fault = fault
        self._mended.set()
        self._mended = asyncio.Event()
        if fault == "refuse" and self._listening:
            await self._listening.stop()
            self._listening = None
        elif fault != "refuse" and self._listening is None:
            await self._listen()

    async def _listen(self) -> None:
        self._listening = web.TCPSite(self._runner, "127.0.0.1", self.port, reuse_port=True)
        await self._listening.start()

    async def _pass(self, request: web.Request) -> web.StreamResponse:
        fault, mended = self.fault, self._mended
        try:
            asked = Asked(self.name, await request.read(), _port_of(request))
        except ConnectionError:
            return web.Response()  # its sender died
        if await self._proxies.watch(asked, False):
            return _hung_up_on(request)
        if fault in ("error", "throttle"):
            status, content_type, text = refusal(self.name, fault)
            return web.Response(status=status, content_type=content_type, text=text)
        if fault == "stall":
            await _in_vain(mended)
        if fault in ("refuse", "stall"):
            return _hung_up_on(request)
        try:
            answer = await self._done(request, asked.body)
        except aiohttp.ClientError:
            return _hung_up_on(request)  # it is down itself
        died = await self._proxies.watch(asked, True)
        return _hung_up_on(request) if died or fault == "lose" else answer

    async def _done(self, request: web.Request, body: bytes) -> web.Response:
        """The dependency's own answer. The Host header stays: the signature covers it."""
        url = URL(self.target + request.raw_path, encoded=True)
        async with self._session.request(
            request.method,
            url,
            headers=_end_to_end(request.headers),
            data=body,
            skip_auto_headers=("Accept", "Accept-Encoding", "User-Agent", "Content-Type"),
            allow_redirects=False,
        ) as answer:
            return web.Response(
                status=answer.status, headers=_end_to_end(answer.headers), body=await answer.read()
            )


@dataclass
class FaultProxies:
    """A proxy before each dependency, in a thread of its own, for as long as the block lasts."""

    watch: Watch = _nobody_dies
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)
    _proxies: dict[str, _Dependency] = field(default_factory=dict)

    def __enter__(self) -> "FaultProxies":
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._proxies = {name: _Dependency(name, self) for name in DEPENDENCIES}
        for proxy in self._proxies.values():
            self._await(proxy.open())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for proxy in self._proxies.values():
            self._await(proxy.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def url(self, dependency: str) -> str:
        return f"http://127.0.0.1:{self._proxies[dependency].port}"

    @property
    def environment(self) -> dict[str, str]:
        """What makes boto3 call the proxies of the AWS services."""
        return {f"AWS_ENDPOINT_URL_{name.upper()}": self.url(name) for name in AWS_SERVICES}

    def stand_before(self, *, aws: str, twilio: str) -> None:
        """The servers at these URLs are the ones that the proxies pass requests on to."""
        for name, proxy in self._proxies.items():
            proxy.target = twilio if name == "twilio" else aws

    def set_faults(self, faults: Mapping[str, str]) -> None:
        """Breaks these dependencies, each in its way, and mends all others."""
        for name, proxy in self._proxies.items():
            self._await(proxy.become(faults.get(name)))

    def _await(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result()


def refusal(dependency: str, fault: str) -> Answer:
    """Status, content type and body with which a dependency says that it fails, or is asked too much."""
    code, status = _REFUSALS[dependency][fault]
    if dependency == "s3":
        error = f"<Error><Code>{code}</Code><Message>on demand</Message></Error>"
        return status, "application/xml", error
    if dependency == "twilio":
        error = json.dumps({"code": int(code), "message": "on demand", "status": status})
        return status, "application/json", error
    return (
        status,
        "application/x-amz-json-1.0",
        json.dumps({"__type": code, "message": "on demand"}),
    )


_REFUSALS = {
    "dynamodb": {
        "error": ("com.amazonaws.dynamodb.v20120810#InternalServerError", 500),
        "throttle": ("com.amazonaws.dynamodb.v20120810#ThrottlingException", 400),
    },
    "sqs": {
        "error": ("com.amazonaws.sqs#ServiceUnavailable", 503),
        "throttle": ("com.amazonaws.sqs#RequestThrottled", 403),
    },
    "secretsmanager": {
        "error": ("InternalServiceError", 500),
        "throttle": ("ThrottlingException", 400),
    },
    "s3": {"error": ("InternalError", 500), "throttle": ("SlowDown", 503)},
    "twilio": {"error": ("20503", 503), "throttle": ("20429", 429)},
}


async def _in_vain(mended: asyncio.Event) -> None:
    """Waits as one who gets no answer, until all is well again."""
    try:
        await asyncio.wait_for(mended.wait(), _SECONDS_STALLED)
    except TimeoutError:
        return


def _hung_up_on(request: web.Request) -> web.Response:
    if request.transport:
        request.transport.abort()
    return web.Response()


def _port_of(request: web.Request) -> int:
    peer = request.transport.get_extra_info("peername") if request.transport else None
    return int(peer[1]) if peer else 0


def _end_to_end(headers: Mapping[str, str]) -> CIMultiDict[str]:
    return CIMultiDict((k, v) for k, v in headers.items() if k.lower() not in _HOP_BY_HOP)
