"""All that happened to one placed call: the truth to compare a log with."""

import asyncio
import logging
from collections import Counter
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any

from .resources import Call
from .scenario import Scenario

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class WebhookRequest:
    """What Twilio sends where; `kind` is the simulator's word for the occasion."""

    kind: str
    method: str
    url: str
    params: Mapping[str, str] = field(default_factory=dict)
    as_json: bool = False


@dataclass
class CallTrace:
    """One placed call, what was asked of Ringbook for it, and the work still going on."""

    ordinal: int
    call: Call
    scenario: Scenario
    requests: list[dict[str, Any]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    dialled: list[str] = field(default_factory=list)
    pressed: str = ""
    dial_call_status: str | None = None
    callbacks: Counter[str] = field(default_factory=Counter)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def done(self) -> bool:
        return self.call.ended_at is not None and not self.tasks

    def note(self, request: WebhookRequest, attempt: int, status: int | None) -> None:
        """One attempt of a request to Ringbook; attempt 0 is one that was lost on purpose."""
        self.requests.append(
            {
                "url": request.url,
                "kind": request.kind,
                "attempt": attempt,
                "status": status,
                "params": dict(request.params),
            }
        )

    def in_background(self, work: Coroutine[Any, Any, None]) -> None:
        """Runs the work; the call counts as done only when it is finished."""
        task = asyncio.get_running_loop().create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self.tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.errors.append(f"simulator: {type(error).__name__}")
            log.error("the simulator itself failed", exc_info=error)
