"""Learns to hear a call turn by turn: the weights of calls.recurrent."""

import base64
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

SIZE = 24  # of a turn's vector and of the state
MOST_NAMES = 20_000  # the most frequent
AT_ONCE = 64  # calls
SORTED = 100 * AT_ONCE  # calls: enough to find some of like length, too few to sort all by length
ROUNDS = 6  # through all calls
RATE = 0.006  # how far the first step goes; the others go ever less far
UNHEARD = 0.5  # of a turn's names, each time others: so that no call is learnt by heart
SILENT = 0.2  # of a vector's numbers, so that none is relied on
ON_THE_WAY = 1.0  # what the turns before the last count together; the last counts one
DOUBT = 0.02  # that a label may be wrong
FIRST_SPREAD = 0.02  # of the vectors, small beside what is learnt
RARE = 3.0  # of a rarity: so that a turn's sums are of the size that counts

Floats = NDArray[numpy.float32]
Whole = NDArray[numpy.intp]


class Talk(NamedTuple):
    """A call to learn from.

    Of each turn the names that it holds; whether the call booked a visit; and where it is known,
    the turn that settles that.
    """

    turns: Sequence[Sequence[int]]
    booked: bool
    settled: int | None = None

    def answers(self) -> Iterator[tuple[bool, float]]:
        """Give after each turn whether a visit is booked by then, and how much that counts.

        From the turn that settles it, the answer is the call's own. Before the turn that leads to
        it nothing is booked yet. Of the others, and of all but the last where no turn is known to
        settle it, nobody said.
        """
        turns = len(self.turns)
        settled = turns if self.settled is None else self.settled
        early = max(0, settled - 1) if self.booked and self.settled is not None else 0
        share = ON_THE_WAY / max(1, early + turns - settled)
        for n in range(turns):
            known = n < early or n >= settled
            yield self.booked and n >= early, known * share + (n == turns - 1)


class Talks:
    """Calls side by side, turn by turn."""

    def __init__(self, talks: Sequence[Talk], names: int) -> None:
        turns = [turn for talk in talks for turn in talk.turns]
        ends = numpy.cumsum([0, *(len(turn) for turn in turns)])
        found = numpy.fromiter((name for turn in turns for name in turn), dtype=numpy.int32)
        ones = numpy.ones(len(found), dtype=numpy.float32)
        self.held = csr_matrix((ones, found, ends), (len(turns), names))
        answers = [answer for talk in talks for answer in talk.answers()]
        self.booked = numpy.array([booked for booked, _ in answers], dtype=numpy.float32)
        self.counts = numpy.array([counts for _, counts in answers], dtype=numpy.float32)
        self.lengths = numpy.array([len(talk.turns) for talk in talks])
        self.begins = numpy.cumsum([0, *self.lengths])

    def turns_of(self, some: Whole) -> Whole:
        """Give the numbers of all turns of some calls, call by call."""
        return numpy.concatenate([numpy.arange(self.begins[n], self.begins[n + 1]) for n in some])


