"""What Twilio did not sign is refused; what it signed is accepted, also while its token is changed."""

import base64
import copy
import io
import json
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qsl

import pytest
from aws_lambda_powertools.utilities.parameters.exceptions import GetParameterError

from calls import twilio_webhook
from tests.unit import emf
from tests.unit.conftest import resources, secret_values
from tests.unit.signed import AUTH_TOKEN, BASE_URL, CI_KEY, call, form_event, json_event
from tests.unit.twilio_side import (
    CALL_SID,
    connected_line,
    kept_webhooks,
    nothing_happened,
    queued,
    sample,
    sample_params,
    sample_with,
    twilio_sends,
)

ROOT = Path(__file__).parents[2]
CI_STATUS = "/api/twilio/ci-status"
VOICE = "/api/twilio/voice"

FORMS = [
    "incoming_call",
    "dial_finished",
    "voicemail_left",
    "call_status",
    "live_transcript",
    "recording_ready",
]
WEBHOOKS = [*FORMS, "transcript_ready"]
# The caller must reach the clinic even when the secret cannot be read, so it checks no signature.
UNSIGNED = ["fallback_route"]


def path_of(function: str) -> str:
    return str(sample(function)["rawPath"])


def body_of(function: str) -> str:
    return _body(sample(function)).decode()


def plain(body: str) -> dict[str, Any]:
    """A body as API Gateway hands it over when it takes it for text."""
    return {"body": body, "isBase64Encoded": False}


def signed_with(function: str, token: str) -> dict[str, Any]:
    return form_event(path_of(function), sample_params(function), token=token)


def signed_as(function: str, signature: str) -> dict[str, Any]:
    event = sample(function)
    event["headers"]["x-twilio-signature"] = signature
    return event


def without_signature(event: dict[str, Any]) -> dict[str, Any]:
    kept = copy.deepcopy(event)
    del kept["headers"]["x-twilio-signature"]
    return kept


def changed(event: dict[str, Any], place: int) -> dict[str, Any]:
    """The event with the byte at a place of its body replaced by another."""
    body = bytearray(_body(event))
    body[place] = ord("x") if body[place] != ord("x") else ord("y")
    return event | {"body": base64.b64encode(bytes(body)).decode(), "isBase64Encoded": True}


def _body(event: dict[str, Any]) -> bytes:
    body = event["body"]
    return base64.b64decode(body) if event["isBase64Encoded"] else body.encode()


def accepted(answer: dict[str, Any]) -> bool:
    return answer["statusCode"] in (200, 204)


def refused(answers: dict[str, dict[str, Any]]) -> list[str]:
    """The names of those that were answered 403; all others must have been accepted."""
    names = [name for name, answer in answers.items() if answer["statusCode"] == 403]
    assert [name for name, answer in answers.items() if not accepted(answer)] == names
    return names


