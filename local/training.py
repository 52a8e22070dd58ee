"""Learns how words and the course of a call weigh: `python -m local.training FILE… [--to WEIGHTS]`."""

import argparse
import json
import random
import re
import sys
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, diags_array
from scipy.sparse.linalg import norm
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold

from calls import likelihood, recurrent
from calls.negotiation import Negotiation
from calls.recurrent import Said
from calls.summary_outcome import reason_of
from calls.utterances import Clause, clauses, clauses_of_turn
from local.listening import Listener, Talk, Talks

VERSION = "likelihood-13"
FOLDS = 5
LEAST_CALLS = 3  # a name found in fewer calls is not learnt
MOST_NAMES = {  # of the others, those that move the calls they are found in most
    "call booked": 28_000,
    "of a visit": 9_000,
    "summary booked": 30_000,
    "summary not booked": 30_000,
}
OF_TALK = 1.5  # the talk's course has fewer names than the words, so each of them counts for more
OF_CUT_OFF = 0.25  # a booked call without its end teaches less than a whole call
LOST, MISHEARD = 0.07, 0.03  # of the words, as speech recognition may give them
STRENGTH = {  # how far the examples may pull the weights; less is smoother, and calls are many
    "call booked": 3.0,
    "of a visit": 10.0,
    "summary booked": 10.0,
    "summary not booked": 10.0,
}
OF_NETWORK = 0.8  # of its log-odds; more finds more of our own bookings and fewer of SGD's
LEAST_HEARD = 1000  # calls; of fewer, no network is learnt


Name = tuple[str, str]  # what is told, and of which place


class Seen(NamedTuple):
    """What is told of a call or a summary; of a call also its turns, and which were heard."""

    told: Iterable[Name] = ()
    said: Sequence[Said] = ()
    turns: Sequence[int] = ()


class Numbers:
    """Numbers for every name found so far, of the regressions and of the network."""

    def __init__(self) -> None:
        self.told: dict[Name, int] = {}
        self.heard: dict[str, int] = {}

    def of_told(self, names: Iterable[Name]) -> list[int]:
        return [self.told.setdefault(name, len(self.told)) for name in dict.fromkeys(names)]

    def of_heard(self, said: Said) -> Sequence[int]:
        names = dict.fromkeys(recurrent.names(said))
        return array("i", [self.heard.setdefault(name, len(self.heard)) for name in names])


@dataclass(frozen=True)
class Example:
    """A call or a summary as a model sees it; those of one group share their side of a fold.

    One that is `contrived` was written to be hard: it is learnt from, but does not tell how sure
    to be of calls as they come.
    """

    group: str
    names: Sequence[int]
    talk: Talk  # the last turns of a call; without turns for what the network does not hear
    told: bool
    contrived: bool
    weight: float


def examples_of(
    rows: Sequence[Mapping[str, Any]], file: str, model: str, numbers: Numbers
) -> Iterator[Example]:
    """Give a file's examples; one with batches in its ids is folded by them, another as a whole.

    Each call is learnt from as it is written and as speech recognition might write it; if it
    booked a visit, also as cut off before, which the network hears in any call.
    """
    for row in rows:
        batch, batched, _ = str(row["id"]).partition("_")
        for version in _versions(row):
            told = _answer(model, row, version)
            if told is None:
                continue
            seen = _SEEN[model]({**row, "turns": version.turns})
            if names := numbers.of_told(seen.told):
                yield Example(
                    group=batch if batched else file,
                    names=names,
                    talk=Talk((), told) if version.cut else _talk(seen, told, row, numbers),
                    told=told,
                    contrived=version.contrived,
                    weight=OF_CUT_OFF if version.cut else 1.0,
                )