class Listener:
    """A gated recurrent unit, learnt from some of the calls; see calls.recurrent for its use."""

    def __init__(self, talks: Talks, some: Whole) -> None:
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
        self._learn(some)

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

    def _learn(self, some: Whole) -> None:
        steps = list(self._steps(some))
        for number, batch in enumerate(steps, start=1):
            heard = Pass(self, batch, self.chance)
            wanted = heard.by_turn(self.talks.booked) * (1 - 2 * DOUBT) + DOUBT
            counts = heard.by_turn(self.talks.counts) / len(batch)
            wrong = (_sigmoid(heard.log_odds) - wanted) * counts
            rate = RATE * (1 - (number - 1) / len(steps))
            self._step(heard.slopes(wrong), rate, number)

    def _steps(self, some: Whole) -> Iterator[Whole]:
        for _ in range(ROUNDS):
            batches = list(self._batches(some))
            yield from (batches[n] for n in self.chance.permutation(len(batches)))

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
        """Give what is heard when a call has ended, of calls that have turns."""
        found = numpy.zeros(len(some))
        order = numpy.argsort(self.talks.lengths[some], kind="stable")
        for begin in range(0, len(some), SORTED):
            part = order[begin : begin + SORTED]
            found[part] = Pass(self, some[part]).at_last()
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
    """Some calls as they are heard: the log-odds after each turn, and how they change with the weights."""

    def __init__(
        self, listener: Listener, some: Whole, chance: numpy.random.Generator | None = None
    ) -> None:
        self.weights = listener.weights
        self.lengths = listener.talks.lengths[some]
        self.rows = listener.talks.turns_of(some)
        self.names_held = listener.known[self.rows]
        self.names_held.data *= _loud(self.names_held.data.shape, chance, UNHEARD)
        self.spoken = numpy.arange(self.lengths.max())[:, None] < self.lengths  # turn by call
        vectors = numpy.zeros((*self.spoken.T.shape, SIZE), dtype=numpy.float32)
        vectors[self.spoken.T] = self.names_held @ self.weights["vectors"]
        self.turns: Floats = numpy.tanh(vectors).transpose(1, 0, 2)
        self.turns_loud = _loud(self.turns.shape, chance)
        self.heard_loud = _loud((len(some), 2 * SIZE), chance)
        self.so_far = numpy.cumsum(self.spoken, axis=0).clip(1)[..., None].astype(numpy.float32)
        self.heard = self._heard() * self.heard_loud
        self.log_odds = self.heard @ self.weights["verdict"] + self.weights["verdict_bias"]

    def by_turn(self, told: Floats) -> Floats:
        """Give what is told of every turn as the log-odds are: turn by call."""
        found = numpy.zeros(self.spoken.T.shape, dtype=numpy.float32)
        found[self.spoken.T] = told[self.rows]
        return found.T

    def at_last(self) -> Floats:
        ends: Floats = self.log_odds[self.lengths - 1, numpy.arange(len(self.lengths))]
        return ends

    def _heard(self) -> Floats:
        """Go through the turns; give after each the state, and the mean of all states so far."""
        said = (self.turns * self.turns_loud) @ self.weights["of_turn"] + self.weights["bias"]
        state = numpy.zeros((said.shape[1], SIZE), dtype=numpy.float32)
        self.steps = []
        states = []
        for turn, now in zip(said, self.spoken, strict=True):
            kept = state @ self.weights["of_state"]
            gates = _sigmoid(turn[:, : 2 * SIZE] + kept[:, : 2 * SIZE])
            reset, keep = gates[:, :SIZE], gates[:, SIZE:]
            new = numpy.tanh(turn[:, 2 * SIZE :] + reset * kept[:, 2 * SIZE :])
            self.steps.append((state, kept[:, 2 * SIZE :], reset, keep, new))
            state = numpy.where(now[:, None], new + keep * (state - new), state)
            states.append(state * now[:, None])
        return numpy.concatenate([states, numpy.cumsum(states, axis=0) / self.so_far], axis=2)

    def slopes(self, wrong: Floats) -> dict[str, Floats]:
        """Give how the sum of the log-odds, each as often as `wrong` says, grows by each weight.

        `wrong` is turn by call, and zero where nothing is spoken.
        """
        of_heard = wrong[..., None] * self.weights["verdict"] * self.heard_loud
        of_means = of_heard[..., SIZE:] / self.so_far
        of_said, of_state = self._back(
            of_heard[..., :SIZE] + numpy.cumsum(of_means[::-1], axis=0)[::-1]
        )
        of_turns = of_said @ self.weights["of_turn"].T * self.turns_loud * (1 - self.turns**2)
        heard = (self.turns * self.turns_loud).reshape(-1, SIZE)
        return {
            "vectors": self.names_held.T @ of_turns.transpose(1, 0, 2)[self.spoken.T],
            "of_turn": heard.T @ of_said.reshape(-1, 3 * SIZE),
            "of_state": of_state,
            "bias": of_said.sum(axis=(0, 1)),
            "verdict": self.heard.reshape(-1, 2 * SIZE).T @ wrong.ravel(),
            "verdict_bias": numpy.array([wrong.sum()]),
        }

    def _back(self, of_states: Floats) -> tuple[Floats, Floats]:
        """Go back through the turns: by what each turn said, and by the weights of the state."""
        of_said = numpy.zeros((*self.turns.shape[:2], 3 * SIZE), dtype=numpy.float32)
        of_state = numpy.zeros_like(self.weights["of_state"])
        after = numpy.zeros_like(of_states[0])
        for n in reversed(range(len(self.steps))):
            state, kept_new, reset, keep, new = self.steps[n]
            now = self.spoken[n][:, None]
            after = after + of_states[n] * now
            moved = after * now
            of_new = moved * (1 - keep) * (1 - new * new)
            of_keep = moved * (state - new) * keep * (1 - keep)
            of_reset = of_new * kept_new * reset * (1 - reset)
            of_said[n] = numpy.concatenate([of_reset, of_keep, of_new], axis=1)
            of_kept = numpy.concatenate([of_reset, of_keep, of_new * reset], axis=1)
            of_state += state.T @ of_kept
            after = numpy.where(now, moved * keep, after) + of_kept @ self.weights["of_state"].T
        return of_said, of_state


def _loud(
    shape: tuple[int, ...], chance: numpy.random.Generator | None, silent: float = SILENT
) -> Floats:
    """Silence a share of the numbers while learning, the others the louder."""
    if chance is None:
        return numpy.ones(shape, dtype=numpy.float32)
    return ((chance.random(shape) >= silent) / (1 - silent)).astype(numpy.float32)


def _sigmoid(x: NDArray[Any]) -> NDArray[Any]:
    return (1 + numpy.tanh(x / 2)) / 2
