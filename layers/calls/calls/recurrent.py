"""Hears a call turn by turn, as a recurrent network does: an answer counts by what it answers."""

import base64
import math
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from operator import mul
from typing import Any

# A turn as it is heard: who speaks, and the plain words.
Said = tuple[str, Sequence[str]]

# Of a long call its last turns are heard: what settles it is seldom further back, and time is short.
MOST_TURNS = 30


def names(said: Said) -> Iterator[str]:
    """Name what a turn tells: who speaks, the words, and their pairs with its begin and end."""
    speaker, words = said
    yield speaker
    for word in words:
        yield f"{speaker}:{word}"
    for one, next_one in pairwise(("^", *words, "$")):
        yield f"{speaker}:{one} {next_one}"


def _sum_of_products(some: Sequence[float], others: Sequence[float]) -> float:
    total: float = sum(map(mul, some, others))
    return total


_dot: Callable[[Sequence[float], Sequence[float]], float]
_dot = getattr(math, "sumprod", _sum_of_products)  # Python 3.12 brings it, and it is quicker


class Network:
    """A gated recurrent unit over the sums of the vectors of what a turn tells.

    The unit is that of Cho et al. (2014) with the reset gate after the product, as cuDNN has it.
    It takes, for a state of N numbers (see local.listening):

    - `names`, and `vectors`: N signed bytes for each name, one after the other, in base 64; a
      byte counts `step` (N numbers)
    - `gates`: 2 N rows over a turn's vector and then the state, first of reset, then of keep
    - `new_of_turn`, `new_of_state`: N rows each, of the new state
    - `bias`: 3 N, of reset, keep and new
    - `verdict`: 2 N, over the last state and the mean of all; `verdict_bias`: one
    """

    def __init__(self, learnt: Mapping[str, Any]) -> None:
        self.size = len(learnt["step"])
        self.row_of = {name: number for number, name in enumerate(learnt["names"])}
        self.vectors = array("b", base64.b64decode(learnt["vectors"]))
        self.step: list[float] = learnt["step"]
        self.gates: list[list[float]] = learnt["gates"]
        self.gates_bias: list[float] = learnt["bias"][: 2 * self.size]
        self.new_of_turn: list[list[float]] = learnt["new_of_turn"]
        self.new_of_state: list[list[float]] = learnt["new_of_state"]
        self.new_bias: list[float] = learnt["bias"][2 * self.size :]
        self.verdict: list[float] = learnt["verdict"]
        self.verdict_bias: float = learnt["verdict_bias"]

    def log_odds(self, call: Sequence[Said]) -> float:
        """Give the log-odds that a call booked a visit, by its turns in order."""
        state = sums = [0.0] * self.size
        heard = call[-MOST_TURNS:]
        for said in heard:
            state = self._after(state, self._vector(said))
            sums = [one + another for one, another in zip(sums, state, strict=True)]
        mean = [one / max(1, len(heard)) for one in sums]
        return _dot(self.verdict, state + mean) + self.verdict_bias

    def _vector(self, said: Said) -> list[float]:
        rows = (self.row_of.get(name) for name in dict.fromkeys(names(said)))
        begins = [row * self.size for row in rows if row is not None]
        if not begins:
            return [0.0] * self.size
        columns = zip(*(self.vectors[one : one + self.size] for one in begins), strict=True)
        return [math.tanh(sum(one) * by) for one, by in zip(columns, self.step, strict=True)]

    def _after(self, state: list[float], turn: list[float]) -> list[float]:
        both = turn + state
        rows = zip(self.gates, self.gates_bias, strict=True)
        gates = [_sigmoid(_dot(row, both) + bias) for row, bias in rows]
        after = []
        for n, before in enumerate(state):
            of_state = gates[n] * _dot(self.new_of_state[n], state)
            new = math.tanh(_dot(self.new_of_turn[n], turn) + self.new_bias[n] + of_state)
            after.append(new + gates[n + self.size] * (before - new))
        return after


def _sigmoid(x: float) -> float:
    return (1 + math.tanh(x / 2)) / 2
