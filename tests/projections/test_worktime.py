"""Business time: golden figures, every boundary, clock changes, and a naive minute walker as oracle."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import holidays
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.calendar import Calendar, Interval
from domain.policy import BEGINNING, Policies, Policy, PolicyError, shipped_policy
from projections.openings import Grid, Openings
from projections.worktime import INSTANT, WORTH_A_GRID, Worktime, WorktimeError

WARSAW = ZoneInfo("Europe/Warsaw")
SECOND = 1_000_000
HOUR = 3600 * SECOND
MICRO = timedelta(microseconds=1)
OFFICE = "channel:email"
NINE_TO_FIVE: tuple[Interval, ...] = ((540, 1020),)
WHOLE_DAY: tuple[Interval, ...] = ((0, 1440),)


def weekdays(*intervals: Interval, zone: str = "Europe/Warsaw", code: str | None = "PL") -> Calendar:
    week = (intervals,) * 5 + ((), ())
    return Calendar(name="office", zone=zone, week=week, holidays=code, exceptions={})


def policy_of(calendar: Calendar) -> Policy:
    shipped = shipped_policy()
    return replace(shipped, calendars={**shipped.calendars, "office": calendar})


def worktime(*versions: tuple[datetime, Calendar], years: tuple[int, int] = (2026, 2026)) -> Worktime:
    adopted = tuple((starts_at, policy_of(calendar)) for starts_at, calendar in versions)
    first, last = (datetime(year, 1, 1, tzinfo=UTC) for year in years)
    return Worktime(Policies(adopted=adopted), first, last)


@lru_cache
def shipped() -> Worktime:
    return worktime((BEGINNING, shipped_policy().calendars["office"]))


@lru_cache
def split_shift() -> Worktime:
    return worktime((BEGINNING, weekdays((540, 720), (780, 1020))))


@lru_cache
def always() -> Worktime:
    round_the_clock = replace(weekdays(), week=(WHOLE_DAY,) * 7, holidays=None)
    return worktime((BEGINNING, round_the_clock))


def local(*parts: int, zone: ZoneInfo = WARSAW, fold: int = 0) -> datetime:
    return datetime(*parts, tzinfo=zone, fold=fold)  # type: ignore[misc,arg-type]


def instants(*values: datetime | None) -> pl.Series:
    return pl.Series([value and value.astimezone(UTC) for value in values], dtype=INSTANT)


def names(count: int, name: str = OFFICE) -> pl.Series:
    return pl.Series([name] * count, dtype=pl.String)


def repeated(column: pl.Series, rows: int) -> pl.Series:
    return column.new_from_index(0, rows)


def alike(time: Worktime, ask: Callable[[int], pl.Series]) -> pl.Series:
    """The answer for one row without a grid, and the same on each of as many rows as are answered from one."""
    grid, time.grid = time.grid, None
    one = ask(1)
    assert time.grid is None
    time.grid = grid
    many = ask(WORTH_A_GRID)
    assert time.grid is not None
    assert many.unique().to_list() == one.to_list()
    return one


def elapsed(time: Worktime, start: datetime, stop: datetime, calendar: str = OFFICE) -> int:
    result = alike(
        time,
        lambda rows: time.elapsed(
            repeated(instants(start), rows), repeated(instants(stop), rows), names(rows, calendar)
        ),
    )
    assert result.dtype == pl.Int64
    return int(result[0])


def due(time: Worktime, start: datetime, budget: int, calendar: str = OFFICE) -> datetime:
    budgets = pl.Series([budget])
    result = alike(
        time,
        lambda rows: time.due(
            repeated(instants(start), rows), repeated(budgets, rows), names(rows, calendar)
        ),
    )
    assert result.dtype == INSTANT
    found = result[0]
    assert isinstance(found, datetime)
    return found


def opening(time: Worktime, instant: datetime) -> datetime:
    found = time.opening(instants(instant), names(1))[0]
    assert isinstance(found, datetime)
    return found


def walked(opened: Callable[[datetime], bool], start: datetime, stop: datetime) -> int:
    """Business microseconds, one UTC minute after the other."""
    total = timedelta()
    minute = start.astimezone(UTC).replace(second=0, microsecond=0)
    while minute < stop:
        if opened(minute):
            total += min(stop, minute + timedelta(minutes=1)) - max(start, minute)
        minute += timedelta(minutes=1)
    return total // MICRO


POLAND = holidays.country_holidays("PL", years=range(2024, 2029), expand=False)


def is_open(calendar: Calendar, minute: datetime) -> bool:
    here = minute.astimezone(ZoneInfo(calendar.zone))
    intervals = calendar.week[here.weekday()]
    if calendar.holidays and here.date() in POLAND:
        intervals = ()
    intervals = calendar.exceptions.get(here.date(), intervals)
    return any(start <= 60 * here.hour + here.minute < stop for start, stop in intervals)


def test_the_golden_first_reply_took_15000_business_seconds_and_was_due_on_monday_afternoon() -> None:
    received, answered = local(2026, 10, 23, 16, 30), local(2026, 10, 26, 12, 40)
    assert elapsed(shipped(), received, answered) == 15_000 * SECOND
    assert due(shipped(), received, 6 * HOUR) == local(2026, 10, 26, 14, 30)


def test_a_split_shift_leaves_the_midday_break_out() -> None:
    assert elapsed(split_shift(), local(2026, 10, 23, 16, 30), local(2026, 10, 26, 12, 40)) == 12_600 * SECOND


def test_the_golden_second_reply_skips_the_holiday_of_11_november() -> None:
    answered = local(2026, 11, 12, 10, 0)
    assert elapsed(shipped(), local(2026, 11, 10, 16, 0), answered) == 7_200 * SECOND
    assert elapsed(shipped(), local(2026, 11, 10, 16, 0, 5), answered) == 7_195 * SECOND
    assert due(shipped(), local(2026, 11, 10, 16, 0, 5), 6 * HOUR) == local(2026, 11, 12, 14, 0, 5)
    assert elapsed(shipped(), local(2026, 11, 10, 16, 0, 5), local(2026, 11, 11, 15, 0)) == 3_595 * SECOND


def test_the_golden_callback_was_kept_after_4170_business_seconds_and_due_at_9_40_30() -> None:
    missed = local(2026, 10, 30, 16, 40, 30)
    assert elapsed(shipped(), missed, local(2026, 11, 2, 9, 5)) == 1_470 * SECOND
    assert elapsed(shipped(), missed, local(2026, 11, 2, 9, 50)) == 4_170 * SECOND
    assert due(shipped(), missed, HOUR) == local(2026, 11, 2, 9, 40, 30)


def test_golden_resolution_cycles_take_16200_and_9000_business_seconds() -> None:
    first = elapsed(shipped(), local(2026, 10, 23, 16, 30), local(2026, 10, 26, 13, 0))
    second = elapsed(shipped(), local(2026, 11, 10, 16, 0), local(2026, 11, 12, 10, 30))
    whole = elapsed(shipped(), local(2026, 10, 23, 16, 30), local(2026, 11, 12, 10, 30))
    assert (first, second, whole) == (16_200 * SECOND, 9_000 * SECOND, 352_800 * SECOND)


@pytest.mark.parametrize(
    ("instant", "counted"),
    [
        (local(2026, 10, 26, 8, 59, 59, 999_999), 0),
        (local(2026, 10, 26, 9, 0), 0),
        (local(2026, 10, 26, 9, 0, 0, 1), 1),
        (local(2026, 10, 26, 16, 59, 59, 999_999), 8 * HOUR - 1),
        (local(2026, 10, 26, 17, 0), 8 * HOUR),
        (local(2026, 10, 26, 17, 0, 0, 1), 8 * HOUR),
        (local(2026, 10, 27, 9, 0), 8 * HOUR),
        (local(2026, 10, 27, 9, 0, 0, 1), 8 * HOUR + 1),
    ],
)
def test_business_time_since_midnight_just_before_on_and_after_every_boundary(
    instant: datetime, counted: int
) -> None:
    assert elapsed(shipped(), local(2026, 10, 26), instant) == counted


@pytest.mark.parametrize(
    ("budget", "expected"),
    [
        (0, local(2026, 10, 26, 16, 0)),
        (1, local(2026, 10, 26, 16, 0, 0, 1)),
        (HOUR - 1, local(2026, 10, 26, 16, 59, 59, 999_999)),
        (HOUR, local(2026, 10, 27, 9, 0)),
        (HOUR + 1, local(2026, 10, 27, 9, 0, 0, 1)),
        (-1, local(2026, 10, 26, 15, 59, 59, 999_999)),
    ],
)
def test_a_budget_that_ends_at_closing_is_due_at_the_next_opening(budget: int, expected: datetime) -> None:
    assert due(shipped(), local(2026, 10, 26, 16, 0), budget) == expected


def test_no_budget_outside_opening_hours_is_due_at_the_opening() -> None:
    assert due(shipped(), local(2026, 10, 24, 3, 0), 0) == local(2026, 10, 26, 9, 0)


def test_a_budget_that_ends_before_the_break_is_due_after_it() -> None:
    assert due(split_shift(), local(2026, 10, 26, 9, 0), 3 * HOUR) == local(2026, 10, 26, 13, 0)


@pytest.mark.parametrize(
    ("instant", "expected"),
    [
        (local(2026, 10, 26, 8, 59, 59, 999_999), local(2026, 10, 26, 9, 0)),
        (local(2026, 10, 26, 9, 0), local(2026, 10, 26, 9, 0)),
        (local(2026, 10, 26, 16, 59, 59, 999_999), local(2026, 10, 26, 16, 59, 59, 999_999)),
        (local(2026, 10, 26, 17, 0), local(2026, 10, 27, 9, 0)),
        (local(2026, 11, 10, 17, 0), local(2026, 11, 12, 9, 0)),
    ],
)
def test_the_opening_is_the_instant_itself_while_open_and_else_the_next(
    instant: datetime, expected: datetime
) -> None:
    assert opening(shipped(), instant) == expected


def test_round_the_clock_counts_every_hour_of_a_day_that_has_23_or_25() -> None:
    assert elapsed(always(), local(2026, 3, 29), local(2026, 3, 30)) == 23 * HOUR
    assert elapsed(always(), local(2026, 10, 25), local(2026, 10, 26)) == 25 * HOUR
    assert elapsed(always(), local(2026, 1, 1), local(2027, 1, 1)) == 365 * 24 * HOUR
    assert due(always(), local(2026, 10, 24, 12, 0), 24 * HOUR) == local(2026, 10, 25, 11, 0)
    assert due(always(), local(2026, 12, 31, 23, 0), 2 * HOUR) == local(2027, 1, 1, 1, 0)


def test_night_shifts_lose_an_hour_in_march_and_gain_one_in_october() -> None:
    nights = replace(weekdays(), week=(((0, 360), (1320, 1440)),) * 7, holidays=None)
    time = worktime((BEGINNING, nights))
    assert elapsed(time, local(2026, 3, 28, 12), local(2026, 3, 29, 12)) == 7 * HOUR
    assert elapsed(time, local(2026, 10, 24, 12), local(2026, 10, 25, 12)) == 9 * HOUR
    assert elapsed(time, local(2026, 6, 1, 12), local(2026, 6, 2, 12)) == 8 * HOUR


def test_shifts_that_meet_inside_the_hour_that_is_missing_or_doubled_neither_lose_nor_double_it() -> None:
    meeting = replace(weekdays(), week=(((0, 150), (150, 360)),) * 7, holidays=None)
    time = worktime((BEGINNING, meeting))
    assert elapsed(time, local(2026, 3, 29), local(2026, 3, 29, 12)) == 5 * HOUR
    assert elapsed(time, local(2026, 10, 25), local(2026, 10, 25, 12)) == 7 * HOUR


def test_an_opening_inside_the_missing_hour_is_at_its_end() -> None:
    early = replace(weekdays(), week=(((150, 360),),) * 7, holidays=None)
    assert opening(worktime((BEGINNING, early)), local(2026, 3, 29)) == local(2026, 3, 29, 3, 0)


def test_dated_exceptions_close_a_day_shorten_one_and_open_a_holiday() -> None:
    exceptions = {
        date(2026, 10, 27): (),
        date(2026, 10, 28): ((540, 720),),
        date(2026, 11, 11): ((600, 660),),
    }
    time = worktime((BEGINNING, replace(weekdays(*NINE_TO_FIVE), exceptions=exceptions)))
    assert elapsed(time, local(2026, 10, 27), local(2026, 10, 28)) == 0
    assert elapsed(time, local(2026, 10, 28), local(2026, 10, 29)) == 3 * HOUR
    assert elapsed(time, local(2026, 11, 11), local(2026, 11, 12)) == HOUR
    assert due(time, local(2026, 10, 26, 16, 0), 2 * HOUR) == local(2026, 10, 28, 10, 0)


def test_a_span_across_a_change_of_hours_counts_each_version_while_it_was_in_force() -> None:
    changed_at = local(2026, 10, 27, 12, 34, 56, 789_012)
    time = worktime((BEGINNING, weekdays(*NINE_TO_FIVE)), (changed_at, weekdays((600, 720), (840, 900))))
    before, after = changed_at - local(2026, 10, 27, 9, 0), timedelta(hours=1)
    assert elapsed(time, local(2026, 10, 27), local(2026, 10, 28)) == (before + after) // MICRO
    assert elapsed(time, local(2026, 10, 26), local(2026, 10, 29)) * MICRO == timedelta(hours=12) + before
    assert due(time, local(2026, 10, 27, 9, 0), before // MICRO) == local(2026, 10, 27, 14, 0)


def test_a_change_to_round_the_clock_at_an_odd_microsecond_is_exact() -> None:
    changed_at = local(2026, 10, 24, 1, 2, 3, 4)
    later = replace(weekdays(), week=(WHOLE_DAY,) * 7, holidays=None)
    time = worktime((BEGINNING, weekdays(*NINE_TO_FIVE)), (changed_at, later))
    stop = local(2026, 10, 24, 2, 0)
    assert elapsed(time, local(2026, 10, 23, 16, 0), stop) * MICRO == timedelta(hours=1) + (stop - changed_at)
    assert opening(time, local(2026, 10, 23, 17, 0)) == changed_at


def test_a_null_anywhere_gives_null() -> None:
    here, calendar = local(2026, 10, 26, 9, 0), pl.Series([OFFICE, OFFICE, None, OFFICE])
    start, stop = instants(None, here, here, here), instants(here, None, here, here + timedelta(hours=1))
    budget = pl.Series([HOUR, None, HOUR, HOUR])
    ended = here + timedelta(hours=1)
    assert shipped().elapsed(start, stop, calendar).to_list() == [None, None, None, HOUR]
    assert shipped().due(start, budget, calendar).to_list() == [None, None, None, ended]
    assert shipped().opening(start, calendar).to_list() == [None, here, None, here]


def test_no_rows_give_no_rows_of_the_right_types() -> None:
    nothing, nobody = instants(), pl.Series([], dtype=pl.String)
    assert shipped().elapsed(nothing, nothing, nobody).dtype == pl.Int64
    assert shipped().due(nothing, pl.Series([], dtype=pl.Int64), nobody).dtype == INSTANT
    assert shipped().opening(nothing, nobody).dtype == INSTANT


def test_every_row_has_its_own_calendar_and_categories_are_names_too() -> None:
    start, stop = local(2026, 10, 24), local(2026, 10, 27)
    calendar = pl.Series(["always", "channel:phone", "office", "channel:carrier_pigeon"])
    for column in (calendar, calendar.cast(pl.Categorical), calendar.cast(pl.Enum(calendar))):
        result = shipped().elapsed(instants(*[start] * 4), instants(*[stop] * 4), column)
        assert result.to_list() == [73 * HOUR, 8 * HOUR, 8 * HOUR, 8 * HOUR]


def test_hours_are_named_by_channel_and_by_queue_where_it_has_its_own() -> None:
    policy = replace(shipped_policy(), queue_calendars={"night": "always"})
    time = Worktime(Policies(adopted=((BEGINNING, policy),)), local(2026, 1, 1), local(2026, 2, 1))
    channel = pl.Series(["email", "email", None, "email"])
    hours = time.hours(channel, pl.Series(["night", "day", None, None]))
    at = instants(*[local(2026, 10, 24, 12, 0)] * 4)
    assert time.hours(channel).n_unique() == 2
    assert [found == at[0] for found in time.opening(at, hours)] == [True, False, False, False]


def test_instants_outside_the_years_it_was_built_for_are_answered_exactly() -> None:
    time, oracle = worktime((BEGINNING, weekdays(*NINE_TO_FIVE))), weekdays(*NINE_TO_FIVE)
    for year in (1999, 2031, 2016):
        start, stop = local(year, 1, 4, 10, 30), local(year, 1, 12, 11, 45)
        official = holidays.country_holidays("PL", years=year, expand=False)
        opened = lambda m, off=official: m.astimezone(WARSAW).date() not in off and is_open(oracle, m)  # noqa: E731
        assert elapsed(time, start, stop) == walked(opened, start, stop), year
    assert elapsed(time, local(2016, 1, 1), local(2027, 1, 1)) == sum(
        elapsed(time, local(year, 1, 1), local(year + 1, 1, 1)) for year in range(2016, 2027)
    )
    assert due(time, local(2026, 12, 30, 9, 0), 2000 * HOUR) > local(2027, 12, 1)


def test_a_column_mixing_years_nulls_and_uneven_hours_is_answered_row_by_row() -> None:
    changed_at = local(2026, 10, 27, 12, 34, 56, 789_012)
    policies = worktime((BEGINNING, weekdays(*NINE_TO_FIVE)), (changed_at, weekdays((600, 720)))).policies
    start = [local(year, 10, 26, 9, 1) for year in (1999, 2020, 2026, 2026, 2030)] + [None]
    stop = [local(2026, 10, 28, 10, 2), None, *(local(2026, 10, 28, 10, 2),) * 4]
    calendar = ["office", "office", "office", "always", "channel:chat", "office"]
    times = 1000
    time = Worktime(policies, local(2025, 1, 1), local(2026, 1, 1))
    found = time.elapsed(instants(*start * times), instants(*stop * times), pl.Series(calendar * times))
    budget = pl.Series([HOUR] * 6 * times)
    due_at = time.due(instants(*start * times), budget, pl.Series(calendar * times))
    singly = [
        Worktime(policies, local(2025, 1, 1), local(2026, 1, 1)).elapsed(
            instants(a), instants(b), pl.Series([c])
        )[0]
        for a, b, c in zip(start, stop, calendar, strict=True)
    ]
    assert found.to_list() == singly * times
    assert due_at.head(6).to_list() == [
        *(local(1999, 10, 26, 10, 1), local(2020, 10, 26, 10, 1), local(2026, 10, 26, 10, 1)),
        *(local(2026, 10, 26, 10, 1), local(2030, 10, 28, 11, 0), None),
    ]


def test_one_stray_record_from_1901_leaves_the_present_on_the_grid() -> None:
    time = worktime((BEGINNING, weekdays(*NINE_TO_FIVE)), years=(1901, 2026))
    assert elapsed(time, local(2026, 10, 23, 16, 30), local(2026, 10, 26, 12, 40)) == 15_000 * SECOND
    assert elapsed(time, local(1901, 6, 3, 9, 0), local(1901, 6, 4, 10, 0)) == 9 * HOUR
    assert due(time, local(1901, 6, 3, 16, 0), 2 * HOUR) == local(1901, 6, 4, 10, 0)
    assert time.grid is not None
    assert time.grid.step == 15 * 60 * SECOND
    assert not time.grid.exact.any()


def test_years_whose_holidays_nobody_knows_are_refused_in_one_sentence() -> None:
    for start in (local(1899, 12, 1), local(2101, 2, 1)):
        with pytest.raises(WorktimeError, match="from 1900 to 2100"):
            elapsed(shipped(), start, local(2026, 1, 1))
    with pytest.raises(WorktimeError, match="from 1900 to 2100"):
        due(shipped(), local(2026, 1, 1), 10**6 * HOUR)


def test_times_without_a_zone_are_refused() -> None:
    naive = pl.Series("at", [datetime(2026, 1, 1)])  # noqa: DTZ001
    with pytest.raises(WorktimeError, match="without a zone"):
        shipped().opening(naive, names(1))


def test_an_unknown_calendar_is_refused_by_name() -> None:
    with pytest.raises(PolicyError, match='No policy has a calendar "offise"; name one of: always, office'):
        elapsed(shipped(), local(2026, 1, 1), local(2026, 1, 2), "offise")


BOUNDARY = st.integers(0, 1440).filter(lambda minute: minute <= 60 or minute >= 240)


@st.composite
def days(draw: st.DrawFn) -> tuple[Interval, ...]:
    bounds = sorted(draw(st.sets(BOUNDARY, max_size=6)))
    return tuple(zip(bounds[::2], bounds[1::2], strict=False))


@st.composite
def calendars(draw: st.DrawFn) -> Calendar:
    zone = draw(st.sampled_from(["Europe/Warsaw", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"]))
    week = (NINE_TO_FIVE, *(draw(days()) for _ in range(6)))
    around = st.sampled_from([date(2026, 3, 29), date(2026, 10, 25), date(2026, 11, 11), date(2026, 11, 2)])
    exceptions = draw(st.dictionaries(around, days(), max_size=2))
    code = draw(st.sampled_from(["PL", None]))
    return Calendar(name="office", zone=zone, week=week, holidays=code, exceptions=exceptions)


YEAR_BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
NEAR = st.sampled_from(
    [datetime(2026, 3, 29, tzinfo=UTC), datetime(2026, 10, 25, tzinfo=UTC)]
) | st.timedeltas(timedelta(), timedelta(days=355)).map(lambda passed: YEAR_BEGAN + passed)
SPAN = st.timedeltas(timedelta(days=-3), timedelta(days=3))


@settings(deadline=None)
@given(calendars(), NEAR, SPAN, SPAN)
def test_business_time_equals_a_walk_minute_by_minute(
    calendar: Calendar, moment: datetime, back: timedelta, span: timedelta
) -> None:
    start, stop = moment + back, moment + back + span
    time = worktime((BEGINNING, calendar))
    expected = walked(lambda minute: is_open(calendar, minute), min(start, stop), max(start, stop))
    assert elapsed(time, start, stop) == (expected if stop > start else -expected)


@settings(deadline=None)
@given(calendars(), NEAR, st.integers(0, 60 * HOUR))
def test_the_due_instant_is_the_last_with_no_more_than_the_budget_elapsed(
    calendar: Calendar, start: datetime, budget: int
) -> None:
    time = worktime((BEGINNING, calendar))
    last = due(time, start, budget)
    assert elapsed(time, start, last) == budget
    assert elapsed(time, start, last + MICRO) == budget + 1


@settings(deadline=None, max_examples=10)
@given(calendars(), calendars())
def test_the_grid_answers_as_the_exact_windows_do(one: Calendar, other: Calendar) -> None:
    policy = replace(policy_of(one), calendars={"office": one, "always": other})
    policies = Policies(adopted=((BEGINNING, policy),))
    exact = [Openings(policies, name, first=2026, last=2026) for name in ("office", "always")]
    grid = Grid(exact, last=2026)
    edges = np.concatenate([part for one in exact for part in (one.starts, one.stops)])
    edges = edges[(edges > grid.start) & (edges < grid.end)]
    at = np.concatenate([edges - 1, edges, edges + 1])
    for code in (0, 1):
        codes = np.full(len(at), code, np.uint8)
        passed = exact[code].before(at)
        assert np.array_equal(grid.before(at, codes), passed)
        inside = passed < grid.high[code]
        assert np.array_equal(
            grid.reached(passed[inside], codes[inside]), exact[code].reached(passed[inside])
        )
