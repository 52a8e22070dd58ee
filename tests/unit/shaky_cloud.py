"""AWS at the other end of a real connection, where every operation may stall, throttle or break."""

import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from calls.aws import to_item
from local.processes import free_port
from tests.unit.conftest import secret_values
from tests.unit.twilio_side import CLINIC, CLINIC_PHONE, LINE

STORED_LINE = {
    "phoneNumber": LINE,
    "clinicId": CLINIC,
    "forwardNumber": CLINIC_PHONE,
    "settings": {},
    "owners": [{"clinicId": CLINIC, "from": "2026-01-05T08:00:00.000Z", "to": None}],
    "version": 1,
}
# What an operation that fails says, with its HTTP status; None never says anything.
FAILURES: dict[str, tuple[int, str] | None] = {
    "throttles a table": (400, "ProvisionedThroughputExceededException"),
    "throttles an account": (400, "ThrottlingException"),
    "breaks": (500, "InternalServerError"),
    "stalls": None,
    "hangs up": (0, ""),
}

Answer = dict[str, Any]


@dataclass
class ShakyCloud:
    """`asked` are the operations as they came, such as "PutItem CallLogsTable", each try of them."""

    url: str = ""
    asked: list[str] = field(default_factory=list)
    queued: list[dict[str, Any]] = field(default_factory=list)
    faults: dict[str, str] = field(default_factory=dict)
    over: threading.Event = field(default_factory=threading.Event)

    def let_fail(self, operations: str, how: str) -> None:
        """Every operation whose name begins so fails from now on."""
        self.faults[operations] = how

    def tries(self, operation: str) -> int:
        return sum(asked.startswith(operation) for asked in self.asked)

    def fault_of(self, operation: str) -> str:
        return next((how for o, how in self.faults.items() if operation.startswith(o)), "")

    def answer(self, operation: str, said: dict[str, Any]) -> Answer:
        """What AWS says when it is well, as far as Ringbook reads it."""
        answers: dict[str, Callable[[], Answer]] = {
            "GetSecretValue": lambda: {"SecretString": json.dumps(secret_values())},
            "GetItem LinesTable": lambda: {"Item": to_item(STORED_LINE)},
            "SendMessage": lambda: self._queue(said["MessageBody"]),
        }
        return answers.get(operation, dict)()

    def _queue(self, body: str) -> Answer:
        self.queued.append(json.loads(body))
        md5 = hashlib.md5(body.encode(), usedforsecurity=False).hexdigest()
        return {"MessageId": "1", "MD5OfMessageBody": md5}


@contextmanager
def shaky_cloud() -> Iterator[ShakyCloud]:
    cloud = ShakyCloud()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(cloud))
    cloud.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield cloud
    finally:
        cloud.over.set()
        server.shutdown()
        server.server_close()
        thread.join()


def closed_port() -> str:
    """An address at which connections are refused."""
    return f"http://127.0.0.1:{free_port()}"


def _handler(cloud: ShakyCloud) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            said = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            operation = self.headers["X-Amz-Target"].partition(".")[2]
            operation = f"{operation} {said.get('TableName', '')}".strip()
            cloud.asked.append(operation)
            how = cloud.fault_of(operation)
            if not how:
                self.say(200, cloud.answer(operation, said))
                return
            failure = FAILURES[how]
            if failure is None:
                cloud.over.wait()
            if failure in (None, (0, "")):
                self.close_connection = True
                return
            status, code = failure
            self.say(status, {"__type": code, "message": "on demand"})

        def say(self, status: int, answer: Answer) -> None:
            body = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/x-amz-json-1.0")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    return Handler
