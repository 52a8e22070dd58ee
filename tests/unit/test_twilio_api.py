"""Twilio's REST API is asked with the better credentials, patiently but not for ever, to the last page."""

import json
import logging
import time
from collections.abc import Callable
from typing import Any

import pytest
import requests

from calls import twilio_api
from tests.unit.signed import ACCOUNT_SID, AUTH_TOKEN, CALL_SID, RECORDING_SID
from tests.unit.twilio_server import API_KEY, TwilioServer, credentials_are

NUMBER = "+13125550140"
NUMBERS = "/IncomingPhoneNumbers.json"
RETRIED = [429, 500, 502, 503, 504]

# The two ways to Twilio: through its helper library, and straight to a recording's media.
WAYS = pytest.mark.parametrize(
    "ask",
    [lambda: list(twilio_api.numbers()), lambda: twilio_api.recording_audio(RECORDING_SID)],
    ids=["api", "media"],
)


@pytest.fixture
def twilio(twilio: TwilioServer) -> TwilioServer:
    twilio.account.add_number(NUMBER)
    twilio.carried(CALL_SID)
    twilio.recorded(CALL_SID, RECORDING_SID)
    return twilio


def used(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    """What the log says of credentials: what happened, and to which."""
    return [
        (record.getMessage(), vars(record)["credentials"])
        for record in caplog.records
        if "credentials" in vars(record)
    ]


def written(caplog: pytest.LogCaptureFixture) -> str:
    """All that a log at level INFO holds; moto's own lines aside."""
    return "\n".join(str(vars(line)) for line in caplog.records if line.name != "responses")


@WAYS
class TestCredentials:
    def test_are_the_api_key_where_there_is_one(
        self, cloud: Any, twilio: TwilioServer, caplog: pytest.LogCaptureFixture, ask: Any
    ) -> None:
        credentials_are(cloud, API_KEY, AUTH_TOKEN)

        with caplog.at_level(logging.INFO):
            ask()

        assert [asked.user for asked in twilio.asked] == [API_KEY[0]]
        assert used(caplog) == [("Twilio asked", "API key")]

    def test_are_else_the_auth_token(
        self, cloud: Any, twilio: TwilioServer, caplog: pytest.LogCaptureFixture, ask: Any
    ) -> None:
        credentials_are(cloud, token=AUTH_TOKEN)

        with caplog.at_level(logging.INFO):
            ask()

        assert [asked.user for asked in twilio.asked] == [ACCOUNT_SID]
        assert used(caplog) == [("Twilio asked", "Auth Token")]

    @pytest.mark.parametrize("status", [401, 403])
    def test_that_are_refused_are_followed_by_the_auth_token_once(
        self,
        cloud: Any,
        twilio: TwilioServer,
        caplog: pytest.LogCaptureFixture,
        ask: Any,
        status: int,
    ) -> None:
        credentials_are(cloud, API_KEY, AUTH_TOKEN)
        twilio.fails("GET", "", status)

        with caplog.at_level(logging.INFO):
            ask()

        assert [asked.user for asked in twilio.asked] == [API_KEY[0], ACCOUNT_SID]
        assert used(caplog) == [
            ("Twilio refused the credentials", "API key"),
            ("Twilio asked", "Auth Token"),
        ]

    def test_that_were_deployed_as_none_are_none(
        self, cloud: Any, twilio: TwilioServer, ask: Any
    ) -> None:
        credentials_are(cloud, ("", "none"), AUTH_TOKEN)

        ask()

        assert {asked.user for asked in twilio.asked} == {ACCOUNT_SID}

    def test_that_are_all_refused_today_may_be_mended_tomorrow(
        self, cloud: Any, twilio: TwilioServer, ask: Any
    ) -> None:
        credentials_are(cloud, (API_KEY[0], "wrong"), "wrong")

        with pytest.raises(twilio_api.Unavailable):
            ask()

        assert [asked.user for asked in twilio.asked] == [API_KEY[0], ACCOUNT_SID]

    @pytest.mark.parametrize("key", [("", ""), (API_KEY[0], ""), ("", API_KEY[1])])
    def test_that_are_missing_are_an_error_that_names_both(
        self, cloud: Any, twilio: TwilioServer, ask: Any, key: tuple[str, str]
    ) -> None:
        credentials_are(cloud, key)

        with pytest.raises(twilio_api.Unconfigured) as missing:
            ask()

        for name in ("TwilioApiKeySid", "TwilioApiKeySecret", "TwilioAuthToken"):
            assert name in str(missing.value)
        assert twilio.asked == []

    def test_are_in_no_log_line(
        self, cloud: Any, twilio: TwilioServer, caplog: pytest.LogCaptureFixture, ask: Any
    ) -> None:
        credentials_are(cloud, API_KEY, AUTH_TOKEN)
        twilio.fails("GET", "", 401)

        with caplog.at_level(logging.INFO):
            ask()

        for hidden in (*API_KEY, AUTH_TOKEN, ACCOUNT_SID):
            assert hidden not in written(caplog)


def test_no_log_line_holds_a_telephone_number(
    twilio: TwilioServer, caplog: pytest.LogCaptureFixture
) -> None:
    twilio.fails("GET", "", 503, times=2)
    with caplog.at_level(logging.INFO):
        twilio_api.find_number(NUMBER)

    assert "Twilio asked" in written(caplog)
    assert NUMBER.removeprefix("+") not in written(caplog)


@WAYS
class TestTrouble:
    @pytest.mark.parametrize("status", RETRIED)
    def test_is_tried_again_twice(self, twilio: TwilioServer, ask: Any, status: int) -> None:
        twilio.fails("GET", "", status, times=2)

        assert ask()
        assert len(twilio.asked) == 3

    @pytest.mark.parametrize("status", RETRIED)
    def test_that_lasts_is_unavailable(self, twilio: TwilioServer, ask: Any, status: int) -> None:
        twilio.fails("GET", "", status, times=3)

        with pytest.raises(twilio_api.Unavailable):
            ask()

        assert len(twilio.asked) == 3

    def test_does_not_wait_as_long_as_twilio_pleases(self, twilio: TwilioServer, ask: Any) -> None:
        twilio.fails("GET", "", 429, Retry_After="3600")
        began = time.monotonic()

        ask()

        assert time.monotonic() - began < 2

    @pytest.mark.parametrize(("status", "kind"), [(404, "NotFound"), (410, "Refused")])
    def test_of_another_kind_is_a_refusal_at_once(
        self, twilio: TwilioServer, ask: Any, status: int, kind: str
    ) -> None:
        twilio.fails("GET", "", status)

        with pytest.raises(twilio_api.Refused) as refused:
            ask()

        assert (type(refused.value).__name__, refused.value.status) == (kind, status)
        assert len(twilio.asked) == 1

    def test_of_a_twilio_that_hangs_is_unavailable(
        self, twilio: TwilioServer, ask: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(twilio_api, "TIMEOUT", (0.1, 0.1))
        url = f"{twilio.url}/simulator/down"
        requests.post(url, json={"status": "hang", "seconds": 2}, timeout=5)

        with pytest.raises(twilio_api.Unavailable):
            ask()

        requests.post(url, json={"status": None}, timeout=5)

    def test_of_a_twilio_that_is_not_there_is_unavailable(
        self, twilio: TwilioServer, ask: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("TWILIO_API_BASE_URL", "http://127.0.0.1:9")

        with pytest.raises(twilio_api.Unavailable):
            ask()


def test_an_order_is_tried_again_too(twilio: TwilioServer) -> None:
    twilio.fails("POST", "/v2/Transcripts", 503)

    sid = twilio_api.order_transcript(RECORDING_SID, CALL_SID, [])

    assert list(twilio.account.transcripts) == [sid]


def test_waits_between_tries_and_never_for_ever() -> None:
    http = twilio_api._Http([])

    assert twilio_api.RETRY.backoff_factor > 0
    assert twilio_api.RETRY.total == 2
    for adapter in http.session.adapters.values():
        assert adapter.max_retries is twilio_api.RETRY
    assert http.timeout == twilio_api.TIMEOUT == (3, 5)


@pytest.fixture
def pages_of_two(monkeypatch: pytest.MonkeyPatch) -> None:
    for maximum in ("rest_answers.page_of.__defaults__", "rest_answers.v2_list.__defaults__"):
        monkeypatch.setattr(f"local.simulated_twilio.{maximum}", (2,))
    monkeypatch.setattr("local.simulated_twilio.intelligence_rest.MAX_SENTENCES", 2)


@pytest.mark.usefixtures("pages_of_two")
class TestPages:
    def test_of_numbers_are_all_read(self, twilio: TwilioServer) -> None:
        for line in range(4):
            twilio.account.add_number(f"+1312555020{line}")

        assert len(list(twilio_api.numbers())) == 5
        assert len(twilio.requests("GET", NUMBERS)) == 3

    def test_of_sentences_are_all_read(self, twilio: TwilioServer) -> None:
        script = "\n".join(f"caller: Sentence {n}." for n in range(5))
        twilio.carried(CALL_SID, script)
        twilio.recorded(CALL_SID, RECORDING_SID)
        sid = twilio.finished(twilio_api.order_transcript(RECORDING_SID, CALL_SID, []))

        assert len(twilio_api.sentences(sid)) == 5

    def test_of_operators_are_all_read(self, twilio: TwilioServer) -> None:
        for n in range(3):
            twilio.account.add_service(f"GA{n}")

        assert sorted(twilio_api.operator_names()) == [
            "Conversation Summary",
            "Sentiment Analysis",
        ]


@pytest.mark.parametrize(
    ("number", "found"),
    [(NUMBER, True), ("+1312555014", False), ("+3125550140", False), ("+13125550149", False)],
)
def test_a_number_is_found_only_as_a_whole(twilio: TwilioServer, number: str, found: bool) -> None:
    assert bool(twilio_api.find_number(number)) == found


def test_a_change_touches_only_what_it_names(twilio: TwilioServer) -> None:
    number = twilio_api.find_number(NUMBER)
    assert number

    twilio_api.update_number(number.sid, voice_url="https://phone.example.test/x", trunk_sid="")

    (asked,) = twilio.requests("POST", f"{number.sid}.json")
    assert asked.form == {"VoiceUrl": "https://phone.example.test/x", "TrunkSid": ""}


def test_operator_results_keep_twilios_names(twilio: TwilioServer) -> None:
    twilio.carried(CALL_SID, "summary: Nothing was booked.\ncaller: Hello?")
    twilio.recorded(CALL_SID, RECORDING_SID)
    sid = twilio.finished(twilio_api.order_transcript(RECORDING_SID, CALL_SID, []))

    results = twilio_api.operator_results(sid)

    (summary,) = [result for result in results if result["name"] == "Conversation Summary"]
    assert summary["operator_type"] == "text-generation"
    assert summary["text_generation_results"]["result"] == "Nothing was booked."
    assert json.loads(json.dumps(results)) == results


@pytest.mark.parametrize(
    "ask",
    [
        lambda: twilio_api.call("CA" + "0" * 32),
        lambda: twilio_api.recording("RE" + "0" * 32),
        lambda: twilio_api.recording_audio("RE" + "0" * 32),
        lambda: twilio_api.transcript("GT" + "0" * 32),
        lambda: twilio_api.operator_results("GT" + "0" * 32),
        lambda: twilio_api.sentences("GT" + "0" * 32),
        lambda: twilio_api.update_number("PN" + "0" * 32, voice_url=""),
    ],
)
def test_what_does_not_exist_is_not_found(twilio: TwilioServer, ask: Callable[[], Any]) -> None:
    with pytest.raises(twilio_api.NotFound):
        ask()


def test_nothing_is_ordered_twice_of_one_recording(twilio: TwilioServer) -> None:
    sid = twilio_api.order_transcript(RECORDING_SID, CALL_SID, [])

    assert twilio_api.transcript_of(RECORDING_SID) == sid
    assert twilio_api.transcript_of("RE" + "0" * 32) is None
    with pytest.raises(twilio_api.Refused):
        twilio_api.order_transcript(RECORDING_SID, CALL_SID, [])
