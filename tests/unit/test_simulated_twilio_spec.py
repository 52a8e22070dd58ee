"""The simulated Twilio answers as Twilio's OpenAPI specs say, where these are at hand."""

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import requests
from openapi_schema_validator import OAS30Validator
from referencing import Registry
from referencing.jsonschema import DRAFT4

from tests.unit.simulated_line import (
    ACCOUNT_SID,
    CALLER,
    CLINIC,
    LINE,
    SERVICE_SID,
    Line,
    simulated_line,
)

BESIDE_THE_PROJECT = Path(__file__).parents[3] / "shared" / "twilio"
SPECS = Path(os.environ.get("RINGBOOK_TWILIO_SPECS") or BESIDE_THE_PROJECT)
ACCOUNT = "/2010-04-01/Accounts/{AccountSid}"


@dataclass(frozen=True)
class Operation:
    """One call of the REST API: the spec's path, and what to send to it."""

    method: str
    path: str
    status: int = 200
    query: tuple[str, ...] = ()
    form: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


PAGED = ("PageSize", "Page", "PageToken")
OPERATIONS = [
    Operation("GET", f"{ACCOUNT}/IncomingPhoneNumbers.json", query=("PhoneNumber", *PAGED)),
    Operation("GET", f"{ACCOUNT}/IncomingPhoneNumbers/{{Sid}}.json"),
    Operation(
        "POST",
        f"{ACCOUNT}/IncomingPhoneNumbers/{{Sid}}.json",
        form=(
            *("VoiceUrl", "VoiceMethod", "VoiceFallbackUrl", "VoiceFallbackMethod"),
            *("StatusCallback", "StatusCallbackMethod", "FriendlyName"),
            *("VoiceApplicationSid", "TrunkSid"),
        ),
    ),
    Operation(
        "GET",
        f"{ACCOUNT}/Calls.json",
        query=(
            *("To", "From", "ParentCallSid", "Status", "StartTime", "StartTime<", "StartTime>"),
            *("EndTime", "EndTime<", "EndTime>", *PAGED),
        ),
    ),
    Operation("GET", f"{ACCOUNT}/Calls/{{Sid}}.json"),
    Operation(
        "GET",
        f"{ACCOUNT}/Recordings.json",
        query=("DateCreated", "DateCreated<", "DateCreated>", "CallSid", *PAGED),
    ),
    Operation("GET", f"{ACCOUNT}/Recordings/{{Sid}}.json", query=("IncludeSoftDeleted",)),
    Operation("DELETE", f"{ACCOUNT}/Recordings/{{Sid}}.json", 204),
    Operation(
        "POST",
        "/v2/Transcripts",
        202,
        form=("ServiceSid", "Channel", "CustomerKey", "MediaStartTime"),
    ),
    Operation(
        "GET",
        "/v2/Transcripts",
        query=(
            *("ServiceSid", "SourceSid", "Status", "LanguageCode"),
            *("AfterDateCreated", "BeforeDateCreated", *PAGED),
        ),
    ),
    Operation("GET", "/v2/Transcripts/{Sid}"),
    Operation(
        "GET",
        "/v2/Transcripts/{TranscriptSid}/Sentences",
        query=("Redacted", "WordTimestamps", *PAGED),
    ),
    Operation("GET", "/v2/Transcripts/{TranscriptSid}/OperatorResults", query=("Redacted", *PAGED)),
    Operation("GET", "/v2/Services", query=PAGED),
    Operation("GET", "/v2/Services/{Sid}"),
    Operation(
        "POST",
        "/v2/Services/{Sid}",
        form=(
            *("UniqueName", "FriendlyName", "AutoTranscribe", "AutoRedaction"),
            *("MediaRedaction", "WebhookUrl", "WebhookHttpMethod"),
        ),
    ),
    Operation("GET", "/v2/Services/{ServiceSid}/Operators"),
    Operation("DELETE", "/v2/Services/{ServiceSid}/Operators/{OperatorSid}", 204),
    Operation("POST", "/v2/Services/{ServiceSid}/Operators/{OperatorSid}", 202),
    Operation("GET", "/v2/Operators", query=PAGED),
    Operation("GET", "/v2/Operators/PreBuilt", query=PAGED),
    Operation("GET", "/v2/Operators/{Sid}"),
    Operation("GET", "/v2/Operators/PreBuilt/{Sid}"),
]


@cache
def spec_of(path: str) -> Any:
    name = "intelligence_v2.json" if path.startswith("/v2/") else "api_v2010.json"
    return json.loads((SPECS / name).read_text())


def operation_spec(operation: Operation) -> Any:
    path = spec_of(operation.path)["paths"][operation.path]
    return {"parameters": path.get("parameters", [])} | path[operation.method.lower()]


