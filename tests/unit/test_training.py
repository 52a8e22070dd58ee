"""What the verdict's weights are learnt from: calls as they are, misheard, and cut off."""

from typing import Any

import pytest

from calls.recurrent import MOST_TURNS
from local import training

CALL: dict[str, Any] = {
    "id": "one/1",
    "booked": True,
    "summary": None,
    "settled_turn": 4,
    "turns": [
        {"speaker": "agent", "text": "Elm Road Surgery, good morning."},
        {"speaker": "caller", "text": "I'd like to see Dr. Ahmed, please."},
        {"speaker": "agent", "text": "Tuesday at 9:15?"},
        {"speaker": "caller", "text": "Perfect, thank you!"},
        {"speaker": "agent", "text": "You're booked, see you on Tuesday."},
        {"speaker": "caller", "text": "Bye."},
    ],
}


def examples(**other: Any) -> list[training.Example]:
    return list(training.examples_of([CALL | other], "one", "call booked", training.Numbers()))


def test_a_booked_call_teaches_none_where_it_is_cut_off_before_the_agreement() -> None:
    cut = list(training.cut_off(CALL))

    assert [len(turns) for turns in cut] == [3, 3]
    assert [one.told for one in examples()] == [True, True, False, False]


def test_half_a_call_is_cut_off_where_it_was_settled_late() -> None:
    late = CALL | {"turns": CALL["turns"][:2] * 7 + CALL["turns"][2:], "settled_turn": 16}

    assert [len(turns) for turns in training.cut_off(late)] == [15, 9]


def test_a_call_is_cut_off_before_the_agreement_however_late_that_is_confirmed() -> None:
    name = [{"speaker": "agent", "text": "Name?"}, {"speaker": "caller", "text": "Ada Moss."}]
    late = CALL | {"turns": CALL["turns"][:4] + name * 3 + CALL["turns"][4:], "settled_turn": 10}

    assert [len(turns) for turns in training.cut_off(late)] == [3, 3]


def test_a_corpus_tells_with_its_booking_which_turn_settled_it() -> None:
    row = CALL | {"settled_turn": None, "booking": {"evidence_turn": 4}}

    assert list(training.cut_off(row)) == list(training.cut_off(CALL))


def test_a_call_that_booked_nothing_is_not_cut_off() -> None:
    assert [one.told for one in examples(booked=False)] == [False, False]


def test_a_call_is_cut_off_before_the_agreement_that_holds() -> None:
    undone = [
        {"speaker": "agent", "text": "I'm sorry, that one is not available any more."},
        {"speaker": "caller", "text": "Oh no."},
        {"speaker": "agent", "text": "Wednesday at 10?"},
        {"speaker": "caller", "text": "Yes, please."},
    ]
    twice = CALL | {"turns": CALL["turns"][:4] + undone + CALL["turns"][4:], "settled_turn": 8}

    assert [len(turns) for turns in training.cut_off(twice)] == [7, 5]


@pytest.mark.parametrize(
    "other",
    [{"contrived": True}, {"id": "two/1"}],
    ids=["all of them contrived", "all that book nothing by one author"],
)
def test_weights_are_learnt_from_few_calls_of_whatever_kind(other: dict[str, Any]) -> None:
    numbers = training.Numbers()
    rows = {"one": [CALL] * 3, "two": [CALL | {"booked": False} | other] * 3}
    if "contrived" in other:
        rows["one"] = [CALL | other] * 3

    found = training.learnt(
        [
            example
            for file, calls in rows.items()
            for example in training.examples_of(calls, file, "call booked", numbers)
        ],
        numbers,
        "call booked",
    )

    assert found["weights"]


@pytest.mark.parametrize(
    ("other", "learnt"),
    [
        ({}, [True, True]),
        ({"booked": False}, []),
        ({"booked": None}, []),
        ({"booked": False, "subject": "other"}, [False, False]),
        ({"appointment_domain": False}, [False, False]),
    ],
    ids=["booked", "not booked", "unsettled", "of other things", "of another service"],
)
def test_what_a_visit_is_about_is_learnt_from_bookings_and_from_calls_about_other_things(
    other: dict[str, Any], learnt: list[bool]
) -> None:
    of_a_visit = training.examples_of([CALL | other], "one", "of a visit", training.Numbers())

    assert [one.told for one in of_a_visit] == learnt


def test_the_copy_as_recognised_speech_is_not_measured_by() -> None:
    assert [one.contrived for one in examples(booked=False)] == [False, True]


def test_recognised_speech_has_no_case_and_no_punctuation_and_is_the_same_each_time() -> None:
    heard = training.as_recognised(CALL)

    assert heard == training.as_recognised(CALL)
    assert {turn["speaker"] for turn in heard} == {"caller", "agent"}
    said = " ".join(turn["text"] for turn in heard)
    assert said == said.lower()
    assert not {*said} & {*".,?!"}
    known = {word for turn in CALL["turns"] for word in turn["text"].lower().split()}
    assert {*said.split()} <= {word.strip(".,?!") for word in known} | {"9:15"}


def test_the_network_hears_whole_calls_and_which_turn_settled_them() -> None:
    whole, recognised, *cut = examples()

    assert [len(whole.talk.turns), whole.talk.settled] == [6, 4]
    assert recognised.talk.settled == 4
    assert [len(one.talk.turns) for one in cut] == [0, 0]


def test_of_a_long_call_the_network_hears_the_end_and_when_in_it_was_settled() -> None:
    long, *_ = examples(turns=CALL["turns"] * 10, settled_turn=52)

    assert [len(long.talk.turns), long.talk.settled] == [MOST_TURNS, MOST_TURNS - 8]


def test_a_turn_of_which_nothing_was_recognised_keeps_its_number() -> None:
    said = [{"speaker": "caller", "text": "?"}, *CALL["turns"]]

    _, recognised, *_ = examples(turns=said, settled_turn=5)

    assert [len(recognised.talk.turns), recognised.talk.settled] == [6, 4]
