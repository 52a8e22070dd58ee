"""Who may do what on the deployed API, with the local cloud checking tokens and roles."""

from typing import Any

import boto3
import pytest
import requests
from botocore.exceptions import ClientError
from twilio.request_validator import RequestValidator

from local import cloud
from local.stack import Stack

ROUTES = (
    "voice/incoming",
    "voice/dial-status",
    "voice/voicemail",
    "voice/status-callback",
    "voice/transcription",
    "voice/recording-status",
    "ci-status",
)
CALL_SID = "CA" + "7" * 32


def ask(stack: Stack, path: str, token: str | None = None, **query: str) -> requests.Response:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return requests.get(f"{stack.api_url}{path}", headers=headers, params=query, timeout=30)


@pytest.mark.parametrize("path", ["/api/twilio/numbers", "/api/clinics", "/api/twilio/call-logs"])
def test_nobody_reads_anything_without_a_token(stack, path):
    assert ask(stack, path).status_code == 401


def test_a_customer_is_no_admin(stack):
    token = next(iter(stack.customer_tokens.values()))

    answer = ask(stack, "/api/twilio/numbers", token)

    assert answer.status_code == 403
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_clinic_does_not_read_another_ones_calls(stack):
    mine, other = stack.customer_tokens

    answer = ask(stack, "/api/twilio/call-logs", stack.customer_tokens[mine], clinicId=other)

    assert answer.status_code == 403


@pytest.mark.parametrize("route", ROUTES)
def test_a_webhook_is_believed_only_with_twilios_signature(stack, route):
    url = f"{stack.api_url}/api/twilio/{route}"
    form = {"AccountSid": stack.account_sid, "CallSid": CALL_SID, "To": "+12125550100"}
    form |= {"RecordingSid": "RE" + "7" * 32, "RecordingStatus": "absent", "From": "+12175550123"}
    form |= {"TranscriptionEvent": "transcription-stopped", "transcript_sid": "GT" + "7" * 32}
    signature = RequestValidator(stack.auth_token).compute_signature(url, form)

    def posted(form: dict[str, str], **headers: str) -> int:
        return requests.post(url, data=form, headers=headers, timeout=30).status_code

    assert posted(form) == 403
    assert posted(form | {"CallSid": "CB" + "7" * 32}, **{"X-Twilio-Signature": signature}) == 403
    assert posted(form, **{"X-Twilio-Signature": signature}) in (200, 204)


def test_a_number_that_is_not_e164_is_refused_by_its_name(stack):
    clinic_id = next(iter(stack.customer_tokens))
    body = {"clinicId": clinic_id, "phoneNumber": "not a number"}

    answer = requests.post(
        f"{stack.api_url}/api/twilio/connect",
        json=body,
        headers={"Authorization": f"Bearer {stack.admin_token}"},
        timeout=30,
    )

    assert answer.status_code == 400
    assert answer.json()["field"] == "phoneNumber"


def test_a_twilio_that_is_down_is_said_to_be_and_nothing_changes(stack):
    down = f"{stack.twilio_url}/simulator/down"
    requests.post(down, json={"status": 503}, timeout=10)
    try:
        answer = ask(stack, "/api/twilio/numbers", stack.admin_token)
    finally:
        requests.post(down, json={"status": None}, timeout=10)

    assert answer.status_code == 502
    assert answer.json()["title"] == "Twilio refused"


def test_each_function_has_only_its_own_roles_rights(stack):
    credentials = assumed(stack, "FallbackRoute")
    table = boto3.client("dynamodb", **cloud.client_options(stack.endpoint_url) | credentials)

    with pytest.raises(ClientError) as refused:
        table.scan(TableName=stack.deployed().outputs["CallLogsTable"])

    assert "AccessDenied" in refused.value.response["Error"]["Code"]


def assumed(stack: Stack, function: str) -> dict[str, Any]:
    """Credentials of a function's role."""
    deployed = stack.deployed()
    role = deployed.client("lambda").get_function(FunctionName=deployed.resources[function])
    given = deployed.client("sts").assume_role(
        RoleArn=role["Configuration"]["Role"], RoleSessionName="test"
    )["Credentials"]
    return {
        "aws_access_key_id": given["AccessKeyId"],
        "aws_secret_access_key": given["SecretAccessKey"],
        "aws_session_token": given["SessionToken"],
    }
