"""Clients for AWS, with time-outs that leave room for an answer while a caller waits."""

import os
from decimal import Decimal
from functools import cache
from typing import Any

import boto3
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

# One second to connect, one to read, one retry: with Twilio's two more tries they fit into 15 s.
WHILE_A_CALLER_WAITS = Config(
    connect_timeout=1, read_timeout=1, retries={"total_max_attempts": 2, "mode": "standard"}
)
# Elsewhere a late answer is better than none.
CALM = Config(
    connect_timeout=2, read_timeout=5, retries={"total_max_attempts": 3, "mode": "standard"}
)
FOR_FILES = Config(
    connect_timeout=3,
    read_timeout=20,
    retries={"total_max_attempts": 3, "mode": "standard"},
    signature_version="s3v4",
    # Without both, presigned links name S3's global host, which answers new buckets with a redirect.
    s3={"addressing_style": "virtual", "us_east_1_regional_endpoint": "regional"},
)
# A language model writes for some seconds. Twice this still fits into summarize_call's time.
FOR_A_MODEL = Config(
    connect_timeout=2, read_timeout=15, retries={"total_max_attempts": 2, "mode": "standard"}
)
_OF_THEIR_OWN = {"s3": FOR_FILES, "bedrock-runtime": FOR_A_MODEL}

# What an AWS call raises when the service refuses, throttles, stalls, cannot be reached or makes
# no sense.
AwsError = (BotoCoreError, ClientError, ResponseParserError)


@cache
def client(service: str) -> Any:
    return boto3.client(service, config=_OF_THEIR_OWN.get(service) or budget())


def budget() -> Config:
    """The time-outs of this function's calls; the template says whether a caller waits for it."""
    return WHILE_A_CALLER_WAITS if os.environ.get("A_CALLER_WAITS") == "true" else CALM


def name_of(resource: str) -> str:
    """The table, queue, bucket or pool that the template put into this function's environment."""
    return os.environ[resource]


def to_item(attributes: dict[str, Any]) -> dict[str, Any]:
    """Plain values as DynamoDB's typed ones; None is left out, a float becomes a number."""
    serialize = TypeSerializer().serialize
    return {k: serialize(_decimal(v)) for k, v in attributes.items() if v is not None}


def from_item(item: dict[str, Any]) -> dict[str, Any]:
    deserialize = TypeDeserializer().deserialize
    return {k: _number(deserialize(v)) for k, v in item.items()}


def error_code(error: Exception) -> str:
    """What AWS calls the error, or "" where it said nothing (a time-out's `response` is None)."""
    response = getattr(error, "response", None) or {}
    return str(response.get("Error", {}).get("Code", ""))


def _decimal(value: Any) -> Any:
    if isinstance(value, float):
        return Decimal(str(value))
    if isinstance(value, dict):
        return {k: _decimal(v) for k, v in value.items()}
    return [_decimal(v) for v in value] if isinstance(value, list | tuple) else value


def _number(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, dict):
        return {k: _number(v) for k, v in value.items()}
    return [_number(v) for v in value] if isinstance(value, list) else value
