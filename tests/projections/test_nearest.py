"""Nearest neighbours in time, against a hand-made table and against looking at every pair."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from projections.nearest import following, preceding

START = datetime(2026, 3, 1, tzinfo=UTC)
INSTANT = pl.Datetime("us", "UTC")


def minute(number: int | None) -> datetime | None:
    """So many minutes after the start."""
    return None if number is None else START + timedelta(minutes=number)


def asked(*rows: tuple[str, int | None]) -> pl.DataFrame:
    """Persons and the instants about which is asked."""
    return pl.DataFrame(
        [(person, minute(at)) for person, at in rows],
        schema={"person": pl.String, "at": INSTANT},
        orient="row",
    )


def events(*rows: tuple[str, int | None, str]) -> pl.DataFrame:
    """Persons, instants and names."""
    return pl.DataFrame(
        [(person, minute(at), name) for person, at, name in rows],
        schema={"person": pl.String, "came_at": INSTANT, "name": pl.String},
        orient="row",
    )


LEFT = asked(("b", 1), ("a", 5), ("a", 1), ("c", 1), ("a", None), ("a", 9))
RIGHT = events(
    ("a", 9, "late"), ("a", 5, "first"), ("a", 5, "second"), ("b", 0, "early"), ("a", None, "never")
)


@pytest.mark.parametrize(
    ("equal", "expected"),
    [
        (False, [None, "late", "first", None, None, None]),
        (True, [None, "first", "first", None, None, "late"]),
    ],
)
def test_the_first_neighbour_after_an_instant(equal: bool, expected: list[str | None]) -> None:
    found = following(LEFT, RIGHT, after="at", at="came_at", by="person", equal=equal)
    assert found.columns == ["person", "at", "came_at", "name"]
    assert found.select("person", "at").equals(LEFT)
    assert found["name"].to_list() == expected


@pytest.mark.parametrize(
    ("equal", "expected"),
    [
        (False, ["early", None, None, None, None, "second"]),
        (True, ["early", "second", None, None, None, "late"]),
    ],
)
def test_the_last_neighbour_before_an_instant(equal: bool, expected: list[str | None]) -> None:
    found = preceding(LEFT, RIGHT, before="at", at="came_at", by=["person"], equal=equal)
    assert found["name"].to_list() == expected


def test_nothing_asked_or_nothing_there_leaves_the_columns() -> None:
    for left, right in ((LEFT.clear(), RIGHT), (LEFT, RIGHT.clear())):
        found = following(left, right, after="at", at="came_at", by="person")
        assert found.columns == ["person", "at", "came_at", "name"]
        assert found["name"].to_list() == [None] * left.height


minutes = st.integers(0, 6)
people = st.sampled_from("abc")


@given(st.lists(st.tuples(people, minutes)), st.lists(st.tuples(people, minutes)), st.booleans())
def test_neighbours_are_those_that_looking_at_every_pair_finds(
    left: list[tuple[str, int]], right: list[tuple[str, int]], equal: bool
) -> None:
    named = [(person, at, str(number)) for number, (person, at) in enumerate(right)]
    ordered = sorted(named, key=lambda row: row[1])

    def later(person: str, at: int) -> str | None:
        close = (
            name for who, when, name in ordered if who == person and (when > at or (equal and when == at))
        )
        return next(close, None)

    def earlier(person: str, at: int) -> str | None:
        close = [
            name for who, when, name in ordered if who == person and (when < at or (equal and when == at))
        ]
        return close[-1] if close else None

    frame, others = asked(*left), events(*named)
    after = following(frame, others, after="at", at="came_at", by="person", equal=equal)
    before = preceding(frame, others, before="at", at="came_at", by="person", equal=equal)
    assert after["name"].to_list() == [later(*row) for row in left]
    assert before["name"].to_list() == [earlier(*row) for row in left]
