"""The cloud of the unit tests: moto, with the tables and queues that template.yaml describes."""

import json
import threading
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
import yaml
from joserfc.jwk import RSAKey
from moto import mock_aws
from moto.dynamodb.responses import DynamoHandler

from calls import secret, twilio_api
from tests.unit.signed import ACCOUNT_SID, AUTH_TOKEN, BASE_URL, CI_KEY
from tests.unit.twilio_server import TwilioServer, twilio_server

ROOT = Path(__file__).parents[2]


class _Loader(yaml.SafeLoader):
    """Reads CloudFormation's short forms as `{"Ref": …}` and `{"Fn::…": …}`."""


def _short_form(loader: yaml.SafeLoader, tag: str, node: yaml.Node) -> Any:
    name = tag if tag in ("Ref", "Condition") else f"Fn::{tag}"
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
        return {name: str(value).split(".", 1) if tag == "GetAtt" else value}
    if isinstance(node, yaml.SequenceNode):
        return {name: loader.construct_sequence(node, deep=True)}
    assert isinstance(node, yaml.MappingNode)
    return {name: loader.construct_mapping(node, deep=True)}


_Loader.add_multi_constructor("!", _short_form)


@pytest.fixture(scope="session")
def template() -> dict[str, Any]:
    return yaml.load((ROOT / "template.yaml").read_text(), Loader=_Loader)  # noqa: S506 - a SafeLoader


@pytest.fixture
def cloud(template: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Any:
    """Empty tables, a queue, a bucket, a secret and a user pool, and the environment that names them."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setattr("moto.cognitoidp.models.jwk.RSAKey", _ParsedOnce)
    _answer_one_at_a_time(monkeypatch)
    with mock_aws():
        monkeypatch.setattr(boto3, "DEFAULT_SESSION", _session())
        _forget_the_secret()
        made = _create(template)
        for name, value in made.items():
            monkeypatch.setenv(name, value)
        _set_environment(monkeypatch)
        yield SimpleNamespace(
            dynamodb=_dynamodb(),
            sqs=_client("sqs"),
            s3=_client("s3"),
            cognito=_client("cognito-idp"),
            secrets=_client("secretsmanager"),
            names=made,
        )


@pytest.fixture
def twilio(cloud: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[TwilioServer]:
    """Twilio's REST API with an account that the test fills; it is asked again without a pause."""
    with twilio_server() as server:
        for name in ("TWILIO_API_BASE_URL", "TWILIO_INTELLIGENCE_BASE_URL"):
            monkeypatch.setenv(name, server.url)
        monkeypatch.setattr(twilio_api, "RETRY", twilio_api.RETRY.new(backoff_factor=0))
        yield server


def _answer_one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """DynamoDB checks a condition and writes in one step; moto lets other threads in between."""
    answer, lock = DynamoHandler.call_action, threading.Lock()

    def alone(handler: DynamoHandler) -> Any:
        with lock:
            return answer(handler)

    monkeypatch.setattr(DynamoHandler, "call_action", alone)


@cache
def _session() -> boto3.Session:
    """One for all tests, like the clients: a new one reads the descriptions of all services again."""
    return boto3.Session()


@cache
def _client(service: str) -> Any:
    return boto3.client(service)


@cache
def _dynamodb() -> Any:
    return boto3.resource("dynamodb")


class _ParsedOnce(RSAKey):
    """moto reads the same key for every user pool, which takes longer than all else in the set-up."""

    @classmethod
    def import_key(cls, value: Any, *_: Any) -> Any:
        return _parsed(json.dumps(value))


@cache
def _parsed(key: str) -> RSAKey:
    return RSAKey.import_key(json.loads(key))


def _forget_the_secret() -> None:
    secret._provider.cache_clear()
    secret._Reread.last = float("-inf")


def _set_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "TWILIO_ACCOUNT_SID": ACCOUNT_SID,
        "TWILIO_VI_SERVICE_SID": "GA" + "f" * 32,
        "TWILIO_ENABLE_MENU": "false",
        "TWILIO_ENABLE_RECORDING": "false",
        "TWILIO_ENABLE_TRANSCRIPTION": "false",
        "BACKEND_URL": BASE_URL,
        "RETENTION_DAYS": "365",
        "POWERTOOLS_SERVICE_NAME": "ringbook",
    }.items():
        monkeypatch.setenv(name, value)


def _create(template: dict[str, Any]) -> dict[str, str]:
    dynamodb, sqs = _client("dynamodb"), _client("sqs")
    for name, table in resources(template, "AWS::DynamoDB::Table").items():
        wanted = ("AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "BillingMode")
        dynamodb.create_table(
            TableName=name, **{k: v for k, v in table["Properties"].items() if k in wanted}
        )
    _client("s3").create_bucket(
        Bucket="files", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    )
    stored = _client("secretsmanager").create_secret(
        Name="twilio", SecretString=json.dumps(secret_values())
    )
    pool = _client("cognito-idp").create_user_pool(PoolName="users")["UserPool"]["Id"]
    _client("cognito-idp").create_group(UserPoolId=pool, GroupName="customer")
    return {
        "CLINICS_TABLE": "ClinicsTable",
        "LINES_TABLE": "LinesTable",
        "CALL_LOGS_TABLE": "CallLogsTable",
        "CALL_EVENTS_TABLE": "CallEventsTable",
        "RECONCILIATION_TABLE": "ReconciliationTable",
        "WORK_QUEUE_URL": sqs.create_queue(QueueName="work")["QueueUrl"],
        "FILES_BUCKET": "files",
        "TWILIO_SECRET_ARN": stored["ARN"],
        "USER_POOL_ID": pool,
    }


def secret_values(**changes: str) -> dict[str, str]:
    return {
        "authToken": AUTH_TOKEN,
        "previousAuthToken": "",
        "apiKeySid": "",
        "apiKeySecret": "",
        "ciWebhookKey": CI_KEY,
    } | changes


def resources(template: dict[str, Any], kind: str) -> dict[str, Any]:
    return {n: r for n, r in template["Resources"].items() if r["Type"] == kind}
