"""Learns to hear a call turn by turn: the weights of calls.recurrent."""

import base64
from collections.abc import Iterator, Sequence
from typing import Any

import numpy
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

SIZE = 16  # of a turn's vector and of the state
MOST_NAMES = 20_000  # the most frequent
AT_ONCE = 32  # calls
SORTED = 100 * AT_ONCE  # calls: enough to find some of like length, too few to sort all by length
RATE = 0.008  # how far the first step goes; the others go ever less far
SILENT = 0.2  # of a vector's numbers, so that none is relied on
DOUBT = 0.02  # that a label may be wrong
FIRST_SPREAD = 0.02  # of the vectors, small beside what is learnt
RARE = 3.0  # of a rarity: so that a turn's sums are of the size that counts

Floats = NDArray[numpy.float32]
Whole = NDArray[numpy.intp]


class Talks:
    """Calls side by side, turn by turn: which of the names each turn holds."""

    def __init__(self, talks: Sequence[Sequence[Sequence[int]]], names: int) -> None:
        turns = [turn for talk in talks for turn in talk]
        ends = numpy.cumsum([0, *(len(turn) for turn in turns)])
        found = numpy.fromiter((name for turn in turns for name in turn), dtype=numpy.int32)
        ones = numpy.ones(len(found), dtype=numpy.float32)
        self.held = csr_matrix((ones, found, ends), (len(turns), names))
        self.lengths = numpy.array([len(talk) for talk in talks])
        self.begins = numpy.cumsum([0, *self.lengths])

    def turns_of(self, some: Whole) -> Whole:
        """Give the numbers of all turns of some calls, call by call."""
        return numpy.concatenate([numpy.arange(self.begins[n], self.begins[n + 1]) for n in some])


class Listener:
    """A gated recurrent unit, learnt from some of the calls; see calls.recurrent for its use."""

    def __init__(
        self, talks: Talks, booked: NDArray[Any], weights: NDArray[Any], some: Whole
    ) -> None:
        self.chance = numpy.random.default_rng(0)
        turns = talks.turns_of(some)
        found = numpy.bincount(talks.held[turns].indices, minlength=talks.held.shape[1])
        self.names = numpy.sort(numpy.argsort(-found, kind="stable")[:MOST_NAMES])
        self.names = self.names[found[self.names] > 0]
        rarities = numpy.log(len(turns) / found[self.names]) / RARE
        self.rarities = rarities.astype(numpy.float32)
        self.known = talks.held[:, self.names].tocsr()
        self.known.data = self.rarities[self.known.indices]
        self.talks = talks
        self.weights = self._at_first()
        self._moved = {name: numpy.zeros_like(one) for name, one in self.weights.items()}
        self._spread = {name: numpy.zeros_like(one) for name, one in self.weights.items()}
        self._learn(booked, weights, some)

    def _at_first(self) -> dict[str, Floats]:
        def spread(most: float, *shape: int) -> Floats:
            return self.chance.uniform(-most, most, shape).astype(numpy.float32)

        edge = SIZE**-0.5
        return {
            "vectors": (FIRST_SPREAD * self.chance.standard_normal((len(self.names), SIZE))).astype(
                numpy.float32
            ),
            "of_turn": spread(edge, SIZE, 3 * SIZE),
            "of_state": spread(edge, SIZE, 3 * SIZE),
            "bias": spread(edge, 3 * SIZE),
            "verdict": spread(edge / 2**0.5, 2 * SIZE),
            "verdict_bias": spread(edge, 1),
        }

    def _learn(self, booked: NDArray[Any], weights: NDArray[Any], some: Whole) -> None:
        """Take each call once: a second time the words of single calls would be learnt by heart."""
        batches = list(self._batches(some))
        for number, one in enumerate(self.chance.permutation(len(batches)), start=1):
            batch = batches[one]
            heard = Pass(self, batch, self.chance)
            wanted = booked[batch] * (1 - 2 * DOUBT) + DOUBT
            wrong = (_sigmoid(heard.log_odds) - wanted) * weights[batch] / len(batch)
            rate = RATE * (1 - (number - 1) / len(batches))
            self._step(heard.slopes(wrong.astype(numpy.float32)), rate, number)

    def _batches(self, some: Whole) -> Iterator[Whole]:
        """Take calls of like length together, so that little of a batch is empty."""
        mixed = self.chance.permutation(some)
        for begin in range(0, len(mixed), SORTED):
            part = mixed[begin : begin + SORTED]
            part = part[numpy.argsort(self.talks.lengths[part], kind="stable")]
            yield from (part[n : n + AT_ONCE] for n in range(0, len(part), AT_ONCE))

    def _step(self, slopes: dict[str, Floats], rate: float, number: int) -> None:
        """Move the weights a step (Adam; Kingma and Ba, 2014)."""
        for name, slope in slopes.items():
            moved, spread = self._moved[name], self._spread[name]
            moved += 0.1 * (slope - moved)
            spread += 0.001 * (slope * slope - spread)
            by = moved / (1 - 0.9**number)
            self.weights[name] -= rate * by / (numpy.sqrt(spread / (1 - 0.999**number)) + 1e-8)

    def log_odds(self, some: Whole) -> NDArray[Any]:
        found = numpy.zeros(len(some))
        order = numpy.argsort(self.talks.lengths[some], kind="stable")
        for begin in range(0, len(some), SORTED):
            part = order[begin : begin + SORTED]
            found[part] = Pass(self, some[part]).log_odds
        return found

    def as_data(self, names: Sequence[str], share: float) -> dict[str, Any]:
        """Give what calls.recurrent.Network takes, for a share of the log-odds."""
        vectors = self.weights["vectors"] * self.rarities[:, None]
        step = numpy.abs(vectors).max(axis=0) / 127
        whole = numpy.rint(vectors / step).astype(numpy.int8)
        of_turn, of_state = self.weights["of_turn"].T, self.weights["of_state"].T
        of_both = numpy.concatenate([of_turn, of_state], axis=1)
        return {
            "names": [names[n] for n in self.names],
            "vectors": base64.b64encode(whole.tobytes()).decode(),
            "step": [float(f"{one:.5g}") for one in step],
            "gates": [_rounded(row) for row in of_both[: 2 * SIZE]],
            "new_of_turn": [_rounded(row) for row in of_turn[2 * SIZE :]],
            "new_of_state": [_rounded(row) for row in of_state[2 * SIZE :]],
            "bias": _rounded(self.weights["bias"]),
            "verdict": _rounded(self.weights["verdict"] * share),
            "verdict_bias": round(float(self.weights["verdict_bias"][0] * share), 4),
        }


