"""The simulated Twilio and a stand-in for Ringbook's webhooks, both served from one thread."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import requests
from aiohttp import web
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from local.processes import free_port
from local.simulated_twilio.account import Account
from local.simulated_twilio.server import application, webhook_session
from local.simulated_twilio.timing import Clock

ACCOUNT_SID = "AC" + "1" * 32
AUTH_TOKEN = "made-up-token"
API_KEY = ("SK" + "2" * 32, "made-up-secret")
SERVICE_SID = "GA" + "3" * 32
NUMBERS = ("+12125550100", "+12125550101", "+13125550102")
LINE, CLINIC, CALLER = NUMBERS[0], "+14155550199", "+16175550123"


@dataclass(frozen=True)
class Received:
    """One request to Ringbook; `path` is without its query."""

    path: str
    method: str
    form: dict[str, str]
    json: dict[str, Any]
    url: str
    token: str
    signed: bool


Answer = str | int | web.Response | Callable[[Received], Any]


@dataclass
class Line:
    """What a test holds in its hands: both servers, and what Ringbook received."""

    twilio_url: str
    ringbook_url: str
    received: list[Received] = field(default_factory=list)
    answers: dict[str, Answer] = field(default_factory=dict)

    def client(self, user: str = ACCOUNT_SID, password: str = AUTH_TOKEN) -> Client:
        client = Client(user, password, ACCOUNT_SID)
        client.api.base_url = client.intelligence.base_url = self.twilio_url
        return client

    def rest(self, method: str, path: str, **sent: Any) -> requests.Response:
        auth = (ACCOUNT_SID, AUTH_TOKEN)
        return requests.request(method, self.twilio_url + path, auth=auth, timeout=5, **sent)

    def control(self, path: str, **body: Any) -> Any:
        answer = requests.post(f"{self.twilio_url}/simulator/{path}", json=body, timeout=5)
        assert answer.ok, answer.text
        return answer.json()

    def connect(self, **settings: str) -> None:
        """Points the line at the stand-in, as `POST /api/twilio/connect` would."""
        sid = self.client().incoming_phone_numbers.list(phone_number=LINE)[0].sid
        usual = {
            "voice_url": f"{self.ringbook_url}/voice",
            "status_callback": f"{self.ringbook_url}/status",
        }
        self.client().incoming_phone_numbers(sid).update(**(usual | settings))

    def call(self, **scenario: Any) -> dict[str, Any]:
        """Places a call and returns the truth about it when all of it is over."""
        sid = self.control("calls", **({"to": LINE, "from": CALLER} | scenario))["callSid"]
        return self.settled(sid)

    def settled(self, sid: str) -> dict[str, Any]:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            truth = requests.get(f"{self.twilio_url}/simulator/calls/{sid}", timeout=5).json()
            if truth["done"]:
                return dict(truth)
            time.sleep(0.01)
        raise AssertionError("the call never ended")

    def at(self, path: str) -> list[dict[str, str]]:
        return [received.form for received in self.received if received.path == path]

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Stands for Ringbook: keeps the request, answers what the test put at its path."""
        as_json = request.content_type == "application/json"
        text = await request.text()
        form = {name: str(value) for name, value in (await request.post()).items()}
        received = Received(
            path=request.path,
            method=request.method,
            form=form or dict(request.query),
            json=await request.json() if as_json else {},
            url=str(request.url),
            token=request.headers["I-Twilio-Idempotency-Token"],
            signed=RequestValidator(AUTH_TOKEN).validate(
                self.ringbook_url + request.path_qs,
                text if as_json else form,
                request.headers["X-Twilio-Signature"],
            ),
        )
        self.received.append(received)
        answer = self.answers.get(request.path, 204)
        if callable(answer):
            answer = answer(received)
        if asyncio.iscoroutine(answer):
            answer = await answer
        if isinstance(answer, web.Response):
            return answer
        if isinstance(answer, int):
            return web.Response(status=answer)
        return web.Response(text=f"<Response>{answer}</Response>", content_type="text/xml")


async def _serve(line: Line, ready: threading.Event, stop: asyncio.Event, scale: float) -> None:
    account = Account(ACCOUNT_SID, AUTH_TOKEN, *API_KEY, line.twilio_url, Clock(scale))
    for number in NUMBERS:
        account.add_number(number)
    account.add_service(SERVICE_SID)
    ringbook = web.Application()
    ringbook.router.add_route("*", "/{path:.*}", line.answer)
    async with webhook_session() as session:
        runners = [
            (web.AppRunner(application(account, session), access_log=None), line.twilio_url),
            (web.AppRunner(ringbook, access_log=None), line.ringbook_url),
        ]
        for runner, url in runners:
            await runner.setup()
            site = web.TCPSite(runner, "127.0.0.1", int(url.rpartition(":")[2]))
            await site.start()
        ready.set()
        await stop.wait()
        for runner, _ in runners:
            await runner.cleanup()


@contextmanager
def simulated_line(time_scale: float = 0.001) -> Iterator[Line]:
    """Both servers run until the block ends."""
    line = Line(f"http://127.0.0.1:{free_port()}", f"http://127.0.0.1:{free_port()}")
    ready, stop = threading.Event(), asyncio.Event()
    loop = asyncio.new_event_loop()
    serving = _serve(line, ready, stop, time_scale)
    thread = threading.Thread(target=loop.run_until_complete, args=(serving,))
    thread.start()
    try:
        assert ready.wait(5)
        yield line
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()
