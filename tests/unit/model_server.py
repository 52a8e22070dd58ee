"""Bedrock's Converse API with a model that says what a test has it say, served in the background."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote


@dataclass
class Model:
    """`says` is the tool's input; `content` replaces the whole answer's content; `asked` is what came."""

    url: str = ""
    says: Any = None
    content: list[dict[str, Any]] | None = None
    status: int = 200
    body: bytes | None = None
    seconds: float = 0
    asked: list[dict[str, Any]] = field(default_factory=list)

    def answer(self, path: str, request: dict[str, Any]) -> tuple[int, bytes]:
        self.asked.append(request | {"path": unquote(path)})
        time.sleep(self.seconds)
        if self.status != 200:
            return self.status, b'{"message": "what the caller said stands here"}'
        if self.body is not None:
            return 200, self.body
        used = {"toolUseId": "t1", "name": "record_verdict", "input": self.says}
        content = [{"toolUse": used}] if self.content is None else self.content
        answer = {
            "output": {"message": {"role": "assistant", "content": content}},
            "stopReason": "tool_use",
            "usage": {"inputTokens": 1, "outputTokens": 1, "totalTokens": 2},
            "metrics": {"latencyMs": 1},
        }
        return 200, json.dumps(answer).encode()

    def read(self) -> str:
        """Everything that the model was shown."""
        return json.dumps([[a["system"], a["messages"]] for a in self.asked], ensure_ascii=False)


@contextmanager
def model_server() -> Iterator[Model]:
    model = Model()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status, body = model.answer(self.path, request)
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("x-amzn-ErrorType", "ThrottlingException")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """The tests' output stays theirs."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        model.url = f"http://127.0.0.1:{server.server_address[1]}"
        yield model
        server.shutdown()
        thread.join()