def _talk(seen: Seen, told: bool, row: Mapping[str, Any], numbers: Numbers) -> Talk:
    last = slice(-recurrent.MOST_TURNS, None)
    settled = _settled(row)
    since = (
        n for n, turn in enumerate(seen.turns[last]) if settled is not None and turn >= settled
    )
    return Talk(
        [numbers.of_heard(said) for said in seen.said[last]], told, min(since, default=None)
    )


class _Version(NamedTuple):
    """A call as one may come to know it, and what is then settled."""

    turns: Sequence[Mapping[str, Any]]
    booked: bool | None
    contrived: bool
    cut: bool = False


def _answer(model: str, row: Mapping[str, Any], version: _Version) -> bool | None:
    """Give what a model is to say of a call or a summary, if that can be learnt from it."""
    if model != "of a visit":
        return version.booked is (model != "summary not booked")
    if row.get("subject") == "other" or row.get("appointment_domain") is False:
        return False
    return True if version.booked else None


def _versions(row: Mapping[str, Any]) -> Iterator[_Version]:
    booked = row["booked"] if row.get("appointment_domain") is not False else False
    yield _Version(row["turns"], booked, row.get("contrived") is True)
    if row["turns"]:
        yield _Version(as_recognised(row), booked, contrived=True)
    for turns in cut_off(row) if booked else ():
        if turns:
            yield _Version(turns, booked=False, contrived=True, cut=True)


def as_recognised(row: Mapping[str, Any]) -> list[dict[str, str]]:
    """Give a call's turns without case and punctuation, some words lost and some misheard.

    Of a turn may be left nothing, but the turn: the others keep their numbers.
    """
    chance = random.Random(str(row["id"]))
    said = [re.findall(r"[\w:@]+(?:'\w+)*", turn["text"].lower()) for turn in row["turns"]]
    every = [word for words in said for word in words]
    turns = []
    for turn, words in zip(row["turns"], said, strict=True):
        kept = [word for word in words if chance.random() >= LOST]
        heard = [chance.choice(every) if chance.random() < MISHEARD else word for word in kept]
        turns.append({"speaker": turn["speaker"], "text": " ".join(heard)})
    return turns


