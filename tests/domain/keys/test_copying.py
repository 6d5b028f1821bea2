"""Copies of a key store: the same keys and tombstones in a file, from either database, and back into either."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from itertools import count, product
from pathlib import Path

import pytest

from domain.keys import KeysError, KeyStore, create_master, open_keys
from domain.keys.copying import copy_keys, restore_keys, size_of
from domain.keys.master import Master

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
STREAMS = [f"contact:crm1:{number}" for number in range(300)]
DEAD, NEVER = STREAMS[7], "contact:crm1:never"
PAIRS = list(product(STREAMS, (1, 2)))
ALL = {*PAIRS, (NEVER, 1)}


@pytest.fixture
def master(tmp_path: Path) -> Master:
    return create_master(tmp_path / "master.key")


@pytest.fixture
def keys_url(log_url: str) -> str:
    """The address of a key store yet to be made, once per database."""
    return log_url.replace("log.db", "keys.db")


@pytest.fixture
def store(keys_url: str, master: Master) -> Iterator[KeyStore]:
    """A key store with keys, one of them destroyed, and one that was destroyed before it was known."""
    made = open_keys(keys_url, master=master, create=True)
    made.provide(PAIRS)
    made.destroy([DEAD, NEVER], now=NOW)
    yield made
    made.close()


def test_a_copy_is_a_store_with_the_same_keys_secrets_and_tombstones(
    store: KeyStore, master: Master, tmp_path: Path
) -> None:
    copy_keys(store, tmp_path / "copy.db")
    assert (tmp_path / "copy.db").stat().st_mode & 0o077 == 0
    copy = open_keys(f"sqlite:///{tmp_path}/copy.db", master=master)
    assert copy.fetch(ALL) == store.fetch(ALL)
    assert store.fetch(ALL)[NEVER, 1] is None
    assert copy.provide([(DEAD, 1), (DEAD, 3)]) == {(DEAD, 1): None, (DEAD, 3): None}
    assert copy.mark("epoch") == store.mark("epoch")
    assert [copy.secret(name) for name in ("log", "pepper")] == [
        store.secret(name) for name in ("log", "pepper")
    ]
    copy.close()


def test_a_copy_holds_no_byte_of_a_destroyed_key(keys_url: str, master: Master, tmp_path: Path) -> None:
    store = open_keys(keys_url, master=master, create=True)
    store.provide(PAIRS)
    copy_keys(store, tmp_path / "before.db")
    with closing(sqlite3.connect(tmp_path / "before.db")) as connection:
        wrapped = [
            row[0] for row in connection.execute("SELECT wrapped FROM stream_keys WHERE stream = ?", [DEAD])
        ]
    store.destroy([DEAD], now=NOW)
    copy_keys(store, tmp_path / "after.db")
    assert [one in (tmp_path / "before.db").read_bytes() for one in wrapped] == [True]
    assert [one in (tmp_path / "after.db").read_bytes() for one in wrapped] == [False]
    store.close()


def test_a_copy_put_back_goes_on_as_the_store_would(
    store: KeyStore, master: Master, tmp_path: Path, other_url: str
) -> None:
    copy_keys(store, tmp_path / "copy.db")
    restore_keys(tmp_path / "copy.db", other_url)
    restored = open_keys(other_url, master=master)
    assert restored.fetch(ALL) == store.fetch(ALL)
    (found,) = restored.provide([("contact:crm1:new", 1)]).values()
    assert found is not None
    assert restored.destroy([STREAMS[0]], now=NOW) == 1
    assert restored.fetch(PAIRS[:2]) == dict.fromkeys(PAIRS[:2])
    with pytest.raises(KeysError, match=r"There is a key store at .* already"):
        restore_keys(tmp_path / "copy.db", other_url)
    restored.close()


def test_a_copy_never_replaces_a_file(store: KeyStore, tmp_path: Path) -> None:
    (tmp_path / "copy.db").write_bytes(b"mine")
    with pytest.raises(KeysError, match=r"There is a key store at .* already"):
        copy_keys(store, tmp_path / "copy.db")
    assert (tmp_path / "copy.db").read_bytes() == b"mine"


def test_a_copy_taken_while_keys_are_minted_is_whole(store: KeyStore, tmp_path: Path) -> None:
    stop = threading.Event()

    def mint() -> None:
        for number in count():
            store.provide([(f"contact:crm1:more{number}.{part}", 1) for part in range(3)])
            if stop.is_set():
                return

    minting = threading.Thread(target=mint)
    minting.start()
    for number in range(5):
        copy_keys(store, tmp_path / f"copy{number}.db")
    stop.set()
    minting.join()
    for number in range(5):
        with closing(sqlite3.connect(tmp_path / f"copy{number}.db")) as connection:
            assert connection.execute("SELECT (count(*) - 301) % 3 FROM stream_keys").fetchall() == [(0,)]
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_the_size_grows_with_the_keys(store: KeyStore) -> None:
    before = size_of(store)
    store.provide([(f"contact:crm1:more{number}", 1) for number in range(5_000)])
    assert 0 < before < size_of(store) - 5_000 * 60
