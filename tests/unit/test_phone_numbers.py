"""One key is derived from any way of writing a line's number."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calls import connection
from calls.phone_numbers import line_key


@pytest.mark.parametrize(
    "written",
    [
        "+12175550100",
        "12175550100",
        "2175550100",
        "(217) 555-0100",
        "+1 217-555-0100",
        "1.217.555.0100",
        " +12175550100 ",
        "tel:+12175550100",
    ],
)
def test_every_way_of_writing_a_number_gives_its_key(written: str) -> None:
    assert line_key(written) == "+12175550100"


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ("+442079460958", "+442079460958"),
        ("+4532123456", "+4532123456"),
        ("anonymous", "+"),
        ("", "+"),
        ("sip:desk", "+"),
    ],
)
def test_what_is_not_north_american_carries_its_country_code(written: str, key: str) -> None:
    assert line_key(written) == key


@settings(deadline=None)  # a busy machine is no failure
@given(ten_digits=st.integers(2_012_000_000, 9_899_999_999).map(str))
def test_the_key_does_not_depend_on_spelling(ten_digits: str) -> None:
    assert line_key(ten_digits) == line_key(f"1{ten_digits}") == line_key(f"+1{ten_digits}")
    assert line_key(line_key(ten_digits)) == line_key(ten_digits)


@pytest.mark.parametrize("written", ["+12175550100", "(217) 555-0100", "2175550100"])
def test_a_number_is_connected_under_the_key_that_finds_it(written: str) -> None:
    request = connection.Disconnect(clinic_id="lakeside", phone_number=written)

    assert request.phone_number == line_key(written)
