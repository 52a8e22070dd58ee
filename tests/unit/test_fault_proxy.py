"""The proxy before a dependency: passes everything on unchanged, or fails as it is told to."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import boto3
import pytest
import requests
from botocore.config import Config
from botocore.exceptions import ClientError

from local.fault_proxy import DEPENDENCIES, Asked, FaultProxies


class Server(ThreadingHTTPServer):
    """Answers everything with 201, and remembers what it was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[tuple[str, str, str | None, bytes]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"] or 0))
        self.server.asked.append((self.command, self.path, self.headers["Host"], body))
        self.send_response(201)
        self.send_header("Content-Length", "2")
        self.send_header("X-Its-Own", "yes")
        self.end_headers()
        self.wfile.write(b"ok")

    do_PUT = do_POST  # noqa: N815 - the name that the server looks for

    def log_message(self, *_: object) -> None:
        """The tests' output stays theirs."""


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def proxies(server: Server) -> Iterator[FaultProxies]:
    with FaultProxies() as proxies:
        proxies.stand_before(aws=server.url, twilio=server.url)
        yield proxies


def ask(proxies: FaultProxies, dependency: str, timeout: float = 5) -> requests.Response:
    return requests.post(proxies.url(dependency), b"asked", timeout=timeout)


def test_a_request_is_passed_on_as_it_was_sent(proxies, server):
    url = f"{proxies.url('s3')}/a%20key/b?x=%2B1"

    answer = requests.put(url, b"bytes", timeout=5)

    host = proxies.url("s3").removeprefix("http://")
    assert server.asked == [("PUT", "/a%20key/b?x=%2B1", host, b"bytes")]
    assert (answer.status_code, answer.text, answer.headers["X-Its-Own"]) == (201, "ok", "yes")


@pytest.mark.parametrize("fault", ["refuse", "lose"])
def test_a_connection_ends_without_an_answer(proxies, server, fault):
    proxies.set_faults({"sqs": fault})

    with pytest.raises(requests.ConnectionError):
        ask(proxies, "sqs")

    assert len(server.asked) == (fault == "lose")


def test_a_connection_that_was_kept_is_refused_too(proxies, server):
    with requests.Session() as session:
        session.post(proxies.url("dynamodb"), timeout=5)
        proxies.set_faults({"dynamodb": "refuse"})

        with pytest.raises(requests.ConnectionError):
            session.post(proxies.url("dynamodb"), timeout=5)

    assert len(server.asked) == 1


def test_a_stalled_dependency_answers_nothing(proxies, server):
    proxies.set_faults({"twilio": "stall"})

    with pytest.raises(requests.ReadTimeout):
        ask(proxies, "twilio", timeout=0.2)

    assert server.asked == []


@pytest.mark.parametrize(
    ("service", "operation", "request_", "error", "throttled"),
    [
        ("dynamodb", "list_tables", {}, "InternalServerError", "ThrottlingException"),
        ("sqs", "list_queues", {}, "ServiceUnavailable", "RequestThrottled"),
        (
            "secretsmanager",
            "list_secrets",
            {},
            "InternalServiceError",
            "ThrottlingException",
        ),
        ("s3", "list_objects_v2", {"Bucket": "files"}, "InternalError", "SlowDown"),
    ],
)
def test_aws_says_what_ails_it(proxies, service, operation, request_, error, throttled):
    client = boto3.client(
        service,
        endpoint_url=proxies.url(service),
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"total_max_attempts": 1}),
    )
    for fault, code in (("error", error), ("throttle", throttled)):
        proxies.set_faults({service: fault})
        with pytest.raises(ClientError) as raised:
            getattr(client, operation)(**request_)
        assert raised.value.response["Error"]["Code"] == code


@pytest.mark.parametrize(("fault", "status"), [("error", 503), ("throttle", 429)])
def test_twilio_says_what_ails_it(proxies, fault, status):
    proxies.set_faults({"twilio": fault})

    answer = ask(proxies, "twilio")

    assert answer.status_code == answer.json()["status"] == status


def test_what_is_not_broken_works_and_what_is_mended_works_again(proxies):
    for fault in ("refuse", "stall", "error"):
        proxies.set_faults({"sqs": fault})
        assert ask(proxies, "s3").ok
        proxies.set_faults({})
        assert all(ask(proxies, dependency).ok for dependency in DEPENDENCIES)


def test_a_dependency_that_is_down_is_down_behind_its_proxy_too():
    with FaultProxies() as proxies:
        proxies.stand_before(aws="http://127.0.0.1:9", twilio="http://127.0.0.1:9")

        with pytest.raises(requests.ConnectionError):
            ask(proxies, "sqs")


@pytest.mark.parametrize("before", [True, False])
def test_a_sender_that_dies_is_not_answered(server, before):
    seen: list[tuple[bytes, bool]] = []

    async def watch(asked: Asked, done: bool) -> bool:
        seen.append((asked.body, done))
        return done is not before

    with FaultProxies(watch) as proxies:
        proxies.stand_before(aws=server.url, twilio=server.url)
        with pytest.raises(requests.ConnectionError):
            ask(proxies, "dynamodb")

    assert seen[0] == (b"asked", False)
    assert len(server.asked) == (not before)
