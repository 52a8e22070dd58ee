"""Callbacks nobody waits for, and the faults that may befall them on the way."""

import asyncio
from contextlib import nullcontext
from dataclasses import dataclass
from random import Random
from typing import Any

from .account import Account
from .trace import CallTrace, WebhookRequest
from .webhooks import Webhooks

KINDS = ("leg-status", "call-status", "recording-status", "transcription", "ci")

# Long enough for a held-back callback to be overtaken by the next ones.
_HELD_BACK_SECONDS = 8.0


@dataclass(frozen=True)
class Faults:
    """How callbacks are lost, repeated and delayed: decided by seed, call and callback alone."""

    seed: int = 0
    drop: float = 0.0
    repeat: float = 0.0
    delay: tuple[float, float] = (0.0, 0.0)
    reorder: bool = False
    routes: tuple[str, ...] = KINDS

    @classmethod
    def from_json(cls, body: dict[str, Any]) -> "Faults":
        """Raises ValueError for what it does not know."""
        if unknown := set(body) - set(cls.__dataclass_fields__):
            raise ValueError(f"unknown faults: {', '.join(sorted(unknown))}")
        routes = tuple(body.get("routes") or KINDS)
        if strangers := set(routes) - set(KINDS):
            raise ValueError(f"unknown routes: {', '.join(sorted(strangers))}")
        low, high = body.get("delay") or (0.0, 0.0)
        return cls(
            seed=int(body.get("seed") or 0),
            drop=float(body.get("drop") or 0.0),
            repeat=float(body.get("repeat") or 0.0),
            delay=(float(low), float(high)),
            reorder=bool(body.get("reorder")),
            routes=routes,
        )

    def deliveries(self, call_ordinal: int, kind: str, index: int) -> list[float]:
        """The delay of each delivery of one callback, in simulated seconds; [] is lost."""
        if kind not in self.routes:
            return [0.0]
        chance = Random(f"{self.seed}:{call_ordinal}:{kind}:{index}")
        if chance.random() < self.drop:
            return []
        copies = 2 if chance.random() < self.repeat else 1
        return [self._delay(chance) for _ in range(copies)]

    def _delay(self, chance: Random) -> float:
        held_back = chance.random() < 0.5 and self.reorder
        return chance.uniform(*self.delay) + (
            chance.uniform(0, _HELD_BACK_SECONDS) if held_back else 0.0
        )


class Callbacks:
    """Sends callbacks in the background of their call."""

    def __init__(self, account: Account, webhooks: Webhooks) -> None:
        self._account = account
        self._webhooks = webhooks
        self.faults = Faults()

    def send(
        self, trace: CallTrace, request: WebhookRequest, in_turn: asyncio.Lock | None = None
    ) -> None:
        """`in_turn` keeps those that share it in order, as Twilio does per transcribed track."""
        index = trace.callbacks[request.kind]
        trace.callbacks[request.kind] += 1
        deliveries = self.faults.deliveries(trace.ordinal, request.kind, index)
        if not deliveries:
            trace.note(request, 0, None)
        for delay in deliveries:
            trace.in_background(self._deliver(trace, request, in_turn, delay))

    async def _deliver(
        self,
        trace: CallTrace,
        request: WebhookRequest,
        in_turn: asyncio.Lock | None,
        delay: float,
    ) -> None:
        if delay:
            await self._account.clock.pass_time(delay)
        async with in_turn or nullcontext():
            reply = await self._webhooks.send(trace, request)
        if reply.error_code:
            trace.warnings.append(f"{reply.error_code}: {request.kind} callback failed")