@pytest.fixture(scope="module", autouse=True)
def specs_are_at_hand() -> None:
    if not (SPECS / "api_v2010.json").exists():
        pytest.skip(f"Twilio's specs are not in {SPECS} (RINGBOOK_TWILIO_SPECS names another)")


@pytest.fixture(scope="module")
def line(specs_are_at_hand: None) -> Iterator[Line]:
    with simulated_line() as line:
        line.connect()
        line.client().intelligence.v2.services(SERVICE_SID).update(
            webhook_url=f"{line.ringbook_url}/ci"
        )
        line.answers |= {
            "/voice": '<Gather numDigits="1" action="/menu"/>',
            "/menu": f"""
                <Start><Transcription statusCallbackUrl="{line.ringbook_url}/words"/></Start>
                <Dial callerId="{LINE}" action="/after" record="record-from-answer-dual"
                  recordingStatusCallback="/recording"
                  recordingStatusCallbackEvent="in-progress completed absent">
                <Number statusCallback="/leg"
                  statusCallbackEvent="initiated ringing answered completed">{CLINIC}</Number>
                </Dial>""",
            "/after": '<Record action="/voicemail" recordingStatusCallback="/recording"/>',
        }
        yield line


@pytest.fixture(scope="module")
def sids(line: Line) -> dict[str, str]:
    """The SIDs of one answered call and all that came of it, by their two letters."""
    script = "caller: Hello.\nagent: Hi.\nvoicemail: Hello again.\nsummary: A greeting."
    truth = line.call(digits="1", script=script)
    channel = {"media_properties": {"source_sid": truth["recordings"][0]["sid"]}}
    transcript = line.client().intelligence.v2.transcripts.create(
        service_sid=SERVICE_SID, channel=channel, customer_key=truth["callSid"]
    )
    line.settled(truth["callSid"])
    return {
        "IncomingPhoneNumbers": line.client().incoming_phone_numbers.list()[0].sid,
        "Calls": truth["callSid"],
        "Recordings": truth["recordings"][0]["sid"],
        "Transcripts": transcript.sid,
        "Services": SERVICE_SID,
        "Operators": line.client().intelligence.v2.operators.list()[1].sid,
        "unused recording": truth["recordings"][1]["sid"],
    }


@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
def test_an_operation_answers_as_the_spec_says(
    operation: Operation, line: Line, sids: dict[str, str]
) -> None:
    asked = line.rest(operation.method, address(operation, sids), data=form_of(operation, sids))

    assert asked.status_code == operation.status
    expected = operation_spec(operation)["responses"][str(operation.status)]
    if "content" in expected:
        schema = expected["content"]["application/json"]["schema"]
        assert list(violations(operation.path, schema, asked.json())) == []


@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
def test_every_parameter_is_one_of_the_spec(operation: Operation) -> None:
    spec = operation_spec(operation)
    form = spec.get("requestBody", {}).get("content", {}).get("application/x-www-form-urlencoded")

    assert set(operation.query) <= {p["name"] for p in spec["parameters"] if p["in"] == "query"}
    assert set(operation.form) <= set(form["schema"]["properties"] if form else ())


@pytest.mark.parametrize("path", [f"{ACCOUNT}/Calls.json", "/v2/Operators"])
def test_a_page_leads_to_the_next(path: str, line: Line, sids: dict[str, str]) -> None:
    operation = Operation("GET", path)
    page = line.rest("GET", address(operation, sids), params={"PageSize": 1}).json()
    schema = operation_spec(operation)["responses"]["200"]["content"]["application/json"]["schema"]

    assert list(violations(path, schema, page)) == []
    following = page.get("next_page_uri") or page["meta"]["next_page_url"]
    assert following.startswith("/" if path.startswith(ACCOUNT) else line.twilio_url)
    assert line.rest("GET", following.removeprefix(line.twilio_url)).status_code == 200


def address(operation: Operation, sids: dict[str, str]) -> str:
    def sid(match: re.Match[str]) -> str:
        name = match[1]
        if name == "AccountSid":
            return ACCOUNT_SID
        owner = operation.path[: match.start()].rstrip("/").split("/")[-1]
        return sids["Operators" if owner == "PreBuilt" else owner]

    return re.sub(r"\{(\w+)\}", sid, operation.path)


def form_of(operation: Operation, sids: dict[str, str]) -> dict[str, str]:
    if operation.path != "/v2/Transcripts" or operation.method != "POST":
        return {}
    channel = {"media_properties": {"source_sid": sids["unused recording"]}}
    return {"ServiceSid": SERVICE_SID, "Channel": json.dumps(channel), "CustomerKey": "a key"}