def put_secret(cloud: Any, **changes: str) -> None:
    cloud.secrets.put_secret_value(
        SecretId="twilio", SecretString=json.dumps(secret_values(**changes))
    )


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The seconds that the secret is aged by; the test moves them."""
    time = SimpleNamespace(now=1000.0)
    monkeypatch.setattr("calls.secret.time", SimpleNamespace(monotonic=lambda: time.now))
    return time


class TestEveryWebhook:
    def test_stands_in_this_modules_tables(self, template: dict[str, Any]) -> None:
        functions = resources(template, "AWS::Serverless::Function").values()

        open_to_strangers = {
            function["Properties"]["Handler"].removesuffix(".handler")
            for function in functions
            for event in function["Properties"].get("Events", {}).values()
            if event["Type"] == "HttpApi" and "Auth" not in event["Properties"]
        }

        assert open_to_strangers == {*WEBHOOKS, *UNSIGNED}

    def test_is_accepted_as_twilio_signed_it(self, cloud: Any) -> None:
        connected_line()

        answers = {function: call(function, sample(function)) for function in WEBHOOKS}

        assert refused(answers) == []
        assert len(kept_webhooks(cloud)) == len(WEBHOOKS)

    def test_is_refused_without_a_signature(self, cloud: Any) -> None:
        answers = {f: call(f, without_signature(sample(f))) for f in FORMS}

        assert refused(answers) == FORMS
        assert {a["headers"]["content-type"] for a in answers.values()} == {
            "application/problem+json"
        }
        assert nothing_happened(cloud)

    def test_that_is_refused_is_counted(
        self, cloud: Any, capsys: pytest.CaptureFixture[str]
    ) -> None:
        for function in FORMS:
            call(function, without_signature(sample(function)))
            call(function, signed_with(function, "a-token-of-another-account"))
        call("incoming_call", sample("incoming_call"))

        counted = emf.emitted(capsys.readouterr().out)
        assert counted == {"SignatureRefused": [1, 1] * len(FORMS)}

    @pytest.mark.parametrize("token", ["another-token", AUTH_TOKEN.upper(), " "])
    def test_is_refused_with_the_signature_of_another_token(self, cloud: Any, token: str) -> None:
        answers = {function: call(function, signed_with(function, token)) for function in FORMS}

        assert refused(answers) == FORMS
        assert nothing_happened(cloud)

    @pytest.mark.parametrize("signature", ["", "AAAA", "é" * 28])
    def test_is_refused_with_a_signature_that_is_none(self, cloud: Any, signature: str) -> None:
        answers = {function: call(function, signed_as(function, signature)) for function in FORMS}

        assert refused(answers) == FORMS
        assert nothing_happened(cloud)

    @pytest.mark.parametrize("place", [0, 3, 200, -1])
    def test_is_refused_with_one_byte_changed(self, cloud: Any, place: int) -> None:
        answers = {function: call(function, changed(sample(function), place)) for function in FORMS}

        assert refused(answers) == FORMS
        assert nothing_happened(cloud)

    @pytest.mark.parametrize("extra", ["&Digits=1", "&Extra="])
    def test_is_refused_with_a_parameter_more(self, cloud: Any, extra: str) -> None:
        answers = {f: call(f, sample(f) | plain(body_of(f) + extra)) for f in FORMS}

        assert refused(answers) == FORMS

    def test_is_refused_with_a_parameter_less(self, cloud: Any) -> None:
        answers = {f: call(f, sample(f) | plain(body_of(f).rpartition("&")[0])) for f in FORMS}

        assert refused(answers) == FORMS

    def test_is_refused_at_another_address(self, cloud: Any) -> None:
        answers = {f: call(f, sample(f) | {"rawQueryString": "menu=2"}) for f in FORMS}

        assert refused(answers) == FORMS

    @pytest.mark.parametrize("body", ["", "no form", "%%%=%ZZ&&&==", "CallSid", '{"CallSid": "1"}'])
    def test_is_refused_when_its_body_cannot_be_read(self, cloud: Any, body: str) -> None:
        answers = {function: call(function, sample(function) | plain(body)) for function in FORMS}

        assert refused(answers) == FORMS
        assert nothing_happened(cloud)

    def test_is_refused_when_its_body_is_no_text(self, cloud: Any) -> None:
        no_text = {"body": base64.b64encode(b"\xff\xfe\x00CallSid=CA1").decode()}

        answers = {function: call(function, sample(function) | no_text) for function in FORMS}

        assert refused(answers) == FORMS

    def test_is_accepted_with_blank_unknown_and_foreign_values(self, cloud: Any) -> None:
        connected_line()
        said = {"ToCity": "", "NewParameter": " a blank first", "CallerName": "Ægir Ó. & Co. 😀"}

        answers = {function: twilio_sends(function, **said) for function in FORMS}

        assert refused(answers) == []

    def test_is_accepted_when_the_gateway_did_not_encode_its_body(self, cloud: Any) -> None:
        connected_line()

        answers = {f: call(f, sample(f) | plain(body_of(f))) for f in FORMS}

        assert refused(answers) == []

    @pytest.mark.parametrize("function", WEBHOOKS)
    def test_is_never_accepted_unchecked_when_the_secret_cannot_be_read(
        self, cloud: Any, function: str
    ) -> None:
        connected_line()
        cloud.secrets.delete_secret(SecretId="twilio", ForceDeleteWithoutRecovery=True)

        with pytest.raises(GetParameterError):
            call(function, sample(function))

        assert nothing_happened(cloud)

    def test_of_a_stranger_is_refused_without_reading_the_secret(self, cloud: Any) -> None:
        cloud.secrets.delete_secret(SecretId="twilio", ForceDeleteWithoutRecovery=True)

        answers = {f: call(f, without_signature(sample(f))) for f in FORMS}

        assert refused(answers) == FORMS


class TestAChangedToken:
    @pytest.mark.parametrize("token", [AUTH_TOKEN, "the-new-token"])
    def test_leaves_the_previous_one_valid(self, cloud: Any, token: str) -> None:
        connected_line()
        put_secret(cloud, authToken="the-new-token", previousAuthToken=AUTH_TOKEN)

        answers = {function: call(function, signed_with(function, token)) for function in FORMS}

        assert refused(answers) == []

    def test_is_learned_at_the_first_signature_that_it_made(self, cloud: Any) -> None:
        connected_line()
        before = call("call_status", sample("call_status"))
        put_secret(cloud, authToken="the-new-token")

        after = call("call_status", signed_with("call_status", "the-new-token"))

        assert accepted(before)
        assert accepted(after)

    def test_is_looked_for_once_a_minute_at_most(self, cloud: Any, clock: Any) -> None:
        connected_line()
        refused = call("call_status", signed_with("call_status", "the-new-token"))
        put_secret(cloud, authToken="the-new-token")

        clock.now += 59
        too_early = call("call_status", signed_with("call_status", "the-new-token"))
        clock.now += 2
        at_last = call("call_status", signed_with("call_status", "the-new-token"))

        assert [refused["statusCode"], too_early["statusCode"]] == [403, 403]
        assert accepted(at_last)

    def test_that_is_no_longer_named_is_refused(self, cloud: Any, clock: Any) -> None:
        connected_line()
        put_secret(cloud, authToken="the-new-token", previousAuthToken="")

        answered = call("call_status", signed_with("call_status", AUTH_TOKEN))

        assert answered["statusCode"] == 403

    def test_of_nothing_signs_nothing(self, cloud: Any) -> None:
        put_secret(cloud, authToken="", previousAuthToken="")

        answered = call("call_status", signed_with("call_status", " "))

        assert answered["statusCode"] == 403


class TestJson:
    SAID = json.loads(sample("transcript_ready")["body"])

    def test_is_accepted_with_its_hash_signed(self, cloud: Any) -> None:
        answered = call("transcript_ready", json_event(CI_STATUS, self.SAID))

        assert answered == {"statusCode": 204}

    @pytest.mark.parametrize("keyed", [True, False])
    def test_is_refused_with_one_byte_changed(self, cloud: Any, keyed: bool) -> None:
        event = sample("transcript_ready") if keyed else json_event(CI_STATUS, self.SAID)
        somewhere = range(0, len(event["body"]), 40)

        answers = [call("transcript_ready", changed(event, place)) for place in somewhere]

        assert {answer["statusCode"] for answer in answers} == {403}
        assert nothing_happened(cloud)

    @pytest.mark.parametrize(
        "query", ["", "bodySHA256=", f"bodySHA256={'0' * 64}", f"notbodySHA256={'0' * 64}"]
    )
    def test_is_refused_without_its_hash(self, cloud: Any, query: str) -> None:
        signed_address = form_event(CI_STATUS, {}, query=query)
        event = json_event(CI_STATUS, self.SAID) | {"rawQueryString": query}
        signature = signed_address["headers"]["x-twilio-signature"]
        event["headers"]["x-twilio-signature"] = signature

        answered = call("transcript_ready", event)

        assert answered["statusCode"] == 403
        assert queued(cloud) == []

    def test_is_refused_without_a_signature(self, cloud: Any) -> None:
        answered = call("transcript_ready", json_event(CI_STATUS, self.SAID, token=""))

        assert answered["statusCode"] == 403

    def test_on_a_route_for_forms_is_refused_unsigned(self, cloud: Any) -> None:
        answers = {f: call(f, json_event(path_of(f), {"CallSid": "CA1"}, token="")) for f in FORMS}

        assert refused(answers) == FORMS

    def test_on_a_route_for_forms_is_refused_empty_handed(self, cloud: Any) -> None:
        answers = {f: call(f, json_event(path_of(f), {})) for f in FORMS}

        assert {answer["statusCode"] for answer in answers.values()} == {400}


class TestTheKeyInTheAddress:
    PATH = f"{CI_STATUS}/{CI_KEY}"
    SAID = TestJson.SAID

    def test_is_enough_where_twilio_does_not_sign(self, cloud: Any) -> None:
        events = [
            without_signature(sample("transcript_ready")),
            json_event(self.PATH, self.SAID, token="", key=CI_KEY) | {"rawQueryString": ""},
            form_event(self.PATH, {"transcript_sid": "GT1"}, token="")
            | {"pathParameters": {"key": CI_KEY}},
        ]

        answers = [call("transcript_ready", event) for event in events]

        assert answers == [{"statusCode": 204}] * 3

    def test_does_not_excuse_a_wrong_signature(self, cloud: Any) -> None:
        answered = call(
            "transcript_ready", json_event(self.PATH, self.SAID, token="another", key=CI_KEY)
        )

        assert answered["statusCode"] == 403
        assert queued(cloud) == []

    @pytest.mark.parametrize("query", ["", f"notbodySHA256={'0' * 64}"])
    def test_lets_the_signature_cover_the_address_only(self, cloud: Any, query: str) -> None:
        signed_address = form_event(self.PATH, {}, query=query)["headers"]["x-twilio-signature"]
        event = json_event(self.PATH, self.SAID, key=CI_KEY) | {"rawQueryString": query}
        event["headers"]["x-twilio-signature"] = signed_address

        answered = call("transcript_ready", event)

        assert answered == {"statusCode": 204}

    @pytest.mark.parametrize("key", ["wrong", CI_KEY[:-1], CI_KEY + "k", "ключ"])
    @pytest.mark.parametrize("token", [AUTH_TOKEN, ""])
    def test_is_refused_when_wrong_signed_or_not(self, cloud: Any, key: str, token: str) -> None:
        event = json_event(f"{CI_STATUS}/{key}", self.SAID, token=token, key=key)

        answered = call("transcript_ready", event)

        assert answered["statusCode"] == 403
        assert queued(cloud) == []

    def test_is_learned_when_it_was_changed(self, cloud: Any) -> None:
        call("transcript_ready", sample("transcript_ready"))
        put_secret(cloud, ciWebhookKey="another-key")

        answered = call(
            "transcript_ready",
            json_event(f"{CI_STATUS}/another-key", self.SAID, token="", key="another-key"),
        )

        assert answered == {"statusCode": 204}


class TestTheLog:
    @pytest.fixture(autouse=True)
    def written(self, monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
        stream = io.StringIO()
        for handler in twilio_webhook.logger.handlers:
            monkeypatch.setattr(handler, "stream", stream)
        return stream

    def test_of_a_refusal_holds_nothing_of_the_request(
        self, cloud: Any, written: io.StringIO
    ) -> None:
        call("incoming_call", without_signature(sample("incoming_call")))

        line = json.loads(written.getvalue())
        assert (line["message"], line["status"]) == ("webhook refused", 403)
        assert not any(
            value in written.getvalue()
            for value in sample_params("incoming_call").values()
            if len(value) > 6
        )

    def test_of_a_refusal_does_not_name_the_call_before_it(
        self, cloud: Any, written: io.StringIO
    ) -> None:
        call("incoming_call", sample("incoming_call"))
        call("incoming_call", without_signature(sample("incoming_call")))

        *_, refusal = map(json.loads, written.getvalue().splitlines())
        assert refusal.get("call_sid") is None

    def test_names_the_call_and_nobody_in_it(self, cloud: Any, written: io.StringIO) -> None:
        call("incoming_call", sample("incoming_call"))

        (line,) = map(json.loads, written.getvalue().splitlines())
        assert (line["message"], line["call_sid"]) == ("unknown number called", CALL_SID)
        private = ("From", "To", "CallerName", "FromCity", "CallToken")
        assert not [n for n in private if sample_params("incoming_call")[n] in written.getvalue()]


SHARED = ROOT.parent / "shared" / "twilio" / "webhooks.json"
ROUTES = {
    "voice_fallback": ("fallback_route", f"{VOICE}/fallback"),
    "voice_": ("incoming_call", f"{VOICE}/incoming"),
    "gather_": ("incoming_call", f"{VOICE}/incoming"),
    "dial_action_": ("dial_finished", f"{VOICE}/dial-status"),
    "record_verb_action": ("voicemail_left", f"{VOICE}/voicemail"),
    "number_": ("call_status", f"{VOICE}/status-callback"),
    "recording_": ("recording_ready", f"{VOICE}/recording-status"),
    "rtt_": ("live_transcript", f"{VOICE}/transcription"),
    "ci_": ("transcript_ready", CI_STATUS),
}
WITHOUT_A_ROUTE = ("sms_status", "debugger_event")


def twilios_samples() -> list[dict[str, Any]]:
    path = Path(os.environ.get("RINGBOOK_TWILIO_SAMPLES", SHARED))
    if not path.exists():
        pytest.skip("Twilio's sample webhooks are not here")
    return list(json.loads(path.read_text())["fixtures"])


def for_its_route(fixture: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The function that a sample belongs to, and its event: the sample's own body, signed anew."""
    function, path = next(
        where for prefix, where in ROUTES.items() if fixture["name"].startswith(prefix)
    )
    if fixture["content_type"] == "application/json":
        return function, json_event(path, fixture["body"])
    params = dict(parse_qsl(fixture["body"], keep_blank_values=True))
    return function, form_event(path, params) | {"body": fixture["body"], "isBase64Encoded": False}


