"""Periods: presets end with the newest day, comparisons do not overlap, years keep their days."""

from datetime import date

import pytest

from dashboards.periods import Period, compared, period, trend, years_back

NEWEST = date(2026, 11, 21)


@pytest.mark.parametrize(
    ("code", "start"),
    [
        ("7d", date(2026, 11, 15)),
        ("30d", date(2026, 10, 23)),
        ("90d", date(2026, 8, 24)),
        ("12m", date(2025, 11, 22)),
        ("nonsense", date(2026, 10, 23)),
    ],
)
def test_presets_end_with_the_newest_known_day(code: str, start: date) -> None:
    assert period(code, NEWEST) == Period(start=start, end=date(2026, 11, 22))


def test_a_custom_range_holds_both_its_days_in_either_order() -> None:
    days = date(2026, 3, 31), date(2026, 3, 2)
    assert period("custom", NEWEST, days) == Period(start=date(2026, 3, 2), end=date(2026, 4, 1))
    assert period("custom", NEWEST).days == 30


def test_the_previous_period_ends_where_this_one_begins() -> None:
    now = period("30d", NEWEST)
    before = compared(now, "previous")
    assert before == Period(start=date(2026, 9, 23), end=now.start)
    assert compared(now, "none") is None


def test_last_year_is_the_same_days_and_survives_a_leap_day() -> None:
    assert compared(Period(start=date(2028, 2, 29), end=date(2028, 3, 1)), "year") == Period(
        start=date(2027, 2, 28), end=date(2027, 3, 1)
    )
    assert years_back(date(2026, 1, 31)) == date(2025, 1, 31)


def test_the_trend_is_at_least_a_year_and_never_shorter_than_the_period() -> None:
    assert trend(period("7d", NEWEST)) == period("12m", NEWEST)
    long = Period(start=date(2020, 1, 1), end=date(2026, 1, 1))
    assert trend(long) == long


@pytest.mark.parametrize(("days", "grain"), [(7, "1d"), (62, "1d"), (63, "1w"), (365, "1w"), (1000, "1mo")])
def test_the_grain_fits_the_length(days: int, grain: str) -> None:
    start = date(2020, 1, 1)
    assert Period(start=start, end=date.fromordinal(start.toordinal() + days)).grain == grain
