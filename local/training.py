"""Learns how words and the course of a call weigh: `python -m local.training FILE… [--to WEIGHTS]`."""

import argparse
import json
import math
import random
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from calls import likelihood
from calls.negotiation import Negotiation
from calls.utterances import clauses_of_turn

VERSION = "likelihood-1"
FOLDS = 5
ROUNDS = 20
LEAST_CALLS = 4  # a word heard in fewer calls is not learnt
SMALLEST = 0.01  # a weight below this is left out
STRENGTH = 0.3  # how much a call may pull the weights; less is smoother
SIZE_OF_WORDS = 0.6  # words are many and chancy: each counts for less than the talk's course
BISECTIONS = 30


@dataclass(frozen=True)
class Example:
    """A call as the model sees it; calls of one group are never on both sides of a fold."""

    group: str
    names: tuple[str, ...]
    booked: bool
    weight: float


@dataclass(frozen=True)
class Model:
    bias: float
    weights: Mapping[str, float]

    def total(self, example: Example) -> float:
        return self.bias + sum(self.weights.get(name, 0.0) for name in example.names)


def examples_of(path: Path) -> Iterator[Example]:
    """Read a labelled file; every file has the same say, however many calls it holds."""
    rows = [json.loads(line) for line in path.read_text().splitlines() if line.strip()]
    rows = [row for row in rows if row["turns"]]
    weight = min(1.0, math.sqrt(200 / max(1, len(rows))))
    chance = random.Random(path.name)
    for row in rows:
        booked = row["booked"] is True and row.get("appointment_domain") is not False
        batch = str(row["id"]).partition("_")[0] if len(rows) > 1000 else path.stem
        for turns in (row["turns"], as_recognised(row["turns"], chance)):
            if names := names_of(turns):
                yield Example(batch, names, booked, weight / 2)


def as_recognised(
    turns: Sequence[Mapping[str, Any]], chance: random.Random
) -> list[dict[str, Any]]:
    """Give the turns as speech recognition might: no case, no marks, one word in fourteen lost."""
    heard = []
    for turn in turns:
        kept = "".join(
            letter for letter in turn["text"].lower() if letter.isalnum() or letter in " ':"
        )
        words = [word for word in kept.split() if chance.random() > 0.07]
        heard.append({**turn, "text": " ".join(words)})
    return heard


def names_of(turns: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    cut = [clauses for n, turn in enumerate(turns) if (clauses := clauses_of_turn(turn, n))]
    if {turn[0].speaker for turn in cut} != {"caller", "agent"}:
        return ()
    return tuple(sorted(set(likelihood.features(Negotiation.of(cut), cut))))


def fitted(examples: Sequence[Example]) -> Model:
    """Fit a logistic regression with a ridge penalty, by dual coordinate descent.

    Yu, Huang and Lin, "Dual coordinate descent methods for logistic regression" (2011): each call
    pulls the weights by a share of its own, which is settled call after call until all agree.
    """
    calls = Counter(name for example in examples for name in example.names)
    numbers = {name: n for n, name in enumerate(sorted(calls)) if calls[name] >= LEAST_CALLS * 2}
    sizes = {n: SIZE_OF_WORDS if ": " in name else 1.0 for name, n in numbers.items()}
    weights = [0.0] * (len(calls) + 1)  # the last is the bias
    pulls = [_Pull.of(one, numbers, sizes) for one in examples]
    order = random.Random(0)
    for _ in range(ROUNDS):
        order.shuffle(pulls)
        for pull in pulls:
            pull.settle(weights)
    return Model(weights[-1], {name: weights[n] * sizes[n] for name, n in numbers.items()})


@dataclass
class _Pull:
    """What one call adds to the weights: `share` of its side times its names."""

    names: list[tuple[int, float]]
    side: int
    most: float
    length: float
    share: float = 0.0

    @classmethod
    def of(cls, one: Example, numbers: Mapping[str, int], sizes: Mapping[int, float]) -> "_Pull":
        names = [(n, sizes[n]) for name in one.names if (n := numbers.get(name)) is not None]
        names.append((-1, 1.0))
        length = sum(size * size for _, size in names)
        return cls(names, 1 if one.booked else -1, STRENGTH * one.weight, length)

    def settle(self, weights: list[float]) -> None:
        margin = self.side * sum(weights[n] * size for n, size in self.names)
        low, high = 0.0, self.most
        for _ in range(BISECTIONS):
            share = (low + high) / 2
            slope = (
                self.length * (share - self.share) + margin + math.log(share / (self.most - share))
            )
            low, high = (low, share) if slope > 0 else (share, high)
        step = (share - self.share) * self.side
        self.share = share
        for n, size in self.names:
            weights[n] += step * size


def out_of_fold(examples: Sequence[Example]) -> list[tuple[float, bool, float]]:
    """Give each call's total by a model that saw no call of its group."""
    groups = sorted({example.group for example in examples})
    random.Random(1).shuffle(groups)
    judged = []
    for fold in range(FOLDS):
        held = set(groups[fold::FOLDS])
        model = fitted([one for one in examples if one.group not in held])
        judged += [
            (model.total(one), one.booked, one.weight) for one in examples if one.group in held
        ]
    return judged


def calibrated(judged: Sequence[tuple[float, bool, float]]) -> tuple[float, float]:
    """Fit slope and intercept so that the probability is how often such calls are booked."""
    slope, intercept = 1.0, 0.0
    for _ in range(400):
        turn = shift = 0.0
        for total, booked, weight in judged:
            error = (likelihood.sigmoid(slope * total + intercept) - booked) * weight
            turn, shift = turn + error * total, shift + error
        slope -= 0.5 * turn / len(judged)
        intercept -= 0.5 * shift / len(judged)
    return slope, intercept


def learnt(examples: Sequence[Example]) -> dict[str, Any]:
    slope, intercept = calibrated(out_of_fold(examples))
    model = fitted(examples)
    kept = {name: round(w, 3) for name, w in model.weights.items() if abs(w) >= SMALLEST}
    return {
        "version": VERSION,
        "calls": len(examples) // 2,
        "slope": round(slope, 4),
        "intercept": round(intercept, 4),
        "bias": round(model.bias, 4),
        "weights": dict(sorted(kept.items())),
    }


def main(arguments: Iterable[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--to", type=Path, default=likelihood.WEIGHTS)
    chosen = parser.parse_args(None if arguments is None else list(arguments))
    examples = [example for path in chosen.files for example in examples_of(path)]
    chosen.to.write_text(json.dumps(learnt(examples), indent=0, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
