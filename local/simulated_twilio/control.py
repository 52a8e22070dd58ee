"""What people and tests ask of the simulator itself: place a call, see the truth, break things."""

import asyncio
from dataclasses import asdict, dataclass, field
from typing import Any

from aiohttp import web

from local.conversation import ConversationError

from .callbacks import Faults
from .inbound_call import Switchboard
from .resources import Call
from .rest_answers import TwilioError
from .scenario import Scenario, ScenarioError
from .timing import iso8601_precise
from .trace import CallTrace

Json = dict[str, Any]


@dataclass
class Outage:
    """Twilio's REST API out of order: `status` is what it answers, None is healthy, 0 hangs."""

    status: int | None = None
    until: float | None = None
    over: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def active(self) -> bool:
        expired = self.until is not None and asyncio.get_running_loop().time() >= self.until
        return self.status is not None and not expired

    async def strike(self) -> None:
        """Raises the error of the day, or waits for the end of it."""
        if not self.active:
            return
        if self.status:
            code = 20429 if self.status == 429 else 20500
            raise TwilioError(self.status, code, "Twilio is out of order on demand")
        left = None if self.until is None else self.until - asyncio.get_running_loop().time()
        try:
            await asyncio.wait_for(self.over.wait(), left)
        except TimeoutError:
            return


class Control:
    """Handlers under /simulator; none needs credentials."""

    def __init__(self, switchboard: Switchboard) -> None:
        self._switchboard = switchboard
        self._account = switchboard.account
        self.outage = Outage()

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/simulator/health", self.health),
            web.post("/simulator/calls", self.place_call),
            web.get("/simulator/calls", self.list_calls),
            web.get("/simulator/calls/{sid}", self.fetch_call),
            web.get("/simulator/numbers", self.list_numbers),
            web.post("/simulator/numbers", self.add_number),
            web.post("/simulator/faults", self.set_faults),
            web.post("/simulator/down", self.go_down),
            web.post("/simulator/settings", self.change_settings),
        ]

    async def health(self, request: web.Request) -> web.Response:
        return web.json_response({"status": "ok", "accountSid": self._account.sid})

    async def place_call(self, request: web.Request) -> web.Response:
        body = await _json_object(request)
        try:
            scenario = Scenario.from_json(body)
            trace = self._switchboard.place(scenario)
        except (ScenarioError, ConversationError) as error:
            return _refused(error)
        return web.json_response({"callSid": trace.call.sid}, status=201)

    async def list_calls(self, request: web.Request) -> web.Response:
        truths = [self._truth(trace) for trace in self._account.traces.values()]
        return web.json_response({"calls": truths})

    async def fetch_call(self, request: web.Request) -> web.Response:
        trace = self._account.traces.get(request.match_info["sid"])
        if trace is None:
            return web.json_response({"error": "no such call"}, status=404)
        return web.json_response(self._truth(trace) | {"requests": trace.requests})

    async def list_numbers(self, request: web.Request) -> web.Response:
        numbers = [
            {"sid": number.sid, "phoneNumber": number.phone_number}
            for number in self._account.numbers.values()
        ]
        return web.json_response({"numbers": numbers})

    async def add_number(self, request: web.Request) -> web.Response:
        phone_number = (await _json_object(request)).get("phoneNumber")
        if not isinstance(phone_number, str) or self._account.number_called(phone_number):
            return _refused(ValueError("phoneNumber is missing or in the account already"))
        number = self._account.add_number(phone_number)
        body = {"sid": number.sid, "phoneNumber": number.phone_number}
        return web.json_response(body, status=201)

    async def set_faults(self, request: web.Request) -> web.Response:
        try:
            faults = Faults.from_json(await _json_object(request))
        except (TypeError, ValueError) as error:
            return _refused(error)
        self._switchboard.callbacks.faults = faults
        return web.json_response({"faults": asdict(faults)})

    async def go_down(self, request: web.Request) -> web.Response:
        """{"status": 503, 429, … or "hang" or null, "seconds": wall seconds or null}."""
        body = await _json_object(request)
        status, seconds = body.get("status", 503), body.get("seconds")
        self.outage.over.set()
        until = None if seconds is None else asyncio.get_running_loop().time() + float(seconds)
        self.outage = Outage(0 if status == "hang" else status, until)
        return web.json_response({"down": self.outage.active})

    async def change_settings(self, request: web.Request) -> web.Response:
        """{"timeScale": …, "httpTimeScale": …, "ciWebhookFormat": "json" or "form"}."""
        body, clock = await _json_object(request), self._account.clock
        wanted = body.get("ciWebhookFormat", self._account.ci_webhook_format)
        if wanted not in ("json", "form"):
            return _refused(ValueError("ciWebhookFormat must be json or form"))
        self._account.ci_webhook_format = wanted
        clock.time_scale = float(body.get("timeScale", clock.time_scale))
        clock.http_time_scale = float(body.get("httpTimeScale", clock.http_time_scale))
        return web.json_response({"timeScale": clock.time_scale, "ciWebhookFormat": wanted})

    def _truth(self, trace: CallTrace) -> Json:
        account, call = self._account, trace.call
        legs = [leg for leg in account.calls.values() if leg.parent_sid == call.sid]
        recordings = [r for r in account.recordings.values() if r.call_sid == call.sid]
        transcripts = [t for t in account.transcripts.values() if t.call_sid == call.sid]
        answered = [leg.answered_at for leg in legs if leg.answered_at is not None]
        return {
            **_leg_truth(call),
            "done": trace.done,
            "clinic": trace.scenario.clinic,
            "digits": trace.pressed,
            "rang": trace.dialled[-1] if trace.dialled else None,
            "dialled": trace.dialled,
            "dialCallStatus": trace.dial_call_status,
            "answeredAt": iso8601_precise(answered[-1] if answered else None),
            "said": trace.said,
            "words": [turn.text for turn in trace.scenario.turns] + [trace.scenario.message or ""],
            "summary": trace.scenario.summary,
            "legs": [_leg_truth(leg) for leg in legs],
            "recordingSid": recordings[-1].sid if recordings else None,
            "transcriptSid": transcripts[-1].sid if transcripts else None,
            "recordings": [
                {
                    "sid": recording.sid,
                    "url": account.recording_url(recording),
                    "status": recording.status,
                    "source": recording.source,
                    "channels": recording.channels,
                    "duration": recording.duration,
                    "turns": [[u.speaker, u.text] for u in recording.utterances],
                }
                for recording in recordings
            ],
            "transcripts": [
                {"sid": t.sid, "status": t.status, "recordingSid": t.recording_sid}
                for t in transcripts
            ],
            "warnings": trace.warnings,
            "errors": trace.errors,
        }


def _leg_truth(call: Call) -> Json:
    return {
        "callSid": call.sid,
        "from": call.from_number,
        "to": call.to,
        "status": call.status,
        "startTime": iso8601_precise(call.created_at),
        "connectedAt": iso8601_precise(call.answered_at),
        "endTime": iso8601_precise(call.ended_at),
        "duration": call.duration,
        "price": call.price,
    }


async def _json_object(request: web.Request) -> Json:
    try:
        body = await request.json()
    except ValueError as error:
        raise web.HTTPBadRequest(text="the body is not JSON") from error
    if not isinstance(body, dict):
        raise web.HTTPBadRequest(text="the body is not a JSON object")
    return body


def _refused(error: Exception) -> web.Response:
    return web.json_response({"error": str(error)}, status=400)
