"""How good verdicts are, each measure with a bootstrap interval.

A verdict that is unknown counts as not booked, except in Brier and calibration error, which are
taken over the verdicts that are given. A truth that the words do not settle counts as not booked
too, and stays out of those two.
"""

import math
import random
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple

RESAMPLES = 1000
BINS = 10
_SEED = 20191122

NAMES = ("F1", "MCC", "precision", "recall", "specificity", "unknown", "Brier", "ECE")

Scores = dict[str, float | None]


class Outcome(NamedTuple):
    """A verdict, how sure it claims to be (0 to 1), and the truth."""

    said: bool | None
    confidence: float
    truth: bool | None

    @property
    def is_right(self) -> bool:
        """Where the truth is not settled, whatever does not claim a booking."""
        return self.said is not True if self.truth is None else self.said == self.truth


def scores(tally: Mapping[Outcome, int]) -> Scores:
    """Each measure of `NAMES`; None where the outcomes do not define it."""
    confused: Counter[tuple[bool, bool]] = Counter()
    for outcome, times in tally.items():
        confused[outcome.said is True, outcome.truth is True] += times
    hits, misses = confused[True, True], confused[False, True]
    alarms, rejections = confused[True, False], confused[False, False]
    unknown = sum(times for outcome, times in tally.items() if outcome.said is None)
    return {
        "F1": _share(2 * hits, 2 * hits + alarms + misses) if hits + misses else None,
        "MCC": _mcc(hits, misses, alarms, rejections),
        "precision": _share(hits, hits + alarms) if hits + misses else None,
        "recall": _share(hits, hits + misses),
        "specificity": _share(rejections, rejections + alarms),
        "unknown": _share(unknown, tally_size(tally)),
        **_honesty(tally),
    }


def intervals(batches: Iterable[Mapping[Outcome, int]]) -> dict[str, tuple[float, float]]:
    """Between which values 95 of 100 resamples of whole batches lie; none for a single batch."""
    # Equal batches become one object, which makes counting them quick.
    same: dict[frozenset[tuple[Outcome, int]], frozenset[tuple[Outcome, int]]] = {}
    units = [same.setdefault(unit, unit) for unit in (frozenset(b.items()) for b in batches)]
    if len(units) < 2:
        return {}
    draw = random.Random(_SEED)
    resampled = [
        scores(_together(Counter(draw.choices(units, k=len(units))))) for _ in range(RESAMPLES)
    ]
    found = {name: sorted(v for s in resampled if (v := s[name]) is not None) for name in NAMES}
    return {name: (_at(0.025, v), _at(0.975, v)) for name, v in found.items() if v}


def tally_size(tally: Mapping[Outcome, int]) -> int:
    return sum(tally.values())


def _together(units: Mapping[frozenset[tuple[Outcome, int]], int]) -> dict[Outcome, int]:
    tally: dict[Outcome, int] = {}
    for unit, drawn in units.items():
        for outcome, times in unit:
            tally[outcome] = tally.get(outcome, 0) + times * drawn
    return tally


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _mcc(hits: int, misses: int, alarms: int, rejections: int) -> float | None:
    """0 where every verdict is the same; None where every truth is."""
    if not (hits + misses and alarms + rejections):
        return None
    product = (hits + alarms) * (hits + misses) * (rejections + alarms) * (rejections + misses)
    return (hits * rejections - alarms * misses) / math.sqrt(product) if product else 0.0


def _honesty(tally: Mapping[Outcome, int]) -> Scores:
    """Brier: the mean squared distance of confidence from right (1) or wrong (0). ECE: over ten
    equal bins of confidence, how far the mean confidence lies from the share that is right."""
    squares, total = 0.0, 0
    gaps = [0.0] * BINS
    for outcome, times in tally.items():
        if outcome.said is None or outcome.truth is None:
            continue
        gap = outcome.confidence - outcome.is_right
        gaps[min(BINS - 1, int(outcome.confidence * BINS))] += gap * times
        squares += gap * gap * times
        total += times
    if not total:
        return {"Brier": None, "ECE": None}
    return {"Brier": squares / total, "ECE": sum(map(abs, gaps)) / total}


def _at(quantile: float, ordered: list[float]) -> float:
    return ordered[round(quantile * (len(ordered) - 1))]
