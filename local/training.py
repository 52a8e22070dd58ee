"""Learns how words and the course of a call weigh: `python -m local.training FILE… [--to WEIGHTS]`."""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold

from calls import likelihood
from calls.negotiation import Negotiation
from calls.summary_outcome import reason_of
from calls.utterances import clauses, clauses_of_turn

VERSION = "likelihood-2"
FOLDS = 8
LEAST_CALLS = 3  # a name found in fewer calls is not learnt
MOST_NAMES = 25_000  # of the others, those that move the calls they are found in most
OF_TALK = 1.5  # the talk's course has fewer names than the words, so each of them counts for more
OF_CUT_OFF = 0.25  # a booked call without its end teaches less than a whole call
STRENGTH = 10.0  # how far the calls may pull the weights; less is smoother


Name = tuple[str, str]  # what is told, and of which place


@dataclass(frozen=True)
class Example:
    """A call or a summary as a model sees it; those of one group share their side of a fold.

    One that is `contrived` was written to be hard: it is learnt from, but does not tell how sure
    to be of calls as they come.
    """

    group: str
    names: frozenset[Name]
    told: bool
    contrived: bool
    weight: float = 1.0


def examples_of(rows: Sequence[Mapping[str, Any]], file: str, model: str) -> Iterator[Example]:
    """Give a file's examples; one with batches in its ids is folded by them, another as a whole."""
    for row in rows:
        booked = row["booked"] if row.get("appointment_domain") is not False else False
        batch, batched, _ = str(row["id"]).partition("_")
        group = batch if batched else file
        if names := _SEEN[model](row):
            told = booked is (model != "summary not booked")
            yield Example(group, names, told, row.get("contrived") is True)
        # The same call before the agreement; it has no summary.
        cut_off = row["turns"][: (row.get("settled_turn") or 1) - 1] if booked else []
        if cut_off and (names := _SEEN[model]({**row, "turns": cut_off})):
            yield Example(group, names, told=False, contrived=True, weight=OF_CUT_OFF)


def _of_call(row: Mapping[str, Any]) -> frozenset[Name]:
    """Give what is weighed of a call in which both sides speak, nothing of another."""
    cut = [clauses for n, turn in enumerate(row["turns"]) if (clauses := clauses_of_turn(turn, n))]
    if {turn[0].speaker for turn in cut} != {"caller", "agent"}:
        return frozenset()
    return _names(likelihood.features(Negotiation.of(cut), cut))


def _of_summary(row: Mapping[str, Any]) -> frozenset[Name]:
    """Give what is weighed of a summary that stands alone, so that the label is its own."""
    if row["turns"] or not row["summary"]:
        return frozenset()
    cut = list(clauses(row["summary"], "summary"))
    return _names(likelihood.summary_features(reason_of(cut), cut))


def _names(told: Iterable[likelihood.Told]) -> frozenset[Name]:
    return frozenset((name, place) for name, places in told for place in places)


_SEEN = {
    "call booked": _of_call,
    "summary booked": _of_summary,
    "summary not booked": _of_summary,
}


class Model:
    """A ridge-penalised logistic regression over calls as vectors of length one."""

    def __init__(self, examples: Sequence[Example]) -> None:
        calls = Counter(name for example in examples for name in example.names)
        known = sorted(name for name, found in calls.items() if found >= LEAST_CALLS)
        self._fit(examples, known, calls)
        if len(known) > MOST_NAMES:
            found = numpy.sqrt([calls[name] for name in known])
            moves = numpy.abs(self.weights * self.rarities) * found
            self._fit(
                examples,
                sorted(known[n] for n in numpy.argsort(-moves, kind="stable")[:MOST_NAMES]),
                calls,
            )

    def _fit(self, examples: Sequence[Example], known: list[Name], calls: Counter[Name]) -> None:
        self.numbers = {name: number for number, name in enumerate(known)}
        self.rarities = numpy.log([len(examples) / calls[name] for name in known])
        self.rarities *= [OF_TALK if place == "talk" else 1.0 for _, place in known]
        told = [example.told for example in examples]
        self.regression = LogisticRegression(
            C=STRENGTH, class_weight="balanced", max_iter=2000, random_state=0
        ).fit(self.vectors(examples), told, sample_weight=[example.weight for example in examples])
        self.weights = self.regression.coef_[0]
        self.bias = float(self.regression.intercept_[0])

    def vectors(self, examples: Sequence[Example]) -> csr_matrix:
        rows = [
            sorted(self.numbers[name] for name in example.names if name in self.numbers)
            for example in examples
        ]
        values = [
            self.rarities[row] / (numpy.linalg.norm(self.rarities[row]) or 1.0) for row in rows
        ]
        ends = numpy.cumsum([0, *map(len, rows)])
        return csr_matrix(
            (numpy.concatenate(values), numpy.concatenate(rows).astype(int), ends),
            shape=(len(rows), len(self.numbers)),
        )

    def totals(self, examples: Sequence[Example]) -> list[float]:
        return list(self.regression.decision_function(self.vectors(examples)))


def calibrated(examples: Sequence[Example]) -> tuple[float, float]:
    """Give slope and intercept that make of a total how often such calls are booked.

    Each call's total comes from a model that saw no call of its group.
    """
    totals = numpy.zeros(len(examples))
    groups = [example.group for example in examples]
    if len(set(groups)) < 2:
        groups = [str(number) for number in range(len(examples))]
    for fold in GroupKFold(min(FOLDS, len(set(groups)))).split(groups, groups=groups):
        learnt_from, judged = ([examples[n] for n in side] for side in fold)
        totals[fold[1]] = Model(learnt_from).totals(judged)
    plain = [n for n, example in enumerate(examples) if not example.contrived]
    fit = LogisticRegression(C=1e6).fit(totals[plain, None], [examples[n].told for n in plain])
    return float(fit.coef_[0][0]), float(fit.intercept_[0])


def learnt(examples: Sequence[Example]) -> dict[str, Any]:
    if len({example.told for example in examples}) < 2:
        return {"learnt_from": 0, "slope": 1.0, "intercept": 0.0, "bias": 0.0, "weights": {}}
    slope, intercept = calibrated(examples)
    model = Model(examples)
    weights: dict[str, dict[str, tuple[float, float]]] = {}
    for (name, place), n in model.numbers.items():
        one = round(float(model.weights[n]), 2), round(float(model.rarities[n]), 2)
        weights.setdefault(name, {})[place] = one
    return {
        "learnt_from": len(examples),
        "slope": round(slope, 4),
        "intercept": round(intercept, 4),
        "bias": round(model.bias, 4),
        "weights": weights,
    }


def main(arguments: Iterable[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--to", type=Path, default=likelihood.WEIGHTS)
    chosen = parser.parse_args(None if arguments is None else list(arguments))
    rows = {path.stem: rows_of(path) for path in chosen.files}
    models: dict[str, Any] = {"version": VERSION}
    for model in _SEEN:
        examples = [one for file in rows for one in examples_of(rows[file], file, model)]
        print(f"{model}: learning from {len(examples)}", file=sys.stderr, flush=True)
        models[model] = learnt(examples)
    text = json.dumps(models, ensure_ascii=False, separators=(",", ":"))
    chosen.to.write_text(text.replace("},", "},\n") + "\n")


def rows_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines() if line.strip()]


if __name__ == "__main__":
    main()
