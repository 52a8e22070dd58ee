"""The simulated Twilio's own controls: what it knows of a call, and how it behaves."""

from collections.abc import Mapping
from typing import Any

import requests

from local.stack import Stack

_SECONDS = 30


def call(stack: Stack, sid: str) -> dict[str, Any]:
    """The truth about a call, with every request that was sent about it."""
    answer = requests.get(f"{stack.twilio_url}/simulator/calls/{sid}", timeout=_SECONDS)
    answer.raise_for_status()
    return dict(answer.json())


def tell(stack: Stack, path: str, body: Mapping[str, Any]) -> None:
    """Change its `settings` or `faults`, or add to its `numbers`."""
    answer = requests.post(f"{stack.twilio_url}/simulator/{path}", json=body, timeout=_SECONDS)
    answer.raise_for_status()
