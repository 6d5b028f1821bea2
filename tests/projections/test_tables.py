"""View tables: what is written comes back as it was, and only the difference is written."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from projections.tables import TableError, Written, conform, read, read_where, replace_persons, schema, table
from projections.views import Views, ViewsError, make_anew

AT = datetime(2026, 3, 29, 1, 30, 0, 123456, tzinfo=UTC)
EARLY = datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)
CLOCKS = table(
    "clocks",
    "clock",
    clock=str,
    person=str,
    started_at=datetime,
    due_at="instant",
    day=date,
    met=bool,
    tries=int,
    share=float,
    text="str",
    indexed=("text",),
)
ROWS = [
    ("anna", "1", AT, None, date(2026, 3, 29), True, 2**60, 0.1 + 0.2, 'quoted "text", with\nlines and \\N'),
    ("anna", "2", None, EARLY, None, None, None, None, None),
    ("jan", "1", EARLY, AT, date(1969, 12, 31), False, -1, float("inf"), ""),
]


def frame(*rows: tuple[Any, ...]) -> pl.DataFrame:
    """Rows as a build returns them."""
    return conform(CLOCKS, pl.DataFrame(list(rows), schema=schema(CLOCKS), orient="row"))


@pytest.fixture(params=["sqlite", "postgresql"])
def connection(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Connection]:
    """A transaction on an empty views database, once per store."""
    url = (
        f"sqlite:///{tmp_path}/views.db"
        if request.param == "sqlite"
        else request.getfixturevalue("postgres_url")
    )
    views = Views(url, patience=5)
    with views.writing() as made:
        make_anew(made, [CLOCKS])
        yield made
    views.close()


def test_every_kind_of_column_comes_back_as_it_was_written(connection: Connection) -> None:
    assert replace_persons(connection, CLOCKS, frame(*ROWS), None) == Written(added=3)
    found = read(connection, CLOCKS)
    assert found.schema == schema(CLOCKS)
    assert found.rows() == ROWS
    assert read(connection, CLOCKS, ["jan", "nobody"]).rows() == ROWS[2:]
    assert read(connection, CLOCKS, []).rows() == []
    assert read_where(connection, CLOCKS, "text", [""]).rows() == ROWS[2:]


def test_instants_and_days_are_stored_as_integers(connection: Connection) -> None:
    replace_persons(connection, CLOCKS, frame(*ROWS), None)
    stored = connection.execute(sa.text("SELECT due_at, day FROM clocks WHERE person = 'jan'")).one()
    assert tuple(stored) == (1_774_747_800_123_456, -1)


def test_of_some_persons_only_the_difference_is_written(connection: Connection) -> None:
    replace_persons(connection, CLOCKS, frame(*ROWS), None)
    changed = (*ROWS[0][:6], 7, *ROWS[0][7:])
    new = ("anna", "3", *ROWS[1][2:])
    assert replace_persons(connection, CLOCKS, frame(changed, ROWS[1], new), ["anna"]) == Written(
        added=2, removed=1
    )
    assert read(connection, CLOCKS).rows() == [changed, ROWS[1], new, ROWS[2]]
    assert replace_persons(connection, CLOCKS, frame(changed, ROWS[1], new), ["anna"]) == Written()
    assert replace_persons(connection, CLOCKS, frame(), ["anna"]) == Written(removed=3)
    assert read(connection, CLOCKS).rows() == ROWS[2:]
    assert replace_persons(connection, CLOCKS, frame(ROWS[0]), None) == Written(added=1, removed=1)
    assert read(connection, CLOCKS).rows() == ROWS[:1]


def test_a_person_may_be_looked_up_among_very_many(connection: Connection) -> None:
    replace_persons(connection, CLOCKS, frame(*ROWS), None)
    many = [f"person {number}" for number in range(100_000)]
    assert read(connection, CLOCKS, [*many, "jan"]).rows() == ROWS[2:]


@pytest.mark.parametrize(
    ("build", "sentence"),
    [
        (pl.DataFrame({"person": ["a"]}), "The build of clocks returned no column clock, started_at, "),
        (
            frame(*ROWS).with_columns(met=pl.lit("yes")),
            "The build of clocks returned another kind of column: ",
        ),
        (
            pl.concat([frame(*ROWS), frame(ROWS[0])]),
            "returned 2 rows with the key of another row and 0 without a key",
        ),
        (frame(*ROWS).with_columns(clock=None), "and 3 without a key: make person, clock unique."),
    ],
)
def test_rows_that_do_not_fit_are_refused_with_a_sentence(build: pl.DataFrame, sentence: str) -> None:
    with pytest.raises(TableError, match="clocks") as caught:
        conform(CLOCKS, build)
    assert sentence in str(caught.value)


def test_a_file_that_is_no_database_is_told_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "views.db").write_bytes(b"no database at all, but long enough to be looked at" * 100)
    views = Views(f"sqlite:///{tmp_path}/views.db", patience=1)
    with (
        pytest.raises(
            ViewsError, match=r"views\.db cannot be used \(file is not a database\): .* delete them"
        ),
        views.reading() as connection,
    ):
        connection.exec_driver_sql("SELECT * FROM sqlite_master")
    views.close()


def test_a_server_that_ends_idle_transactions_does_not_end_those_that_compute(postgres_url: str) -> None:
    views = Views(f"{postgres_url}&options=-cidle_in_transaction_session_timeout%3D1000", patience=1)
    for look in (views.reading, views.writing):
        with look() as connection:
            assert connection.exec_driver_sql("SHOW idle_in_transaction_session_timeout").scalar() == "0"
    views.close()
