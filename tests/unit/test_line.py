"""A line rings whom it should, belongs to whom it did, and is answered as its clinic wishes."""

from typing import Any

import pytest

from calls.answering import Answering
from calls.line import NOBODY, Line

NEW, EXISTING, DEFAULT = "+13125550111", "+13125550122", "+13125550188"
NOON, ONE, TWO = (f"2026-11-22T{hour}:00:00.000Z" for hour in (12, 13, 14))


@pytest.mark.parametrize(
    ("numbers", "rung"),
    [
        # numbers: default, new, existing; rung: for no choice, for 1, for 2
        ((DEFAULT, NEW, EXISTING), (DEFAULT, NEW, EXISTING)),
        ((DEFAULT, None, None), (DEFAULT, DEFAULT, DEFAULT)),
        ((DEFAULT, NEW, None), (DEFAULT, NEW, DEFAULT)),
        ((DEFAULT, None, EXISTING), (DEFAULT, DEFAULT, EXISTING)),
        ((None, NEW, EXISTING), (NEW, NEW, EXISTING)),
        ((None, NEW, None), (NEW, NEW, NEW)),
        ((None, None, EXISTING), (EXISTING, EXISTING, EXISTING)),
        ((None, None, None), (None, None, None)),
    ],
)
def test_a_line_rings_the_chosen_number_or_the_next_best(
    numbers: tuple[str | None, ...], rung: tuple[str | None, ...]
) -> None:
    default, new, existing = numbers
    line = Line(
        "+13125550140",
        forward_number=default,
        forward_number_new=new,
        forward_number_existing=existing,
    )

    assert tuple(line.forward_for(choice) for choice in (None, "1", "2")) == rung


@pytest.mark.parametrize(
    ("moment", "owner"),
    [
        ("2026-11-22T11:59:59.999Z", NOBODY),
        (NOON, "lakeside"),
        ("2026-11-22T12:59:59.999Z", "lakeside"),
        (ONE, NOBODY),
        (TWO, "hilltop"),
        ("2030-01-01T00:00:00.000Z", "hilltop"),
    ],
)
def test_a_call_belongs_to_whoever_had_the_number_when_it_began(moment: str, owner: str) -> None:
    owners = (
        {"clinicId": "lakeside", "from": NOON, "to": ONE},
        {"clinicId": "hilltop", "from": TWO, "to": None},
    )

    assert Line("+13125550140", owners=owners).owner_at(moment) == owner


@pytest.mark.parametrize(
    ("settings", "menu_message", "expected"),
    [
        ({}, None, "Deployment's menu."),
        ({"menuMessage": "Clinic's menu."}, None, "Clinic's menu."),
        ({"menuMessage": "Clinic's menu."}, "Line's menu.", "Line's menu."),
        ({}, "Line's menu.", "Line's menu."),
        ({"menuMessage": ""}, "", "Deployment's menu."),
        ({"menuMessage": None}, None, "Deployment's menu."),
    ],
)
def test_the_lines_own_words_come_first(
    settings: dict[str, Any], menu_message: str | None, expected: str
) -> None:
    line = Line("+13125550140", settings=settings, menu_message=menu_message)
    deployed = Answering(menu_message="Deployment's menu.")

    assert deployed.overridden_by(line.own_settings).menu_message == expected


def test_a_clinic_overrides_both_ways() -> None:
    deployed = Answering(menu=True, recording=False, voicemail=True)

    answered = deployed.overridden_by(
        {"enableMenu": False, "enableRecording": True, "enableVoicemail": False, "colour": "red"}
    )

    assert (answered.menu, answered.recording, answered.voicemail) == (False, True, False)
    assert (deployed.menu, deployed.recording, deployed.voicemail) == (True, False, True)
