"""Twilio's REST API, served in the background: the simulated account, with failures on demand."""

import asyncio
import base64
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import web

from calls import secret
from local.conversation import Conversation
from local.processes import free_port
from local.simulated_twilio.account import Account
from local.simulated_twilio.resources import Call, Recording, Service, Utterance
from local.simulated_twilio.scenario import Scenario
from local.simulated_twilio.server import Handler, application, webhook_session
from local.simulated_twilio.timing import Clock
from local.simulated_twilio.trace import CallTrace
from tests.unit.signed import ACCOUNT_SID, AUTH_TOKEN, CI_KEY

API_KEY = ("SK" + "a" * 32, "the-api-key-secret")
SERVICE_SID = "GA" + "f" * 32  # as the unit tests' environment names it
SECONDS_PER_TURN = 4
NEVER = 1e6


@dataclass(frozen=True)
class Asked:
    """One request to Twilio; `user` is whose credentials it carried."""

    method: str
    path: str
    query: dict[str, str]
    form: dict[str, str]
    user: str


@dataclass(frozen=True)
class _Surprise:
    method: str
    ending: str
    what: int | Callable[[], object]
    headers: dict[str, str]

    def befalls(self, asked: Asked) -> bool:
        return asked.method == self.method and asked.path.endswith(self.ending)


@dataclass
class TwilioServer:
    """The account that a test prepares, and every request that Ringbook made."""

    url: str
    account: Account
    asked: list[Asked] = field(default_factory=list)
    surprises: list[_Surprise] = field(default_factory=list)

    @property
    def service(self) -> Service:
        return self.account.services[SERVICE_SID]

    def fails(self, method: str, ending: str, status: int, times: int = 1, **headers: str) -> None:
        """The next requests to paths that end so are answered with an error."""
        self.surprises += [_Surprise(method, ending, status, headers)] * times

    def meanwhile(self, method: str, ending: str, happens: Callable[[], object]) -> None:
        """Something else happens between the next such request and its answer."""
        self.surprises.append(_Surprise(method, ending, happens, {}))

    def requests(self, method: str, ending: str) -> list[Asked]:
        return [a for a in self.asked if a.method == method and a.path.endswith(ending)]

    def carried(self, call_sid: str, script: str = "", price: str | None = "-0.0085") -> None:
        """A call that is over; Conversational Intelligence will hear and summarise the script."""
        conversation = Conversation.from_text(script) if script else None
        call = Call("+12175550123", "+12175550100", "inbound", None, sid=call_sid, price=price)
        scenario = Scenario(call.to, call.from_number, conversation=conversation)
        self.account.calls[call_sid] = call
        self.account.traces[call_sid] = CallTrace(1, call, scenario)

    def recorded(
        self, call_sid: str, recording_sid: str, channels: int = 2, status: str = "completed"
    ) -> None:
        """A recording of a carried call, one turn every four seconds."""
        start = datetime(2026, 11, 9, 16, 30, tzinfo=UTC)
        turns = self.account.traces[call_sid].scenario.turns
        spoken = [
            Utterance(turn.speaker, turn.text, _after(start, n), _after(start, n + 0.75))
            for n, turn in enumerate(turns)
        ]
        self.account.recordings[recording_sid] = Recording(
            call_sid,
            "RecordVerb" if channels == 1 else "DialVerb",
            channels,
            sid=recording_sid,
            status=status,
            started_at=start,
            ended_at=_after(start, len(turns)),
            utterances=spoken,
        )

    def transcripts_take_for_ever(self) -> None:
        self.account.clock.time_scale = NEVER

    def finished(self, transcript_sid: str) -> str:
        """The transcript's SID, once Conversational Intelligence is done with it."""
        deadline = time.monotonic() + 10
        while self.account.transcripts[transcript_sid].status != "completed":
            assert time.monotonic() < deadline
            time.sleep(0.001)
        return transcript_sid


def credentials_are(cloud: Any, key: tuple[str, str] = ("", ""), token: str = "") -> None:
    """Replaces what the secret holds, and what was read of it before."""
    stored = {"apiKeySid": key[0], "apiKeySecret": key[1], "authToken": token}
    cloud.secrets.put_secret_value(
        SecretId=cloud.names["TWILIO_SECRET_ARN"],
        SecretString=json.dumps(stored | {"ciWebhookKey": CI_KEY}),
    )
    secret._provider.cache_clear()


def _after(start: datetime, turns: float) -> datetime:
    return start + timedelta(seconds=turns * SECONDS_PER_TURN)


@contextmanager
def twilio_server() -> Iterator[TwilioServer]:
    """The account answers until the block ends. Transcripts are ready at once."""
    url = f"http://127.0.0.1:{free_port()}"
    account = Account(ACCOUNT_SID, AUTH_TOKEN, *API_KEY, url, Clock(time_scale=0))
    account.add_service(SERVICE_SID)
    twilio = TwilioServer(url, account)
    loop, ready, over = asyncio.new_event_loop(), threading.Event(), asyncio.Event()
    thread = threading.Thread(target=loop.run_until_complete, args=(_serve(twilio, ready, over),))
    thread.start()
    try:
        assert ready.wait(5)
        yield twilio
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join()
        loop.close()


async def _serve(twilio: TwilioServer, ready: threading.Event, over: asyncio.Event) -> None:
    async with webhook_session() as session:
        app = application(twilio.account, session)
        app.middlewares.insert(0, _surprising(twilio))
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", int(twilio.url.rpartition(":")[2])).start()
        ready.set()
        await over.wait()
        await runner.cleanup()


def _surprising(twilio: TwilioServer) -> Any:
    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        asked = Asked(
            request.method,
            request.path,
            dict(request.query),
            {name: str(value) for name, value in (await request.post()).items()},
            _user(request),
        )
        twilio.asked.append(asked)
        surprise = next((s for s in twilio.surprises if s.befalls(asked)), None)
        if surprise:
            twilio.surprises.remove(surprise)
            if isinstance(surprise.what, int):
                return _error(surprise.what, surprise.headers)
            await asyncio.to_thread(surprise.what)
        return await handler(request)

    return middleware


def _user(request: web.Request) -> str:
    given = request.headers.get("Authorization", "").removeprefix("Basic ")
    return base64.b64decode(given).decode().partition(":")[0]


def _error(status: int, headers: dict[str, str]) -> web.Response:
    spelled = {name.replace("_", "-"): value for name, value in headers.items()}
    body = {"code": 20000 + status, "message": "out of order on demand", "status": status}
    return web.json_response(body, status=status, headers=spelled)
