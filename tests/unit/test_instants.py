"""Instants are stored so that the order of their text is the order of time."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calls import instants

moments = st.datetimes(timezones=st.timezones()).filter(lambda m: 2 < m.year < 9998)


@settings(deadline=None)  # a busy machine is no failure
@given(one=moments, other=moments)
def test_text_order_is_time_order(one: datetime, other: datetime) -> None:
    told_apart = abs(one - other) >= timedelta(milliseconds=1)

    if told_apart:
        assert (instants.iso(one) < instants.iso(other)) == (one < other)


@settings(deadline=None)  # a busy machine is no failure
@given(moment=moments)
def test_an_instant_is_read_back_to_the_millisecond(moment: datetime) -> None:
    read = instants.parsed(instants.iso(moment))

    assert timedelta(0) <= moment - read < timedelta(milliseconds=1)
    assert instants.iso(read) == instants.iso(moment)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-11-22T14:00:00Z", "2026-11-22T14:00:00.000Z"),
        ("2026-11-22T14:00:00", "2026-11-22T14:00:00.000Z"),
        ("2026-11-22T08:00:00-06:00", "2026-11-22T14:00:00.000Z"),
        ("2026-11-22", "2026-11-22T00:00:00.000Z"),
        ("2026-11-22T14:00:00.518093Z", "2026-11-22T14:00:00.518Z"),
    ],
)
def test_iso_8601_is_read_in_utc(text: str, instant: str) -> None:
    assert instants.iso(instants.parsed(text)) == instant


@pytest.mark.parametrize("text", ["", "yesterday", "22.11.2026", "1795356000", "2026-13-01"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"isoformat|month"):
        instants.parsed(text)


@pytest.mark.parametrize(
    ("timestamp", "instant"),
    [
        ("Mon, 09 Nov 2026 16:33:03 +0000", "2026-11-09T16:33:03.000Z"),
        ("Mon, 09 Nov 2026 10:33:03 -0600", "2026-11-09T16:33:03.000Z"),
        ("2026-11-09T16:30:24.518093Z", "2026-11-09T16:30:24.518Z"),
        ("", None),
        (None, None),
        ("now", None),
        ("Mon, 99 Nov 2026 16:33:03 +0000", None),
    ],
)
def test_twilios_two_ways_of_writing_time_are_read(
    timestamp: str | None, instant: str | None
) -> None:
    assert instants.from_twilio(timestamp) == instant


@settings(deadline=None)  # a busy machine is no failure
@given(text=st.text())
def test_no_timestamp_is_too_odd_to_be_passed_over(text: str) -> None:
    instant = instants.from_twilio(text)

    assert instant is None or instants.parsed(instant)


def test_a_moment_without_a_zone_is_in_utc() -> None:
    naive = datetime(2026, 11, 22, 14, tzinfo=UTC).replace(tzinfo=None)

    assert instants.iso(naive) == "2026-11-22T14:00:00.000Z"
    assert instants.iso(naive.replace(tzinfo=timezone(timedelta(hours=2)))).startswith(
        "2026-11-22T12"
    )


def test_seconds_between_two_instants() -> None:
    assert instants.seconds_between("2026-11-22T14:00:00.000Z", "2026-11-22T14:01:00.250Z") == 60.25


def test_api_gateways_clock_counts_milliseconds() -> None:
    assert instants.from_epoch_ms(1795356000071) == "2026-11-22T14:00:00.071Z"
