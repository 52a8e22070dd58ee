"""Has the engine judge labelled conversations, as it is or learnt without those that it judges."""

import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.labelled import Labelled
from local.progress import Progress
from local.scores import Outcome

_LAYER = Path(__file__).parents[1] / "layers/calls"
_WEIGHTS = "calls/likelihood.json"
_SECONDS_BETWEEN_WORDS = 5.0
_SEED = 28


class EngineFailed(RuntimeError):
    """The engine or its training gave up."""


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


def judge_out_of_fold(rows: Sequence[Labelled], folds: int, say: Progress) -> list[Judged]:
    """Each row's verdict by an engine that learnt from the other folds only; batches stay together.

    Raises EngineFailed.
    """
    fold_of = _fold_of_batches({row.batch for row in rows}, folds)
    judged: list[Judged] = []
    with (
        tempfile.TemporaryDirectory() as folder,
        ThreadPoolExecutor(max_workers=os.cpu_count()) as pool,
    ):
        # Learning takes minutes, and whoever works on the engine meanwhile changes the files.
        engine = Path(shutil.copytree(_LAYER / "calls", Path(folder) / "calls"))
        work = [
            pool.submit(
                _learn_and_judge,
                engine,
                learnt_from=[row for row in rows if fold_of[row.batch] != fold],
                rows=[row for row in rows if fold_of[row.batch] == fold],
            )
            for fold in range(folds)
        ]
        for number, done in enumerate(as_completed(work), start=1):
            judged += done.result()
            say(f"{number} of {folds} folds learnt and judged")
    return judged


def _fold_of_batches(batches: set[str], folds: int) -> dict[str, int]:
    shuffled = sorted(batches)
    random.Random(_SEED).shuffle(shuffled)
    return {batch: number % folds for number, batch in enumerate(shuffled)}


def _learn_and_judge(
    engine: Path, learnt_from: Sequence[Labelled], rows: Sequence[Labelled]
) -> list[Judged]:
    """A copy of the engine learns and judges, so that the one in the tree stays as it is."""
    with tempfile.TemporaryDirectory() as folder:
        layer = Path(folder)
        shutil.copytree(engine, layer / "calls")
        files = map(str, _written(learnt_from, layer))
        weights = str(layer / _WEIGHTS)
        command = [sys.executable, "-m", "local.training", *files, "--to", weights]
        learning = subprocess.run(
            command, env=_with(layer), cwd=_LAYER.parents[1], capture_output=True, text=True
        )
        if learning.returncode:
            raise EngineFailed(f"local.training failed: {learning.stderr}")
        return _judged(rows, layer)


def _written(rows: Sequence[Labelled], folder: Path) -> Iterator[Path]:
    """The rows in files of their own names, since training weighs file by file."""
    by_file: dict[Path, list[str]] = defaultdict(list)
    for row in rows:
        by_file[row.file].append(row.line)
    for number, (file, lines) in enumerate(by_file.items()):
        copy = folder / str(number) / file.name
        copy.parent.mkdir()
        copy.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        yield copy


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
