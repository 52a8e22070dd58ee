"""Kills functions of the local cloud in the middle of their work."""

import asyncio
import json
from dataclasses import dataclass, field
from random import Random

import psutil

from local.fault_proxy import Asked
from local.processes import Processes

KILLS = ("midway", "answer")
# One request in so many costs the function that sent it its life.
_REQUESTS_PER_KILL = 300
_ANSWER_ROUTES = ("incoming", "dial-status", "voicemail")


@dataclass
class Killer:
    """Kills functions in the middle of their work: while they wait for what they asked, or for its answer.

    "midway" strikes at random; "answer" strikes once at each answer that a caller waits for.
    """

    processes: Processes
    seed: int
    how: str
    armed: bool = False
    killed: int = 0
    _struck: set[tuple[str, str]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._chance = Random(self.seed)

    async def __call__(self, asked: Asked, done: bool) -> bool:
        if not self.armed or not self._strikes(asked, done):
            return False
        died = await asyncio.to_thread(self._kill_sender, asked.port)
        self.killed += died
        return died

    def _strikes(self, asked: Asked, done: bool) -> bool:
        if self.how == "midway":
            return self._chance.random() < 0.5 / _REQUESTS_PER_KILL
        answer = _answer_kept_by(asked)
        if answer is None or answer in self._struck:
            return False
        # Before the webhook is written, or after it: half of them each.
        strikes = done or self._chance.random() < 0.5
        if strikes:
            self._struck.add(answer)
        return strikes

    def _kill_sender(self, port: int) -> bool:
        for process in self.processes.children():
            try:
                if any(c.laddr.port == port for c in process.net_connections("tcp")):
                    process.kill()
                    return True
            except psutil.Error:
                continue
        return False


def _answer_kept_by(asked: Asked) -> tuple[str, str] | None:
    """The call and the route, if the request stores a webhook whose answer a caller waits for."""
    if asked.dependency != "dynamodb" or b'"eventId"' not in asked.body:
        return None
    item = json.loads(asked.body).get("Item", {})
    route = item.get("route", {}).get("S", "").rpartition("/")[2]
    return (item["callSid"]["S"], route) if route in _ANSWER_ROUTES else None