def violations(path: str, schema: Any, answer: Any) -> Iterator[str]:
    """What the schema refuses, and fields that only one of the two knows."""
    spec = spec_of(path)
    registry: Registry[Any] = Registry().with_resource("urn:spec", DRAFT4.create_resource(spec))
    whole = json.loads(json.dumps(schema).replace('"#/', '"urn:spec#/'))
    for error in OAS30Validator(whole, registry=registry).iter_errors(answer):
        yield f"{error.json_path}: {error.message}"
    yield from field_differences(spec, schema, answer)


def field_differences(spec: Any, schema: Any, answer: Any) -> Iterator[str]:
    if "$ref" in schema:
        schema = spec["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    if schema.get("type") == "array":
        for item in answer or ():
            yield from field_differences(spec, schema["items"], item)
    elif isinstance(answer, dict) and "properties" in schema:
        for name in set(schema["properties"]) ^ set(answer):
            yield f"{name} is in only one of spec and answer"
        for name in set(schema["properties"]) & set(answer):
            yield from field_differences(spec, schema["properties"][name], answer[name])
    elif schema.get("format") == "date-time-rfc-2822" and answer is not None:
        assert parsedate_to_datetime(answer).tzinfo


def test_an_error_is_twilio_s(line: Line) -> None:
    missing = line.rest("GET", f"/v2/Transcripts/GT{'0' * 32}")
    unsigned = requests.get(f"{line.twilio_url}/v2/Services", timeout=5)

    assert (missing.status_code, missing.json()["code"]) == (404, 20404)
    assert (unsigned.status_code, unsigned.json()["code"]) == (401, 20003)
    assert set(missing.json()) == {"code", "message", "more_info", "status"}


WEBHOOKS = {
    "voice_incoming": ("/voice", {}),
    "voice_incoming_withheld": ("/voice", {"From": "anonymous"}),
    "voice_fallback": ("/fallback", {}),
    "gather_action": ("/menu", {}),
    "dial_action_completed": ("/after", {"DialCallStatus": "completed"}),
    "dial_action_no_answer": ("/after", {"DialCallStatus": "no-answer"}),
    "dial_action_busy": ("/after", {"DialCallStatus": "busy"}),
    "dial_action_caller_hung_up": ("/after", {"DialCallStatus": "canceled"}),
    "number_status_initiated": ("/leg", {"CallStatus": "initiated"}),
    "number_status_ringing": ("/leg", {"CallStatus": "ringing"}),
    "number_status_in-progress": ("/leg", {"CallStatus": "in-progress"}),
    "number_status_completed": ("/leg", {"CallStatus": "completed"}),
    "number_level_status_completed": ("/status", {"CallStatus": "completed"}),
    "recording_in_progress": ("/recording", {"RecordingStatus": "in-progress"}),
    "recording_completed": ("/recording", {"RecordingStatus": "completed"}),
    "record_verb_action": ("/voicemail", {}),
    "rtt_started": ("/words", {"TranscriptionEvent": "transcription-started"}),
    "rtt_content": ("/words", {"TranscriptionEvent": "transcription-content"}),
    "rtt_stopped": ("/words", {"TranscriptionEvent": "transcription-stopped"}),
}


@pytest.fixture(scope="module")
def samples(line: Line, sids: dict[str, str]) -> dict[str, dict[str, str]]:
    """The sample webhooks; and every kind of call has been placed, so that ours can be compared."""
    file = SPECS / "webhooks.json"
    if not file.exists():
        pytest.skip(f"no {file}")
    for clinic in ("busy", "no-answer"):
        line.call(digits="1", clinic=clinic)
    line.call(digits="1", caller={"hangsUp": "while-ringing"})
    line.call(digits="1", **{"from": "anonymous"})
    line.connect(
        voice_url=f"{line.ringbook_url}/broken",
        voice_fallback_url=f"{line.ringbook_url}/fallback",
    )
    line.answers |= {"/broken": 500, "/fallback": "<Hangup/>"}
    line.call(**{"from": CALLER})
    return {f["name"]: f.get("params", {}) for f in json.loads(file.read_text())["fixtures"]}


@pytest.mark.parametrize("name", WEBHOOKS)
def test_a_webhook_holds_what_its_sample_holds(
    name: str, line: Line, samples: dict[str, dict[str, str]]
) -> None:
    path, like = WEBHOOKS[name]
    ours = next(form for form in line.at(path) if like.items() <= form.items())

    assert set(samples[name]) - set(ours) == set()
    constants = ("ApiVersion", "Direction", "CallbackSource", "RecordingTrack", "RecordingSource")
    assert {c: ours.get(c) for c in constants if c in samples[name]} == {
        c: samples[name][c] for c in constants if c in samples[name]
    }


def test_the_ci_webhook_holds_what_its_sample_holds(
    line: Line, samples: dict[str, dict[str, str]]
) -> None:
    ours = next(received.json for received in line.received if received.path == "/ci")

    assert set(ours) == set(samples["ci_transcript_available_form"])
