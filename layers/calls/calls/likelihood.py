"""Weighs the course and the words of a call: how likely it is that a visit was booked."""

import json
import math
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from calls import dialogue_acts as acts
from calls.negotiation import Negotiation, Turn
from calls.recurrent import Network, Said
from calls.utterances import Clause, Heard, whole

# Learnt by `python -m local.training`; it holds its own version.
WEIGHTS = Path(__file__).with_name("likelihood.json")

# Something told, and the places it is told of: who said it, and where in the call.
Told = tuple[str, tuple[str, ...]]

# Of each thing told, at each place: its weight, and how rare it is.
Weights = dict[str, dict[str, tuple[float, float]]]

# Log-odds, for what the rules hear and the words alone undervalue. Of the calls in which all steps of
# a booking are heard 92 in 100 are one; of those that end with nothing free, 5 in 100.
OF_A_WHOLE_BOOKING = 3.0
OF_NOTHING_FREE = -4.0

MOST_TURNS = 60  # whose words are weighed; what the talk came to is known from its beginning

_COUNTED = ("accepts", "confirms", "promises", "details", "followed")
_TIMES = {"DAY", "CLOCK"}
_MARKS = {*_TIMES, "NUMBER"}
_TOLD = ("firm", "accepted", "offer", "request", "full", "refused", "other", "left")


@cache
def _learnt() -> dict[str, Any]:
    """Read the weights; where a network was learnt, make it."""
    learnt: dict[str, Any] = json.loads(WEIGHTS.read_text())
    network = learnt["call booked"].pop("network", None)
    return learnt | {"network": Network(network) if network else None}


def of_booking(talk: Negotiation, turns: Sequence[Turn]) -> float:
    """Give the probability, 0 to 1, that the call settled a new visit."""
    total = OF_A_WHOLE_BOOKING if talk.heard_whole else 0.0
    if talk.state == "unavailable":
        total = OF_NOTHING_FREE
    said = spoken(turns)
    network: Network | None = _learnt()["network"]
    if network:
        total += network.log_odds(said)
    total += _log_odds("call booked", features(talk, turns, said))
    # What is settled is not booked if the words make it another thing than a visit; that they are
    # of a visit says nothing of whether one was settled.
    return _probability(total + min(0.0, _log_odds("of a visit", subject_words(said))))


def by_summary(reason: str, clauses: Turn) -> tuple[float, float]:
    """Give the probabilities that the summary tells of a new visit settled, and of none."""
    told = list(summary_features(reason, clauses))
    booked, not_booked = _log_odds("summary booked", told), _log_odds("summary not booked", told)
    return _probability(booked), _probability(not_booked)


def _log_odds(model: str, told: Iterable[Told]) -> float:
    """Apply a logistic regression to what is told, a vector of length one, rarer things longer."""
    learnt = _learnt()[model]
    known: Weights = learnt["weights"]
    found = {
        (name, place): places[place]
        for name, where in told
        if (places := known.get(name))
        for place in where
        if place in places
    }
    length = math.sqrt(sum(rarity * rarity for _, rarity in found.values())) or 1.0
    total = learnt["bias"] + sum(weight * rarity for weight, rarity in found.values()) / length
    return float(learnt["slope"] * total + learnt["intercept"])


def _probability(log_odds: float) -> float:
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, log_odds))))


def weightiest(turns: Iterable[Turn], model: str = "call booked") -> Heard:
    """Give the clause whose phrases speak most for what the model tells."""
    known: Weights = _learnt()[model]["weights"]

    def speaks(clause: Clause) -> float:
        said = {phrase: known.get(phrase, {}) for phrase in _phrases(_plain([clause]))}
        found = (places.get(clause.speaker, (0.0, 0.0)) for places in said.values())
        return sum(weight * rarity for weight, rarity in found)

    return whole(max((clause for turn in turns for clause in turn), key=speaks))


def spoken(turns: Iterable[Turn]) -> list[Said]:
    """Give who said which words, turn by turn."""
    return [(turn[0].speaker, _plain(turn)) for turn in turns]


def features(talk: Negotiation, turns: Sequence[Turn], said: Sequence[Said]) -> Iterator[Told]:
    """Tell what is weighed: how the talk went, and who said which words near the end or before."""
    timed = any(_TIMES & {*words} for _, words in said)
    for name in (*_course(talk, turns, timed), *_acts(talk)):
        yield name, ("talk",)
    yield from _words(said)


