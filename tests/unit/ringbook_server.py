"""Ringbook's webhooks served over HTTP by the handlers themselves, and its queue worked through."""

import base64
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import requests
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.sqs.models import sqs_backends

import summarize_call
from calls import call as calls
from calls import call_store
from local.simulated_twilio.account import Account
from tests.unit.signed import CI_KEY, call
from tests.unit.twilio_server import SERVICE_SID, TwilioServer

FUNCTIONS = {
    "/api/twilio/voice/incoming": "incoming_call",
    "/api/twilio/voice/dial-status": "dial_finished",
    "/api/twilio/voice/voicemail": "voicemail_left",
    "/api/twilio/voice/fallback": "fallback_route",
    "/api/twilio/voice/status-callback": "call_status",
    "/api/twilio/voice/transcription": "live_transcript",
    "/api/twilio/voice/recording-status": "recording_ready",
    f"/api/twilio/ci-status/{CI_KEY}": "transcript_ready",
}
PATIENCE_SECONDS = 20
# Lambda has a process for each request; here they share one, and its loggers.
ONE_AT_A_TIME = threading.Lock()


class RealCalls:
    """Calls that the simulated Twilio places with the handlers, and all that follows them."""

    def __init__(self, twilio: TwilioServer, region: str) -> None:
        self._twilio, self._region = twilio, region

    def place(self, to: str, **scenario: Any) -> str:
        """The SID of a call that is over, each of its callbacks delivered or lost."""
        body = {"to": to, "from": "+17735550171"} | scenario
        answer = requests.post(f"{self._twilio.url}/simulator/calls", json=body, timeout=5)
        assert answer.status_code == 201, answer.text
        call_sid = str(answer.json()["callSid"])
        _wait(lambda: self._twilio.account.traces[call_sid].done)
        return call_sid

    def lose_callbacks(self, share: float = 1.0) -> None:
        faults = {"seed": 1, "drop": share}
        requests.post(f"{self._twilio.url}/simulator/faults", json=faults, timeout=5)

    def work_through_the_queue(self) -> None:
        """Every message is received, delayed or not, until none is left."""
        messages = sqs_backends[DEFAULT_ACCOUNT_ID][self._region].queues["work"]._messages
        deadline = time.monotonic() + PATIENCE_SECONDS
        while messages:
            assert time.monotonic() < deadline, messages[0].body
            message = messages.pop(0)
            summarize_call.handler({"Records": [{"body": message.body}]}, None)
            # What is not ready is asked for again; Twilio needs a moment.
            time.sleep(0.01)

    def settled(self, call_sid: str) -> dict[str, Any]:
        self.work_through_the_queue()
        call = call_store.find(call_sid)
        assert call
        assert calls.is_settled(call), (calls.outstanding(call), calls.attributes(call))
        return call_store.get(call_sid) or {}


@contextmanager
def real_calls(
    twilio: TwilioServer, number: str, region: str, set_url: Callable[[str], None]
) -> Iterator[RealCalls]:
    """The number and the intelligence service point at the handlers until the block ends."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handlers) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        url = f"http://127.0.0.1:{server.server_address[1]}"
        set_url(url)
        twilio.account.clock.http_time_scale = 10  # a busy machine loses no webhook
        _point(twilio.account, number, url)
        yield RealCalls(twilio, region)
        server.shutdown()


def _point(account: Account, number: str, url: str) -> None:
    account.add_number(number).settings |= {
        "voice_url": f"{url}/api/twilio/voice/incoming",
        "status_callback": f"{url}/api/twilio/voice/status-callback",
    }
    account.services[SERVICE_SID].webhook_url = f"{url}/api/twilio/ci-status/{CI_KEY}"


class _Handlers(BaseHTTPRequestHandler):
    """Turns a request into API Gateway's event, and the answer back."""

    def do_POST(self) -> None:
        parts = urlsplit(self.path)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        key = re.fullmatch(r"/api/twilio/ci-status/(\w+)", parts.path)
        event = {
            "rawPath": parts.path,
            "rawQueryString": parts.query,
            "headers": {name.lower(): value for name, value in self.headers.items()},
            "requestContext": {
                "domainName": "api.example.test",
                "timeEpoch": round(time.time() * 1000),
            },
            "body": base64.b64encode(body).decode(),
            "isBase64Encoded": True,
        } | ({"pathParameters": {"key": key[1]}} if key else {})
        with ONE_AT_A_TIME:
            answer = call(FUNCTIONS[parts.path], event)
        said = str(answer.get("body", "")).encode()
        self.send_response(answer["statusCode"])
        for name, value in answer.get("headers", {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, *_: Any) -> None:
        """The tests' output stays theirs."""


def _wait(until: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not until():
        assert time.monotonic() < deadline
        time.sleep(0.01)
