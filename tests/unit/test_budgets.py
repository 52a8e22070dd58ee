"""AWS stalls, throttles, breaks or is not there: the caller is answered, or the fallback's turn comes in time."""

import time
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from aws_lambda_powertools.utilities.parameters.exceptions import GetParameterError

from calls import aws, keeping, secret
from calls.aws import AwsError
from local.simulated_twilio.webhooks import ConnectionOverrides
from tests.unit.emf import emitted
from tests.unit.shaky_cloud import FAILURES, ShakyCloud, closed_port, shaky_cloud
from tests.unit.signed import BASE_URL, call
from tests.unit.test_admin import connected, new_clinic
from tests.unit.test_answer_path import A_CALLER_WAITS, CALLBACKS, FUNCTIONS
from tests.unit.test_template import functions
from tests.unit.twilio_server import TwilioServer
from tests.unit.twilio_side import (
    CLINIC_PHONE,
    LINE,
    only,
    sample,
    sample_with,
    twiml,
    verbs,
)

ANSWER_PATH = ("IncomingCall", "DialFinished", "VoicemailLeft")
SECONDS_OF_A_FUNCTION = 4  # on the answer path; test_template.py reads them off the template
# Enough for what stalls to be left behind, and for the answer after it.
SECONDS = 2.2
TWILIO_WAITS = 15
# What is left of them for the fallback: its cold start, which loads no layer, and the network.
SECONDS_FOR_THE_FALLBACK = 1


@pytest.fixture
def shaky(monkeypatch: pytest.MonkeyPatch) -> Iterator[ShakyCloud]:
    """A function of the answer path at an AWS that fails on demand."""
    with ThreadPoolExecutor() as beside_the_answer, shaky_cloud() as cloud:
        environment = {
            "AWS_ENDPOINT_URL": cloud.url,
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_DEFAULT_REGION": "eu-west-1",
            "A_CALLER_WAITS": "true",
            "BACKEND_URL": BASE_URL,
            "POWERTOOLS_SERVICE_NAME": "ringbook",
            "TWILIO_SECRET_ARN": "twilio",
            "WORK_QUEUE_URL": f"{cloud.url}/000000000000/work",
        }
        tables = {
            "LINES_TABLE": "LinesTable",
            "CALL_LOGS_TABLE": "CallLogsTable",
            "CALL_EVENTS_TABLE": "CallEventsTable",
        }
        for name, value in (environment | tables).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(boto3, "DEFAULT_SESSION", boto3.Session())
        monkeypatch.setattr(keeping, "_beside_the_answer", beside_the_answer)
        forget_connections()
        yield cloud
    # What was left behind has ended by now, and makes no connections any more.
    forget_connections()


def forget_connections() -> None:
    aws.client.cache_clear()
    secret._provider.cache_clear()
    secret._Reread.last = float("-inf")


def answer_to(name: str, seconds: float = SECONDS) -> dict[str, Any]:
    event, _ = A_CALLER_WAITS[name]
    return call(FUNCTIONS.get(name, name), event, seconds=seconds)