def subject_words(said: Iterable[Said]) -> Iterator[Told]:
    """Tell the words, and their pairs, that may show what a call is about; times and numbers do not.

    The single words of each side's first turn, where a business and a wish are named, count once more.
    """
    begun: set[str] = set()
    for speaker, words in said:
        places = ("said",) if speaker in begun else ("said", f"{speaker} first")
        begun.add(speaker)
        for word in words:
            if word not in _MARKS:
                yield word, places
        for one, two in pairwise(words):
            if one not in _MARKS and two not in _MARKS:
                yield f"{one} {two}", ("said",)


def summary_features(reason: str, clauses: Turn) -> Iterator[Told]:
    """Tell what is weighed of a summary: what its known phrases make of it, and its words."""
    yield reason, ("reason",)
    for clause in clauses:
        places = ("summary", "at last" if clause is clauses[-1] else "before")
        for phrase in _phrases(_plain([clause])):
            yield phrase, places


def _course(talk: Negotiation, turns: Sequence[Turn], timed: bool) -> Iterator[str]:
    state = talk.state
    yield from (f"state={state}", f"purpose={talk.purpose}", f"state={state} {talk.purpose}")
    for counted in _COUNTED:
        for least in range(1, min(3, getattr(talk, counted)) + 1):
            yield f"{counted}>={least}"
            yield f"{state} {counted}>={least}"
    for name in _TOLD:
        if getattr(talk, name):
            yield name
            yield f"{state} {name}"
    claims = {
        "no care": not talk.all_care,
        "more of other things": talk.all_care < talk.all_other,
        "much more of other things": talk.all_care * 3 < talk.all_other,
        f"{state} elsewhere": talk.elsewhere,
        f"{state} closed": closed(turns),
        "short": len(turns) < 4,
        "no time": not timed,
        f"{state} no time": not timed,
    }
    yield from (name for name, true in claims.items() if true)


def _acts(talk: Negotiation) -> Iterator[str]:
    """Tell who did what, what followed on it, and what was done last."""
    done = []
    for turn, speaker, act in talk.acts:
        if act != "time":
            done.append(f"{speaker}.{act}")
            yield done[-1]
            yield f"{_place(turn, talk.turns)} {done[-1]}"
    yield from (f"{first} > {then}" for first, then in pairwise(done))
    yield from (f"last: {' '.join(done[-count:])}" for count in (1, 2, 3))


def closed(turns: Sequence[Turn]) -> bool:
    """Whether the call came to its end: thanks, or goodbye."""
    return any(acts.CLOSE.first_in(clause.plain) for turn in turns[-2:] for clause in turn)


def _place(turn: int, turns: int) -> str:
    left = turns - turn
    return "end" if left <= 3 else "late" if left <= 8 else "early"


def _words(said: Sequence[Said]) -> Iterator[Told]:
    """Give the phrases of up to three words, who said them, where in the call, and how turns join.

    Where is told twice: from the end, and from the last day or time that was named. The words that
    a turn begins and ends with count once more. Of a very long call only the last turns are told.
    """
    said = said[-MOST_TURNS:]
    named = max((n for n, (_, words) in enumerate(said) if _TIMES & {*words}), default=-1)
    before: Sequence[str] = ()
    for number, (speaker, words) in enumerate(said):
        places = (
            speaker,
            f"{speaker} {_place(number, len(said))}",
            f"{speaker} {_after_time(number - named)}",
        )
        for phrase in _phrases(words):
            yield phrase, places
        for edge in (["^", *words[:1]], ["^", *words[:2]], [*words[-1:], "$"], [*words[-2:], "$"]):
            yield " ".join(edge), (speaker,)
        if before and words:
            yield " ".join([*before[-2:], "|", *words[:2]]), ("joined",)
        before = words


def _phrases(words: Sequence[str]) -> Iterator[str]:
    """Give the words, their pairs and their threes."""
    yield from words
    for one, two in pairwise(words):
        yield f"{one} {two}"
    for one, two, three in zip(words, words[1:], words[2:], strict=False):
        yield f"{one} {two} {three}"


def _after_time(turns: int) -> str:
    if turns < 0:
        return "before the time"
    return ("with the time", "replying")[turns] if turns < 2 else "after the time"


def _plain(turn: Turn) -> list[str]:
    """Give the words of a turn; all times are one word, and so are all numbers."""
    words: list[str] = []
    for clause in turn:
        for word in clause.plain.split():
            now = "NUMBER" if word[0].isdigit() else word
            if now not in (",", "_") and not (words and now == words[-1] and now in _MARKS):
                words.append(now)
    return words
