"""Sizes: what a log holds, what that takes, and how fast it grows, against counting by hand."""

from datetime import timedelta
from pathlib import Path

import pytest

from domain.log import Log, LogDamaged, open_log
from domain.log.sizes import sizes
from tests.domain.log.making import NOW, append, burn, mail
from tests.domain.log.proving import signed

_BY_HAND = """SELECT pg_total_relation_size('stored_events'), sum(pg_relation_size(indexrelid))::bigint
    FROM pg_index WHERE indrelid = 'stored_events'::regclass"""
HOUR, DAY, MICROSECOND = timedelta(hours=1), timedelta(days=1), timedelta(microseconds=1)


def grown(log: Log, *ages: timedelta) -> None:
    """Three mails that were recorded so long before now, the oldest first."""
    for number, age in enumerate(sorted(ages, reverse=True)):
        append(log, *(mail(100 * number + one) for one in range(3)), now=NOW - age)


@pytest.mark.parametrize(
    ("ages", "hour", "day"),
    [
        ((), 0, 0),
        ((HOUR,), 0, 3),
        ((HOUR - MICROSECOND,), 3, 3),
        ((DAY,), 0, 0),
        ((DAY - MICROSECOND,), 0, 3),
        ((timedelta(0),), 3, 3),
        ((-DAY,), 3, 3),
        ((30 * DAY, 2 * DAY, DAY, 2 * HOUR, HOUR, HOUR / 2, timedelta(0)), 6, 12),
    ],
)
def test_what_came_in_the_last_hour_and_day_is_counted(
    log: Log, ages: tuple[timedelta, ...], hour: int, day: int
) -> None:
    grown(log, *ages)
    found = sizes(log, now=NOW)
    assert (found.events, found.last_hour, found.last_day) == (3 * len(ages), hour, day)
    assert found.first_at == (NOW - max(ages) if ages else None)
    assert found.last_at == (NOW - min(ages) if ages else None)


def test_an_empty_log_has_no_bytes_per_event(log: Log) -> None:
    assert sizes(log, now=NOW).bytes_per_event is None


def test_gaps_are_not_counted_nor_what_was_signed_counted_twice(log: Log, tmp_path: Path) -> None:
    home = signed(log, tmp_path, events=1_100)
    burn(log, 50)
    home.grow(1_100, 1_200)
    found = sizes(log, now=NOW)
    assert (found.events, found.last_hour, found.last_day) == (1_200, 1_200, 1_200)


def test_a_checkpoint_that_is_none_is_told(tmp_path: Path, keys: Path, postgres_url: str) -> None:
    home = signed(open_log(postgres_url, keys=keys, create=True), tmp_path, events=3)
    home.forge("UPDATE checkpoints SET note = 'forged'")
    with pytest.raises(LogDamaged, match=r"checkpoint of size 3 is none .*: run `omniline verify`"):
        sizes(home.log, now=NOW)
    home.log.close()


def test_bytes_are_those_that_the_database_has(log: Log, tmp_path: Path) -> None:
    append(log, *map(mail, range(5_000)))
    found = sizes(log, now=NOW)
    if log.dialect == "sqlite":
        log.close()
        assert found.bytes == (tmp_path / "log.db").stat().st_size
        assert (found.index_bytes, found.wal_bytes) == (None, 0) or (found.wal_bytes or 0) > 4_096
    else:
        with log.session() as session:
            assert session.run(_BY_HAND) == [(found.bytes, found.index_bytes)]
        assert (found.wal_bytes or 0) >= 16 << 20
    assert found.keys_bytes > 0
    assert found.bytes_per_event == found.bytes / 5_000
    assert 200 < found.bytes_per_event < 2_000
