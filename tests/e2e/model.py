"""A language model behind the emulated Bedrock: it says what a test has it say."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

MODEL_ID = "amazon.nova-test"


@dataclass
class FakeModel:
    """`says` is what it gives to the tool, None for a failure; `asked` holds every request."""

    url: str = ""
    says: dict[str, Any] | None = None
    asked: list[dict[str, Any]] = field(default_factory=list)

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """In the form of OpenAI's chat completions, which MiniStack turns into Converse's."""
        name = request["tool_choice"]["function"]["name"]
        used = {"name": name, "arguments": json.dumps(self.says)}
        message = {"role": "assistant", "tool_calls": [{"id": "1", "function": used}]}
        return {"choices": [{"message": message}]}


@contextmanager
def serving() -> Iterator[FakeModel]:
    model = FakeModel()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            model.asked.append(request)
            body = json.dumps(model.answer(request)).encode()
            self.send_response(200 if model.says else 503)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """The tests' output stays theirs."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        model.url = f"http://127.0.0.1:{server.server_address[1]}"
        yield model
        server.shutdown()
