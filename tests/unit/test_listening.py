"""The network that hears a call turn by turn: what it learns, and that the engine hears the same."""

import json
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy
import pytest

from calls import likelihood, recurrent
from calls.negotiation import Negotiation
from calls.recurrent import MOST_TURNS, Network, Said, names
from calls.utterances import clauses_of_turn
from local import listening, training
from local.listening import Listener, Talk, Talks
from local.training import Numbers


def talk(*said: str) -> list[Said]:
    """Alternate turns, the agent's first."""
    return [(("agent", "caller")[n % 2], words.split()) for n, words in enumerate(said)]


# The same words in both, in another order: what is said last counts.
BOOKED = talk("CLOCK then then", "no", "or DAY", "yes yes please", "lovely")
NOT_BOOKED = talk("CLOCK then then", "yes yes please", "or DAY", "no", "lovely")
TALKS = [BOOKED * 3, NOT_BOOKED, BOOKED[2:], NOT_BOOKED * 2, BOOKED, NOT_BOOKED[2:]]
TIMES = 1000


class Learnt:
    def __init__(self, settled: tuple[int | None, ...] = (None,) * len(TALKS)) -> None:
        numbers = Numbers()
        talks = [
            Talk([numbers.of_heard(said) for said in one], booked=n % 2 == 0, settled=settled[n])
            for n, one in enumerate(TALKS)
        ]
        every = numpy.arange(len(talks) * TIMES)
        self.listener = Listener(Talks(talks * TIMES, len(numbers.heard)), every)
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


def test_before_the_turn_that_settles_it_nothing_is_booked() -> None:
    network = Learnt(settled=(3, None, 1, None, 3, None)).network()

    assert network.log_odds(BOOKED[:2]) < -1
    assert network.log_odds(BOOKED[:4]) > 1


@pytest.mark.parametrize(
    ("booked", "settled", "answers"),
    [
        (True, None, [None, None, None, None, (True, 1)]),
        (False, None, [None, None, None, None, (False, 1)]),
        (True, 3, [(False, 0.25), (False, 0.25), None, (True, 0.25), (True, 1.25)]),
        (False, 3, [None, None, None, (False, 0.5), (False, 1.5)]),
        (True, 0, [(True, 0.2)] * 4 + [(True, 1.2)]),
        (True, 1, [None] + [(True, 0.25)] * 3 + [(True, 1.25)]),
    ],
)
def test_a_label_tells_of_the_turns_before_and_after_what_settles_the_call(
    booked: bool, settled: int | None, answers: list[tuple[bool, float] | None]
) -> None:
    found = Talk([[]] * 5, booked, settled).answers()

    assert [one if one[1] else None for one in found] == answers


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
    spoken = listening.Pass(listener, some).spoken
    wrong = (numpy.random.default_rng(2).standard_normal(spoken.shape) * spoken).astype("float32")

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
            there.append((wrong * heard().log_odds).sum())
        listener.weights[name] = weights
        assert (there[0] - there[1]) / 2e-3 == pytest.approx(
            (slopes[name] * towards).sum(), rel=0.02
        )


LEARNT = likelihood.WEIGHTS
CALL = [
    {"speaker": "caller", "text": "Could I come in tomorrow at ten?"},
    {"speaker": "agent", "text": "You're booked for ten."},
]


@pytest.fixture
def log_odds_by(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[dict[str, Any]], float]]:
    """How likely CALL is booked by other weights than those that were learnt."""
    turns = [clauses_of_turn(turn, n) for n, turn in enumerate(CALL)]
    other = tmp_path / "likelihood.json"
    monkeypatch.setattr(likelihood, "WEIGHTS", other)

    def log_odds(weights: dict[str, Any]) -> float:
        other.write_text(json.dumps(weights))
        likelihood._learnt.cache_clear()
        likely = likelihood.of_booking(Negotiation.of(turns), turns)
        return math.log(likely / (1 - likely))

    yield log_odds
    likelihood._learnt.cache_clear()


def test_the_engine_adds_what_the_network_hears_to_what_the_words_say(
    log_odds_by: Callable[[dict[str, Any]], float],
) -> None:
    learnt = json.loads(LEARNT.read_text())
    both = log_odds_by(learnt)
    network = learnt["call booked"].pop("network")

    hears = Network(network).log_odds(
        likelihood.spoken(clauses_of_turn(turn, n) for n, turn in enumerate(CALL))
    )

    assert both - log_odds_by(learnt) == pytest.approx(hears)


@pytest.mark.parametrize(("speaks", "adds"), [(3.0, 0.0), (-3.0, -3.0)], ids=["for", "against"])
def test_what_a_call_is_about_counts_only_where_it_speaks_against_a_visit(
    log_odds_by: Callable[[dict[str, Any]], float], speaks: float, adds: float
) -> None:
    learnt = json.loads(LEARNT.read_text())
    unmoved = {"bias": 0.0, "slope": 1.0, "intercept": 0.0, "weights": {}}

    of_nothing = log_odds_by(learnt | {"of a visit": unmoved})
    speaking = log_odds_by(learnt | {"of a visit": unmoved | {"intercept": speaks}})

    assert speaking - of_nothing == pytest.approx(adds)


def test_of_a_few_calls_no_network_is_learnt() -> None:
    rows = [
        {"id": f"few/{n}", "booked": n % 2 == 0, "summary": None, "turns": CALL} for n in range(20)
    ]
    numbers = Numbers()
    examples = list(training.examples_of(rows, "few", "call booked", numbers))

    assert "network" not in training.learnt(examples, numbers, "call booked")
