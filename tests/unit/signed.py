"""Requests as API Gateway hands them to a function: Twilio's, signed, and a person's, with claims."""

import base64
import hashlib
import importlib
import json
import time
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode

from twilio.request_validator import RequestValidator

ACCOUNT_SID = "AC" + "a" * 32
AUTH_TOKEN = "the-primary-auth-token"
CI_KEY = "k" * 48
BASE_URL = "https://phone.example.test"
NUMBER = "+12175550100"
CALLER = "+12175550123"
CLINIC_PHONE = "+12175550199"
CALL_SID = "CA" + "b" * 32
LEG_SID = "CA" + "c" * 32
RECORDING_SID = "RE" + "d" * 32
TRANSCRIPT_SID = "GT" + "e" * 32


def form_event(
    path: str, params: dict[str, str], *, token: str = AUTH_TOKEN, query: str = ""
) -> dict[str, Any]:
    """A form that Twilio posted to `path`, signed with `token` ("" leaves the signature out)."""
    url = f"{BASE_URL}{path}{'?' + query if query else ''}"
    headers = {"content-type": "application/x-www-form-urlencoded; charset=UTF-8"}
    if token:
        headers["x-twilio-signature"] = RequestValidator(token).compute_signature(url, params)
    body = base64.b64encode(urlencode(params).encode()).decode()
    return _event("POST", path, query, headers) | {"body": body, "isBase64Encoded": True}


def json_event(path: str, said: Any, *, token: str = AUTH_TOKEN, key: str = "") -> dict[str, Any]:
    """A JSON body that Twilio posted, its hash in the query and the query signed."""
    body = said if isinstance(said, str) else json.dumps(said)
    query = f"bodySHA256={hashlib.sha256(body.encode()).hexdigest()}"
    headers = {"content-type": "application/json"}
    if token:
        url = f"{BASE_URL}{path}?{query}"
        headers["x-twilio-signature"] = RequestValidator(token).compute_signature(url, {})
    event = _event("POST", path, query, headers) | {"body": body, "isBase64Encoded": False}
    return event | ({"pathParameters": {"key": key}} if key else {})


def person_event(
    method: str,
    path: str,
    *,
    body: Any = None,
    query: dict[str, str] | None = None,
    groups: str = "[customer]",
    clinic_id: str | None = None,
    token_use: str = "id",
) -> dict[str, Any]:
    """A request with an ID token that API Gateway's authorizer has let through."""
    claims = {"token_use": token_use, "cognito:groups": groups}
    if clinic_id:
        claims["custom:clinic_id"] = clinic_id
    event = _event(method, path, urlencode(query or {}), {"content-type": "application/json"})
    event["requestContext"]["authorizer"] = {"jwt": {"claims": claims, "scopes": None}}
    event["queryStringParameters"] = query or {}
    said = body if isinstance(body, str) or body is None else json.dumps(body)
    return event | {"body": said, "isBase64Encoded": False}


def call(function: str, event: dict[str, Any], *, seconds: float = 4) -> dict[str, Any]:
    """What the function's handler answers, given so many seconds to run."""
    return dict(importlib.import_module(function).handler(event, _context(seconds)))


def _context(seconds: float) -> Any:
    """The part of Lambda's context that handlers read."""
    end = time.monotonic() + seconds
    return SimpleNamespace(
        get_remaining_time_in_millis=lambda: max(0, round((end - time.monotonic()) * 1000))
    )


def _event(method: str, path: str, query: str, headers: dict[str, str]) -> dict[str, Any]:
    return {
        "version": "2.0",
        "routeKey": f"{method} {path}",
        "rawPath": path,
        "rawQueryString": query,
        "headers": headers,
        "requestContext": {
            "domainName": "api.example.test",
            "http": {"method": method, "path": path},
            "stage": "$default",
            "timeEpoch": 1795356000000,
        },
    }
