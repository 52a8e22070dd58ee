"""Calls placed with the simulated Twilio, and followed until the clinic can read all about them."""

import time
from collections.abc import Mapping
from typing import Any

import requests

from local.api import Api, Unexpected
from local.stack import Stack

_SECONDS = 10
_PATIENCE_SECONDS = 90.0
_SECONDS_BETWEEN_LOOKS = 1.0


class NotSettled(RuntimeError):
    """A call was placed, and its log is not complete in time."""


def place(
    stack: Stack,
    *,
    to: str,
    from_number: str,
    digits: str = "",
    clinic: str = "answer",
    script: str | None = None,
    caller: Mapping[str, Any] | None = None,
) -> str:
    """Returns the call's SID while it rings. `caller` is what else the simulated caller does."""
    call: dict[str, Any] = {"to": to, "from": from_number, "digits": digits, "clinic": clinic}
    call |= {"script": script, "caller": caller}
    answer = requests.post(f"{stack.twilio_url}/simulator/calls", json=call, timeout=_SECONDS)
    if answer.status_code != requests.codes.created:
        raise Unexpected(f"the simulated Twilio placed no call: {answer.text}")
    return str(answer.json()["callSid"])


def settled(stack: Stack, api: Api, call_sid: str) -> dict[str, Any]:
    """The call as the API shows it, once nothing more is awaited. Raises NotSettled."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    call: dict[str, Any] = {}
    while time.monotonic() < deadline:
        if _over(stack, call_sid):
            call = api.find(f"/api/twilio/call-logs/{call_sid}") or {}
            if call and call["outcome"] != "in_progress" and call["summaryState"] != "pending":
                return call
        time.sleep(_SECONDS_BETWEEN_LOOKS)
    raise NotSettled(f"{call_sid} is not settled after {_PATIENCE_SECONDS:.0f} s: {call}")


def _over(stack: Stack, call_sid: str) -> bool:
    """Whether the caller has hung up and Twilio has reported everything about the call."""
    answer = requests.get(f"{stack.twilio_url}/simulator/calls/{call_sid}", timeout=_SECONDS)
    return bool(answer.json()["done"])
