"""The network that hears a call turn by turn: what it learns, and that the engine hears the same."""

import json
import math
from collections.abc import Callable
from pathlib import Path

import numpy
import pytest

from calls import likelihood, recurrent
from calls.negotiation import Negotiation
from calls.recurrent import MOST_TURNS, Network, Said, names
from calls.utterances import clauses_of_turn
from local import listening, training
from local.listening import Listener, Talks
from local.training import Numbers

Talk = list[Said]


def talk(*said: str) -> Talk:
    """Alternate turns, the agent's first."""
    return [(("agent", "caller")[n % 2], words.split()) for n, words in enumerate(said)]


# The same words in both, in another order: what is said last counts.
BOOKED = talk("CLOCK then then", "no", "or DAY", "yes yes please", "lovely")
NOT_BOOKED = talk("CLOCK then then", "yes yes please", "or DAY", "no", "lovely")
TALKS = [BOOKED * 3, NOT_BOOKED, BOOKED[2:], NOT_BOOKED * 2, BOOKED, NOT_BOOKED[2:]]
TIMES = 1000


class Learnt:
    def __init__(self, weights: tuple[float, ...] = (1, 1, 1, 1, 1, 1)) -> None:
        numbers = Numbers()
        talks = [[numbers.of_heard(said) for said in one] for one in TALKS] * TIMES
        booked = numpy.array([1.0, 0.0] * (3 * TIMES))
        side_by_side = Talks(talks, len(numbers.heard))
        every = numpy.arange(len(talks))
        self.listener = Listener(side_by_side, booked, numpy.tile(weights, TIMES), every)
        self.names = [*numbers.heard]

    def network(self, share: float = 1.0) -> Network:
        return Network(self.listener.as_data(self.names, share))


@pytest.fixture(scope="module")
def learnt() -> Learnt:
    return Learnt()


def test_the_order_of_the_same_words_counts(learnt: Learnt) -> None:
    network = learnt.network()

    assert network.log_odds(BOOKED) > 1
    assert network.log_odds(NOT_BOOKED) < -1


@pytest.mark.parametrize("share", [1.0, 0.4])
def test_the_engine_hears_what_was_learnt(learnt: Learnt, share: float) -> None:
    network = learnt.network(share)

    heard = learnt.listener.log_odds(numpy.arange(6)) * share

    assert [network.log_odds(one) for one in TALKS] == pytest.approx(heard, abs=0.1)


def test_what_weighs_nothing_teaches_nothing() -> None:
    network = Learnt(weights=(1, 0, 1, 0, 1, 0)).network()

    assert all(network.log_odds(one) > 1 for one in TALKS)


@pytest.mark.parametrize("dot", [recurrent._dot, recurrent._sum_of_products])
def test_products_are_summed_whether_python_brings_it_or_not(
    dot: Callable[[list[float], list[float]], float],
) -> None:
    assert dot([1.0, -2.0, 0.5], [4.0, 1.0, 3.0]) == 3.5
    assert dot([], []) == 0


def test_words_never_learnt_change_nothing_but_the_turn(learnt: Learnt) -> None:
    network = learnt.network()

    assert network.log_odds([*BOOKED, ("caller", ["xyzzy"])]) == network.log_odds(
        [*BOOKED, ("caller", ["plugh"])]
    )
    assert math.isfinite(network.log_odds([("nobody", ["xyzzy"])]))


def test_of_a_long_call_the_last_turns_are_heard(learnt: Learnt) -> None:
    network = learnt.network()
    long = BOOKED * MOST_TURNS

    assert network.log_odds(long) == network.log_odds(long[-MOST_TURNS:])
    assert network.log_odds([]) == pytest.approx(network.verdict_bias)


def test_a_turn_is_told_by_its_words_their_pairs_and_its_ends() -> None:
    assert [*names(("caller", ["yes", "please"]))] == [
        "caller",
        "caller:yes",
        "caller:please",
        "caller:^ yes",
        "caller:yes please",
        "caller:please $",
    ]
    assert [*names(("agent", []))] == ["agent", "agent:^ $"]


@pytest.mark.parametrize("seed", [None, 3], ids=["heard in full", "some of it silenced"])
def test_the_slopes_are_those_of_the_log_odds(learnt: Learnt, seed: int | None) -> None:
    listener = learnt.listener
    some = numpy.arange(6)
    wrong = numpy.array([0.5, -1.0, 2.0, 1.0, -0.5, 0.7], dtype=numpy.float32)

    def heard() -> listening.Pass:
        return listening.Pass(
            listener, some, None if seed is None else numpy.random.default_rng(seed)
        )

    slopes = heard().slopes(wrong)
    chance = numpy.random.default_rng(1)
    for name, weights in list(listener.weights.items()):
        towards = chance.standard_normal(weights.shape).astype(numpy.float32)
        there = []
        for step in (1e-3, -1e-3):
            listener.weights[name] = weights + numpy.float32(step) * towards
            there.append(wrong @ heard().log_odds)
        listener.weights[name] = weights
        assert (there[0] - there[1]) / 2e-3 == pytest.approx(
            (slopes[name] * towards).sum(), rel=0.02
        )


CALL = [
    {"speaker": "caller", "text": "Could I come in tomorrow at ten?"},
    {"speaker": "agent", "text": "You're booked for ten."},
]


def test_the_engine_adds_what_the_network_hears_to_what_the_words_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns = [clauses_of_turn(turn, n) for n, turn in enumerate(CALL)]
    learnt = json.loads(likelihood.WEIGHTS.read_text())
    network = Network(learnt["call booked"].pop("network"))
    without = tmp_path / "likelihood.json"
    without.write_text(json.dumps(learnt))

    def log_odds() -> float:
        likely = likelihood.of_booking(Negotiation.of(turns), turns)
        return math.log(likely / (1 - likely))

    both = log_odds()
    monkeypatch.setattr(likelihood, "WEIGHTS", without)
    likelihood._learnt.cache_clear()
    try:
        words = log_odds()
    finally:
        likelihood._learnt.cache_clear()

    assert both - words == pytest.approx(network.log_odds(likelihood.spoken(turns)))


def test_of_a_few_calls_no_network_is_learnt() -> None:
    rows = [
        {"id": f"few/{n}", "booked": n % 2 == 0, "summary": None, "turns": CALL} for n in range(20)
    ]
    numbers = Numbers()
    examples = list(training.examples_of(rows, "few", "call booked", numbers))

    assert "network" not in training.learnt(examples, numbers)
