"""Destroyed keys: gone from the tables and from the files, and never minted again."""

import random
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from domain.keys import KeysBusy, KeyStore, Master, open_keys
from tests.domain.keys.looking import file_bytes, statement, wraps

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
MICROS = 1795339800000000
ONE, TWO, THREE = "contact:crm:1", "contact:crm:2", "contact:crm:3"
TOMBSTONES = "SELECT stream, destroyed_at FROM destroyed_streams ORDER BY stream"


@pytest.fixture
def file_store(tmp_path: Path, master: Master) -> Iterator[KeyStore]:
    """A SQLite store that does not wait for others."""
    with closing(open_keys(tmp_path / "keys.db", master=master, create=True, patience=0)) as opened:
        yield opened


@contextmanager
def reader(url: str) -> Iterator[None]:
    """Somebody who holds an old look at a SQLite store."""
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql("BEGIN")
        connection.exec_driver_sql("SELECT count(*) FROM stream_keys").scalar_one()
        yield
        connection.exec_driver_sql("ROLLBACK")
    engine.dispose()


def windows(held: bytes, wanted: set[bytes]) -> Iterator[bytes]:
    """Each place where one of the wanted eight bytes stand."""
    for at in range(len(held) - 7):
        if (piece := held[at : at + 8]) in wanted:
            yield piece


def test_destroyed_keys_are_none_for_every_class_and_never_minted_again(
    store: KeyStore, keys_url: str, master: Master
) -> None:
    keys = store.provide({(ONE, 1), (ONE, 2), (TWO, 1)})
    with closing(open_keys(keys_url, master=master)) as other:
        assert store.destroy([ONE, THREE, ONE], now=NOW) == 2
        gone = {(stream, code): None for stream in (ONE, THREE) for code in (1, 2, 3)}
        wanted = {*gone, (TWO, 1)}
        for one in (store, other, store):
            assert one.fetch(wanted) == {**gone, (TWO, 1): keys[TWO, 1]}
            assert one.provide(wanted) == {**gone, (TWO, 1): keys[TWO, 1]}
    nothing = bytes(124)
    assert wraps(keys_url) == {ONE: nothing, THREE: nothing, TWO: wraps(keys_url)[TWO]}
    assert wraps(keys_url)[TWO] != nothing
    assert statement(keys_url, TOMBSTONES) == [(ONE, MICROS), (THREE, MICROS)]


def test_destroying_again_changes_nothing(store: KeyStore, keys_url: str) -> None:
    store.provide({(ONE, 1)})
    assert store.destroy([ONE], now=NOW) == 1
    assert store.destroy([ONE, TWO], now=NOW + timedelta(days=1)) == 1
    assert store.destroy([], now=NOW) == 0
    assert statement(keys_url, TOMBSTONES) == [(ONE, MICROS), (TWO, MICROS + 86_400_000_000)]


def test_the_instant_needs_a_zone(store: KeyStore) -> None:
    store.provide({(ONE, 1)})
    with pytest.raises(TypeError):
        store.destroy([ONE], now=NOW.replace(tzinfo=None))
    assert store.fetch({(ONE, 1)})[ONE, 1] is not None


def test_destroyed_keys_are_not_in_the_files(file_store: KeyStore, tmp_path: Path) -> None:
    """Streams arrive in any order, so that pages split; what stays shows that the search can find something."""
    url, chance = f"sqlite:///{tmp_path}/keys.db", random.Random(7)
    streams = [f"contact:crm:{number}" for number in range(6000)]
    chance.shuffle(streams)
    for start in range(0, len(streams), 250):
        file_store.provide({(stream, 1) for stream in streams[start : start + 250]})
    wrapped = wraps(url)
    gone = chance.sample(streams, 2000)
    for start in range(0, len(gone), 200):
        assert file_store.destroy(gone[start : start + 200], now=NOW) == 200
        file_store.provide({(f"contact:web:{start}", 1)})
    pieces = {stream: [wrapped[stream][at : at + 8] for at in (0, 50, 116)] for stream in streams}
    dead = set(gone)
    found = Counter(windows(file_bytes(url), {piece for some in pieces.values() for piece in some}))
    times = {stream: [found[piece] for piece in pieces[stream]] for stream in streams}
    assert times == {stream: [0, 0, 0] if stream in dead else [1, 1, 1] for stream in streams}


def test_a_reader_who_keeps_old_pages_is_told_and_the_next_try_removes_them(
    file_store: KeyStore, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path}/keys.db"
    file_store.provide({(ONE, 1)})
    wrapped = wraps(url)[ONE]
    with reader(url):
        with pytest.raises(KeysBusy) as told:
            file_store.destroy([ONE], now=NOW)
        assert str(told.value) == (
            f"The key store {tmp_path}/keys.db is being read by another process, so bytes of destroyed keys may "
            "still lie in its files: try again."
        )
        assert file_store.provide({(ONE, 1)}) == {(ONE, 1): None}
        assert wrapped in file_bytes(url)
    assert file_store.destroy([ONE], now=NOW) == 0
    assert wrapped not in file_bytes(url)


def test_destroying_waits_for_another_who_destroys(postgres_url: str, master: Master) -> None:
    with closing(open_keys(postgres_url, master=master, create=True, patience=1)) as store:
        keys = store.provide({(ONE, 1)})
        with psycopg.connect(postgres_url) as other:
            other.execute("SELECT pg_advisory_xact_lock(1869441907)")
            with pytest.raises(KeysBusy, match=r" is busy: another process is writing; try again\.$"):
                store.destroy([ONE], now=NOW)
            assert store.fetch({(ONE, 1)}) == keys
        assert store.destroy([ONE], now=NOW) == 1
        dead = "SELECT n_dead_tup FROM pg_stat_user_tables WHERE relname = 'stream_keys'"
        assert statement(postgres_url, dead) == [(0,)]
