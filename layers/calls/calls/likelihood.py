"""Weighs the course and the words of a call: how likely it is that a visit was booked."""

import json
import math
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from calls import dialogue_acts as acts
from calls.negotiation import Negotiation, Turn

# Learnt by `python -m local.training`; it holds its own version.
WEIGHTS = Path(__file__).with_name("likelihood.json")

_FIRST_TURNS = 3
_LAST_TURNS = 3
_COUNTED = ("accepts", "confirms", "promises", "details", "followed")


@cache
def _learnt() -> dict[str, Any]:
    learnt: dict[str, Any] = json.loads(WEIGHTS.read_text())
    return learnt


def of_booking(talk: Negotiation, turns: Sequence[Turn]) -> float:
    """Give the probability, 0 to 1, that the call settled a new visit."""
    learnt = _learnt()
    weights = learnt["weights"]
    total = learnt["bias"] + sum(weights.get(name, 0.0) for name in set(features(talk, turns)))
    return sigmoid(learnt["slope"] * total + learnt["intercept"])


def sigmoid(total: float) -> float:
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, total))))


def features(talk: Negotiation, turns: Sequence[Turn]) -> Iterator[str]:
    """Name what is weighed: where the talk stood at the end, and who said which words when."""
    yield from _course(talk, turns)
    yield from _words(turns)


def _course(talk: Negotiation, turns: Sequence[Turn]) -> Iterator[str]:
    state = talk.state
    yield from (f"state={state}", f"purpose={talk.purpose}", f"state={state} {talk.purpose}")
    for counted in _COUNTED:
        for least in range(1, min(3, getattr(talk, counted)) + 1):
            yield f"{counted}>={least}"
            yield f"{state} {counted}>={least}"
    for name in ("firm", "accepted", "offer", "request", "full", "refused", "other", "left"):
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
    }
    yield from (name for name, true in claims.items() if true)


def closed(turns: Sequence[Turn]) -> bool:
    """Whether the call came to its end: thanks, or goodbye."""
    return any(acts.CLOSE.first_in(clause.plain) for turn in turns[-2:] for clause in turn)


def _words(turns: Sequence[Turn]) -> Iterator[str]:
    left = {"caller": _LAST_TURNS, "agent": _LAST_TURNS}
    for turn in turns[:_FIRST_TURNS]:
        for word in _grams(turn):
            yield f"{turn[0].speaker} at first: {word}"
    for turn in reversed(turns):
        speaker = turn[0].speaker
        left[speaker] -= 1
        late = left[speaker] >= 0
        for word in _grams(turn):
            yield f"{speaker}: {word}"
            if late:
                yield f"{speaker} at last: {word}"


def _grams(turn: Turn) -> Iterator[str]:
    """Give the words of a turn and its pairs of words; when and how many are all one."""
    before = ""
    for clause in turn:
        for word in acts.TIME.replaced_in(clause.plain, "TIME").split():
            now = "NUMBER" if word[0].isdigit() else word
            if now == "," or (now == before and now in ("TIME", "NUMBER")):
                continue
            yield now
            if before:
                yield f"{before} {now}"
            before = now
