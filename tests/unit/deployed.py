"""A deployed stack as the operator's chores see it, with moto for its cloud."""

import importlib
import io
import json
from types import SimpleNamespace
from typing import Any

import boto3


def invoked(**resources: str) -> Any:
    """The stack's clients and resources; its functions are invoked in this process."""
    return SimpleNamespace(client=_client, resources={"Admin": "admin"} | resources)


def _client(service: str) -> Any:
    return SimpleNamespace(invoke=_invoke) if service == "lambda" else boto3.client(service)


def _invoke(FunctionName: str, Payload: str) -> dict[str, Any]:  # noqa: N803 - boto3's names
    answer = importlib.import_module(FunctionName).handler(json.loads(Payload), None)
    return {"Payload": io.BytesIO(json.dumps(answer).encode())}