class TestACallerWhoWaits:
    @pytest.mark.parametrize("how", FAILURES)
    def test_is_rung_through_and_the_fact_is_queued_however_the_table_fails(
        self, shaky: ShakyCloud, how: str
    ) -> None:
        shaky.let_fail("PutItem", how)

        answered = twiml(answer_to("incoming_call"))

        assert only(answered, "Dial/Number").text == CLINIC_PHONE
        assert [work["kind"] for work in shaky.queued] == ["note"]
        assert shaky.tries("PutItem") <= 2

    @pytest.mark.parametrize("name", A_CALLER_WAITS)
    def test_is_answered_in_time_when_the_table_and_the_queue_stall_together(
        self, shaky: ShakyCloud, name: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        shaky.let_fail("PutItem", "stalls")
        shaky.let_fail("SendMessage", "stalls")
        began = time.monotonic()

        answered = twiml(answer_to(name))

        assert verbs(answered) == A_CALLER_WAITS[name][1]
        assert time.monotonic() - began < SECONDS_OF_A_FUNCTION
        assert emitted(capsys.readouterr().out) == {"FactLost": [1]}

    def test_is_answered_in_time_when_there_is_none_left(
        self, shaky: ShakyCloud, capsys: pytest.CaptureFixture[str]
    ) -> None:
        shaky.let_fail("PutItem", "stalls")
        shaky.let_fail("SendMessage", "stalls")

        answered = twiml(answer_to("incoming_call", seconds=0))

        assert only(answered, "Dial/Number").text == CLINIC_PHONE
        assert emitted(capsys.readouterr().out) == {"FactLost": [1]}

    @pytest.mark.parametrize("how", FAILURES)
    @pytest.mark.parametrize("name", ["incoming_call", "not answered", "voicemail_left"])
    def test_is_left_to_the_fallback_in_time_when_the_line_cannot_be_read(
        self, shaky: ShakyCloud, name: str, how: str
    ) -> None:
        shaky.let_fail("GetItem", how)
        began = time.monotonic()

        with pytest.raises(AwsError):
            answer_to(name, seconds=4)

        assert time.monotonic() - began < SECONDS_OF_A_FUNCTION
        assert shaky.tries("GetItem") == 2
        assert [work["kind"] for work in shaky.queued] == ["note"]

    def test_is_left_to_the_fallback_in_time_when_nothing_answers_but_the_secret(
        self, shaky: ShakyCloud, capsys: pytest.CaptureFixture[str]
    ) -> None:
        for operation in ("GetItem", "PutItem", "SendMessage"):
            shaky.let_fail(operation, "stalls")
        began = time.monotonic()

        with pytest.raises(AwsError):
            answer_to("incoming_call", seconds=4)

        assert time.monotonic() - began < SECONDS_OF_A_FUNCTION
        assert emitted(capsys.readouterr().out) == {"FactLost": [1]}

    def test_is_left_to_the_fallback_when_the_database_cannot_be_reached(
        self, shaky: ShakyCloud, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", closed_port())

        with pytest.raises(AwsError):
            answer_to("incoming_call")

        assert [work["kind"] for work in shaky.queued] == ["note"]


class TestTheSecret:
    @pytest.mark.parametrize("how", FAILURES)
    @pytest.mark.parametrize("name", ["incoming_call", "not answered", "voicemail_left"])
    def test_that_cannot_be_read_leaves_the_caller_to_the_fallback_in_time(
        self, shaky: ShakyCloud, name: str, how: str
    ) -> None:
        shaky.let_fail("GetSecretValue", how)
        began = time.monotonic()

        with pytest.raises(GetParameterError):
            answer_to(name)

        assert time.monotonic() - began < SECONDS_OF_A_FUNCTION
        assert shaky.asked == ["GetSecretValue"] * 2

    @pytest.mark.parametrize("function", ["incoming_call", *CALLBACKS])
    def test_that_cannot_be_read_lets_no_forger_in(self, shaky: ShakyCloud, function: str) -> None:
        shaky.let_fail("GetSecretValue", "breaks")
        forged, unsigned = sample(function), sample(function)
        forged["headers"]["x-twilio-signature"] = "bm90IHNpZ25lZCBieSB0d2lsaW8="
        del unsigned["headers"]["x-twilio-signature"]

        with pytest.raises(GetParameterError):
            call(function, forged)
        if "pathParameters" not in unsigned:
            assert call(function, unsigned)["statusCode"] == 403

        assert set(shaky.asked) == {"GetSecretValue"}


class TestACallback:
    @pytest.fixture(autouse=True)
    def nobody_waits(self, shaky: ShakyCloud, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("A_CALLER_WAITS")
        monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=lambda _seconds: None))

    @pytest.mark.parametrize("function", CALLBACKS)
    @pytest.mark.parametrize("how", [how for how in FAILURES if how != "stalls"])
    def test_that_could_not_be_kept_is_answered_with_no_success(
        self, shaky: ShakyCloud, function: str, how: str
    ) -> None:
        shaky.let_fail("PutItem", how)

        with pytest.raises(AwsError):
            call(function, sample(function))

        assert shaky.tries("PutItem") == 3
        assert shaky.queued == []

    def test_stands_in_this_modules_table(self, template: dict[str, Any]) -> None:
        without_a_token = {
            function["Handler"].removesuffix(".handler")
            for function in functions(template).values()
            for event in function.get("Events", {}).values()
            if event["Type"] == "HttpApi" and "Auth" not in event["Properties"]
        }
        waited_for = {"incoming_call", "dial_finished", "voicemail_left", "fallback_route"}

        assert set(CALLBACKS) == without_a_token - waited_for


class TestTwiliosPatience:
    """The overrides, as Twilio reads them off the URLs that it got."""

    @pytest.fixture
    def given(self, twilio: TwilioServer) -> list[ConnectionOverrides]:
        """Those of every URL in TwiML, and of those that connect gives a number."""
        number = twilio.account.add_number(LINE)
        connected(new_clinic(enableRecording=True, enableTranscription=True), LINE)
        answers = [
            call("incoming_call", sample("incoming_call")),
            call("dial_finished", sample_with("dial_finished", DialCallStatus="busy")),
            call("fallback_route", sample("fallback_route")),
        ]
        urls = [url for answer in answers for url in urls_of(twiml(answer))]
        urls += [number.text(n) for n in ("voice_url", "voice_fallback_url", "status_callback")]
        assert len(urls) == 10
        return [ConnectionOverrides.from_url(url) for url in urls]

    def test_outlasts_each_try_of_ours(
        self, given: list[ConnectionOverrides], template: dict[str, Any]
    ) -> None:
        longest = max(functions(template)[name]["Timeout"] for name in ANSWER_PATH)

        assert {overrides.read_timeout > longest for overrides in given} == {True}

    def test_is_for_three_tries_after_whatever_failure(
        self, given: list[ConnectionOverrides]
    ) -> None:
        assert {overrides.retries for overrides in given} == {2}
        assert {overrides.policies for overrides in given} == {frozenset({"5xx", "ct", "rt"})}

    def test_leaves_the_fallback_its_turn(self, given: list[ConnectionOverrides]) -> None:
        for overrides in given:
            tries = overrides.retries + 1
            assert (
                tries * max(overrides.read_timeout, overrides.connect_timeout)
                <= overrides.total_timeout
            )
            assert overrides.total_timeout + SECONDS_FOR_THE_FALLBACK <= TWILIO_WAITS


def urls_of(document: ET.Element) -> Iterator[str]:
    for element in document.iter():
        yield from (value for value in element.attrib.values() if value.startswith("http"))