class TestTwiliosSamples:
    def test_are_all_accepted_when_signed_for_their_routes(self, cloud: Any) -> None:
        connected_line(phone_number="+12175550100")
        samples = [f for f in twilios_samples() if f["name"] not in WITHOUT_A_ROUTE]

        answers = {f["name"]: call(*for_its_route(f)) for f in samples}

        assert len(answers) == len(samples) > 0
        assert refused(answers) == []

    def test_are_all_refused_with_one_byte_changed(self, cloud: Any) -> None:
        passed = []
        for fixture in twilios_samples():
            if fixture["name"] in (*WITHOUT_A_ROUTE, "voice_fallback"):
                continue
            function, event = for_its_route(fixture)
            body = event["body"]
            # In an escaped byte, capital and small hexadecimal digits mean the same.
            places = [n for n in range(2, len(body)) if "%" not in body[n - 2 : n + 1]]
            answers = [call(function, changed(event, n)) for n in places[:: len(places) // 12]]
            passed += [fixture["name"] for a in answers if a["statusCode"] != 403]

        assert passed == []
        assert nothing_happened(cloud)


def test_the_signature_is_checked_against_the_configured_address_not_the_callers_host_header(
    cloud: Any,
) -> None:
    connected_line()
    event = sample_with("incoming_call")
    event["headers"]["host"] = "elsewhere.example"
    event["requestContext"]["domainName"] = "elsewhere.example"

    answered = call("incoming_call", event)

    assert accepted(answered)
    assert BASE_URL in answered["body"]
    assert "elsewhere" not in answered["body"]