def _rounded(row: Floats) -> list[float]:
    return [round(float(one), 4) for one in row]


class Pass:
    """Some calls as they are heard, and how their log-odds change with the weights."""

    def __init__(
        self, listener: Listener, some: Whole, chance: numpy.random.Generator | None = None
    ) -> None:
        self.weights = listener.weights
        lengths = listener.talks.lengths[some]
        self.lengths = lengths[:, None].astype(numpy.float32)
        self.names_held = listener.known[listener.talks.turns_of(some)]
        self.spoken = numpy.arange(lengths.max())[:, None] < lengths  # of each turn, each call
        vectors = numpy.zeros((*self.spoken.T.shape, SIZE), dtype=numpy.float32)
        vectors[self.spoken.T] = self.names_held @ self.weights["vectors"]
        self.turns: Floats = numpy.tanh(vectors).transpose(1, 0, 2)
        self.turns_loud = _loud(self.turns.shape, chance)
        self.end_loud = _loud((len(some), 2 * SIZE), chance)
        self.end = self._end() * self.end_loud
        self.log_odds = self.end @ self.weights["verdict"] + self.weights["verdict_bias"]

    def _end(self) -> Floats:
        """Go through the turns; give each call's last state and the mean of all."""
        said = (self.turns * self.turns_loud) @ self.weights["of_turn"] + self.weights["bias"]
        state = numpy.zeros((said.shape[1], SIZE), dtype=numpy.float32)
        sums = numpy.zeros_like(state)
        self.steps = []
        for turn, now in zip(said, self.spoken, strict=True):
            kept = state @ self.weights["of_state"]
            gates = _sigmoid(turn[:, : 2 * SIZE] + kept[:, : 2 * SIZE])
            reset, keep = gates[:, :SIZE], gates[:, SIZE:]
            new = numpy.tanh(turn[:, 2 * SIZE :] + reset * kept[:, 2 * SIZE :])
            self.steps.append((state, kept[:, 2 * SIZE :], reset, keep, new))
            state = numpy.where(now[:, None], new + keep * (state - new), state)
            sums += state * now[:, None]
        return numpy.concatenate([state, sums / self.lengths], axis=1)

    def slopes(self, wrong: Floats) -> dict[str, Floats]:
        """Give how the sum of the log-odds, each as often as `wrong` says, grows by each weight."""
        of_end = wrong[:, None] * self.weights["verdict"] * self.end_loud
        of_said, of_state = self._back(of_end[:, :SIZE], of_end[:, SIZE:] / self.lengths)
        of_turns = of_said @ self.weights["of_turn"].T * self.turns_loud * (1 - self.turns**2)
        heard = (self.turns * self.turns_loud).reshape(-1, SIZE)
        return {
            "vectors": self.names_held.T @ of_turns.transpose(1, 0, 2)[self.spoken.T],
            "of_turn": heard.T @ of_said.reshape(-1, 3 * SIZE),
            "of_state": of_state,
            "bias": of_said.sum(axis=(0, 1)),
            "verdict": self.end.T @ wrong,
            "verdict_bias": wrong.sum(keepdims=True),
        }

    def _back(self, after: Floats, of_mean: Floats) -> tuple[Floats, Floats]:
        """Go back through the turns: by what each turn said, and by the weights of the state."""
        of_said = numpy.zeros((*self.turns.shape[:2], 3 * SIZE), dtype=numpy.float32)
        of_state = numpy.zeros_like(self.weights["of_state"])
        for n in reversed(range(len(self.steps))):
            state, kept_new, reset, keep, new = self.steps[n]
            now = self.spoken[n][:, None]
            after = after + of_mean * now
            moved = after * now
            of_new = moved * (1 - keep) * (1 - new * new)
            of_keep = moved * (state - new) * keep * (1 - keep)
            of_reset = of_new * kept_new * reset * (1 - reset)
            of_said[n] = numpy.concatenate([of_reset, of_keep, of_new], axis=1)
            of_kept = numpy.concatenate([of_reset, of_keep, of_new * reset], axis=1)
            of_state += state.T @ of_kept
            after = numpy.where(now, moved * keep, after) + of_kept @ self.weights["of_state"].T
        return of_said, of_state


def _loud(shape: tuple[int, ...], chance: numpy.random.Generator | None) -> Floats:
    """Silence some numbers while learning, the others the louder."""
    if chance is None:
        return numpy.ones(shape, dtype=numpy.float32)
    return ((chance.random(shape) >= SILENT) / (1 - SILENT)).astype(numpy.float32)


def _sigmoid(x: NDArray[Any]) -> NDArray[Any]:
    return (1 + numpy.tanh(x / 2)) / 2
