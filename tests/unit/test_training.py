"""What the verdict's weights are learnt from: calls as they are, misheard, and cut off."""

from typing import Any

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
    late = CALL | {"turns": CALL["turns"][:4] * 5, "settled_turn": 18}

    assert [len(turns) for turns in training.cut_off(late)] == [17, 10]


def test_a_corpus_tells_with_its_booking_which_turn_settled_it() -> None:
    row = CALL | {"settled_turn": None, "booking": {"evidence_turn": 4}}

    assert list(training.cut_off(row)) == list(training.cut_off(CALL))


def test_a_call_that_booked_nothing_is_not_cut_off() -> None:
    assert [one.told for one in examples(booked=False)] == [False, False]


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
