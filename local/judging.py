"""Has the engine judge labelled conversations, in a process of its own."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.labelled import Labelled
from local.progress import Progress
from local.scores import Outcome

_LAYER = Path(__file__).parents[1] / "layers/calls"
_SECONDS_BETWEEN_WORDS = 5.0


class EngineFailed(RuntimeError):
    """The engine gave up."""


@dataclass(frozen=True)
class Judged:
    """A labelled conversation and the engine's verdict on it."""

    row: Labelled
    verdict: dict[str, Any]

    @property
    def outcome(self) -> Outcome:
        return Outcome(self.verdict["booked"], self.verdict["confidence"], self.row.booked)

    @property
    def lost_quotes(self) -> list[str]:
        """Quotes that stand in no single turn, or not in the summary, that they are said to be of."""
        words = self.row.words
        return [
            str(one["quote"])
            for one in self.verdict["evidence"]
            if not (one["quote"] and any(one["quote"] in text for text in words[one["source"]]))
        ]


def judge(rows: Sequence[Labelled], say: Progress) -> list[Judged]:
    """The verdicts of the engine as it stands. Raises EngineFailed."""
    return _judged(rows, _LAYER, lambda answers: _told(answers, len(rows), say))


def _judged(rows: Sequence[Labelled], layer: Path, told: Any = iter) -> list[Judged]:
    """The answers of `python -m calls.booking`, in a process of its own."""
    with tempfile.TemporaryFile("w+", encoding="utf-8") as questions:
        questions.writelines(f"{row.line}\n" for row in rows)
        questions.seek(0)
        with subprocess.Popen(
            [sys.executable, "-m", "calls.booking"],
            stdin=questions,
            stdout=subprocess.PIPE,
            env=_with(layer),
            encoding="utf-8",
        ) as engine:
            answers = [json.loads(line) for line in told(engine.stdout or ())]
    if len(answers) < len(rows):
        raise EngineFailed(f"the engine gave up after {len(answers)} of {len(rows)} conversations")
    return [Judged(row, verdict) for row, verdict in zip(rows, answers, strict=True)]


def _with(layer: Path) -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(layer)}


def _told(answers: Iterable[str], total: int, say: Progress) -> Iterator[str]:
    said = time.monotonic()
    for number, answer in enumerate(answers, start=1):
        yield answer
        if number == total or time.monotonic() - said > _SECONDS_BETWEEN_WORDS:
            said = time.monotonic()
            say(f"{number} of {total} judged")