def cut_off(row: Mapping[str, Any]) -> Iterator[Sequence[Mapping[str, Any]]]:
    """Give a booked call as it is before the agreement, and of that no more than half the call."""
    leads = _leads(row)
    if leads is not None:
        yield row["turns"][:leads]
        yield row["turns"][: min(len(row["turns"]) // 2, leads)]


def _settled(row: Mapping[str, Any]) -> int | None:
    """Give the number of the turn that settles a call, if the label tells it."""
    settled: int | None = row.get("settled_turn")
    return (row.get("booking") or {}).get("evidence_turn") if settled is None else settled


def _leads(row: Mapping[str, Any]) -> int | None:
    """Give the number of the turn that leads to what settles a booked call, if that is known.

    That is where the rules hear the agreement begin which the clinic may confirm much later.
    """
    settled = _settled(row)
    if not settled or not row["booked"]:
        return None
    talk, leads = Negotiation(), settled - 1
    for n, turn in enumerate(row["turns"][: settled - 1]):
        if clauses := clauses_of_turn(turn, n):
            talk.hear(clauses)
        if talk.state not in ("agreed", "booked"):
            leads = settled - 1
        elif leads == settled - 1:
            leads = n
    return leads


def _of_call(row: Mapping[str, Any]) -> Seen:
    """Give what is weighed of a call in which both sides speak, nothing of another."""
    cut = _cut(row)
    if {turn[0].speaker for turn in cut} != {"caller", "agent"}:
        return Seen()
    said = likelihood.spoken(cut)
    told = _names(likelihood.features(Negotiation.of(cut), cut, said))
    return Seen(told, said, [turn[0].turn or 0 for turn in cut])


def _of_subject(row: Mapping[str, Any]) -> Seen:
    """Give the words by which it is told whether a call is about a visit at all."""
    return Seen(_names(likelihood.subject_words(likelihood.spoken(_cut(row)))))


def _cut(row: Mapping[str, Any]) -> list[list[Clause]]:
    """Give the turns that have words, cut into clauses."""
    return [clauses for n, turn in enumerate(row["turns"]) if (clauses := clauses_of_turn(turn, n))]


def _of_summary(row: Mapping[str, Any]) -> Seen:
    """Give what is weighed of a summary that stands alone, so that the label is its own."""
    if row["turns"] or not row["summary"]:
        return Seen()
    cut = list(clauses(row["summary"], "summary"))
    return Seen(_names(likelihood.summary_features(reason_of(cut), cut)))


def _names(told: Iterable[likelihood.Told]) -> Iterator[Name]:
    return ((name, place) for name, places in told for place in places)


_SEEN = {
    "call booked": _of_call,
    "of a visit": _of_subject,
    "summary booked": _of_summary,
    "summary not booked": _of_summary,
}


class Calls:
    """Examples side by side: which of the names each of them holds."""

    def __init__(self, examples: Sequence[Example], numbers: Numbers, model: str) -> None:
        self.strength = STRENGTH[model]
        self.most_names = MOST_NAMES[model]
        ends = numpy.cumsum([0, *(len(example.names) for example in examples)])
        found = numpy.concatenate([example.names for example in examples])
        shape = (len(examples), len(numbers.told))
        held = csr_matrix((numpy.ones(len(found), dtype=numpy.float32), found, ends), shape)
        names = numpy.array([*numbers.told, None], dtype=object)[:-1]  # of tuples, not of strings
        often = numpy.flatnonzero(held.sum(axis=0).A1 >= LEAST_CALLS)
        self.held, self.names = held[:, often], names[often]
        self.weigh_more = numpy.where([place == "talk" for _, place in self.names], OF_TALK, 1.0)
        self.told = numpy.array([example.told for example in examples])
        self.weights = numpy.array([example.weight for example in examples])
        self.groups = numpy.array([example.group for example in examples])
        self.plain = numpy.array([not example.contrived for example in examples])
        self.talks = Talks([example.talk for example in examples], len(numbers.heard))

    def listener(self, learns_from: NDArray[Any]) -> Listener | None:
        """Give a network, if these are calls and enough of them."""
        heard = self.heard(learns_from)
        return Listener(self.talks, heard) if len(heard) >= LEAST_HEARD else None

    def heard(self, some: NDArray[Any]) -> NDArray[Any]:
        """Give those of which the network hears something."""
        heard: NDArray[Any] = some[self.talks.lengths[some] > 0]
        return heard


class Model:
    """A ridge-penalised logistic regression over calls as vectors of length one."""

    def __init__(self, calls: Calls, learns_from: NDArray[Any]) -> None:
        found = calls.held[learns_from].sum(axis=0).A1
        often = found >= LEAST_CALLS
        self.rarities = numpy.zeros(len(found))
        self.rarities[often] = numpy.log(len(learns_from) / found[often]) * calls.weigh_more[often]
        self._fit(calls, learns_from)
        moves = numpy.abs(self.weights * self.rarities) * numpy.sqrt(found)
        if often.sum() > calls.most_names:
            self.rarities[numpy.argsort(-moves, kind="stable")[calls.most_names :]] = 0
            self._fit(calls, learns_from)

    def _fit(self, calls: Calls, learns_from: NDArray[Any]) -> None:
        self.regression = LogisticRegression(
            C=calls.strength,
            class_weight="balanced",
            max_iter=1000,
        ).fit(
            self._vectors(calls, learns_from),
            calls.told[learns_from],
            sample_weight=calls.weights[learns_from],
        )
        self.weights = self.regression.coef_[0]
        self.bias = float(self.regression.intercept_[0])

    def _vectors(self, calls: Calls, some: NDArray[Any]) -> csr_matrix:
        vectors = csr_matrix(calls.held[some] @ diags_array(self.rarities))
        vectors.eliminate_zeros()
        lengths = norm(vectors, axis=1)
        return csr_matrix(diags_array(1 / numpy.where(lengths, lengths, 1.0)) @ vectors)

    def totals(self, calls: Calls, some: NDArray[Any]) -> NDArray[Any]:
        return numpy.asarray(self.regression.decision_function(self._vectors(calls, some)))


def calibrated(calls: Calls) -> tuple[float, float, float]:
    """Give what makes of a total how often such calls are booked: slope, intercept, network's share.

    Each call's total comes from models that saw no call of its group.
    """
    totals, heard = numpy.zeros(len(calls.told)), numpy.zeros(len(calls.told))
    for learns_from, judged in _folds(calls):
        totals[judged] = Model(calls, learns_from).totals(calls, judged)
        if listener := calls.listener(learns_from):
            some = calls.heard(judged)
            heard[some] = listener.log_odds(some)
    slope, intercept = _fitted(totals, calls)
    by, more = _fitted(slope * totals + intercept + OF_NETWORK * heard, calls)
    return by * slope, by * intercept + more, by * OF_NETWORK


def _folds(calls: Calls) -> list[tuple[NDArray[Any], NDArray[Any]]]:
    """Divide by groups; where a part would have nothing of one kind to learn from, by examples."""
    for groups in (calls.groups, numpy.arange(len(calls.groups))):
        parts = min(FOLDS, len(set(groups)))
        folds = list(GroupKFold(parts).split(groups, groups=groups)) if parts > 1 else []
        if folds and all(len(set(calls.told[learns_from])) > 1 for learns_from, _ in folds):
            break
    return folds


def _fitted(totals: NDArray[Any], calls: Calls) -> tuple[float, float]:
    some = calls.plain if len(set(calls.told[calls.plain])) > 1 else calls.plain | True
    fit = LogisticRegression(C=1e6).fit(totals[some, None], calls.told[some])
    return float(fit.coef_[0][0]), float(fit.intercept_[0])


def learnt(examples: Sequence[Example], numbers: Numbers, model: str) -> dict[str, Any]:
    if len({example.told for example in examples}) < 2:
        return {"learnt_from": 0, "slope": 1.0, "intercept": 0.0, "bias": 0.0, "weights": {}}
    calls = Calls(examples, numbers, model)
    slope, intercept, share = calibrated(calls)
    every = numpy.arange(len(examples))
    regression = Model(calls, every)
    weights: dict[str, dict[str, tuple[float, float]]] = {}
    for n in numpy.flatnonzero(regression.rarities):
        name, place = calls.names[n]
        one = round(float(regression.weights[n]), 2), round(float(regression.rarities[n]), 2)
        weights.setdefault(name, {})[place] = one
    found = {
        "learnt_from": len(examples),
        "slope": round(slope, 4),
        "intercept": round(intercept, 4),
        "bias": round(regression.bias, 4),
        "weights": weights,
    }
    if listener := calls.listener(every):
        found["network"] = listener.as_data([*numbers.heard], share)
    return found


def main(arguments: Iterable[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--to", type=Path, default=likelihood.WEIGHTS)
    chosen = parser.parse_args(None if arguments is None else list(arguments))
    rows = {path.stem: rows_of(path) for path in chosen.files}
    models: dict[str, Any] = {"version": VERSION}
    for model in _SEEN:
        numbers = Numbers()
        examples = [one for file in rows for one in examples_of(rows[file], file, model, numbers)]
        print(f"{model}: learning from {len(examples)}", file=sys.stderr, flush=True)
        models[model] = learnt(examples, numbers, model)
    text = json.dumps(models, ensure_ascii=False, separators=(",", ":"))
    chosen.to.write_text(text.replace("},", "},\n") + "\n")


def rows_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines() if line.strip()]


if __name__ == "__main__":
    main()
