"""A new master key: old keys stay readable, new ones go under it, and all can be wrapped anew."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import pytest

from domain.keys import KeysError, KeyStore, Master, create_master, open_keys, read_master
from tests.domain.keys.looking import file_bytes, statement, wraps

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
ONE, TWO, THREE = "contact:crm:1", "contact:crm:2", "contact:crm:3"
MASTERS = "SELECT stream, master FROM stream_keys ORDER BY stream"


@pytest.fixture
def newer(tmp_path: Path) -> Path:
    """A file with a newer master key."""
    create_master(tmp_path / "newer.key")
    return tmp_path / "newer.key"


@contextmanager
def opened(url: str, *files: Path) -> Iterator[KeyStore]:
    """The store under the master keys of some files, newest first."""
    lines = "".join(file.read_text() for file in files)
    both = files[0].with_name("both.key")
    both.write_text(lines)
    both.chmod(0o600)
    with closing(open_keys(url, master=read_master(both))) as store:
        yield store


def test_old_keys_stay_readable_and_new_ones_go_under_the_newest(
    store: KeyStore, keys_url: str, master: Master, master_file: Path, newer: Path
) -> None:
    keys = store.provide({(ONE, 1), (ONE, 2)})
    with opened(keys_url, newer, master_file) as rotated:
        assert rotated.fetch(keys) == keys
        more = rotated.provide({(ONE, 1), (TWO, 1)})
        assert more[ONE, 1] == keys[ONE, 1]
    assert statement(keys_url, MASTERS) == [(ONE, master.id), (TWO, read_master(newer).id)]
    with pytest.raises(
        KeysError, match=f"needs the master key {read_master(newer).id}, which is not the one given"
    ):
        store.fetch({(TWO, 1)})


def test_all_is_wrapped_anew_and_the_old_master_key_can_go(
    store: KeyStore, keys_url: str, master_file: Path, newer: Path
) -> None:
    keys = store.provide({(ONE, 1), (TWO, 3), (THREE, 2)})
    store.destroy([THREE], now=NOW)
    secrets = [store.secret("log"), store.secret("pepper")]
    before = wraps(keys_url)
    with opened(keys_url, newer, master_file) as rotated:
        assert rotated.rewrap() == 4
        assert rotated.rewrap() == 0
    with opened(keys_url, newer) as alone:
        assert alone.fetch(keys) == {**keys, (THREE, 2): None}
        assert [alone.secret("log"), alone.secret("pepper")] == secrets
    newest = read_master(newer).id
    assert statement(keys_url, MASTERS) == [(ONE, newest), (TWO, newest), (THREE, "--------")]
    after = wraps(keys_url)
    assert before[ONE] != after[ONE]
    if keys_url.startswith("sqlite"):
        held = file_bytes(keys_url)
        assert [before[stream] in held for stream in (ONE, TWO)] == [False, False]
        assert [after[stream] in held for stream in (ONE, TWO)] == [True, True]


def test_many_keys_are_wrapped_anew_in_several_steps(
    store: KeyStore, keys_url: str, master_file: Path, newer: Path
) -> None:
    keys = store.provide({(f"contact:crm:{number}", 1) for number in range(20_010)})
    with opened(keys_url, newer, master_file) as rotated:
        assert rotated.rewrap() == 20_012
    with opened(keys_url, newer) as alone:
        assert alone.fetch(keys) == keys


def test_minting_goes_on_while_all_is_wrapped_anew(
    store: KeyStore, keys_url: str, master_file: Path, newer: Path
) -> None:
    keys = store.provide({(f"contact:crm:{number}", 1) for number in range(500)})
    stop = threading.Event()

    def mint() -> None:
        for number in count():
            keys.update(store.provide([(f"contact:web:{number}", 1)]))
            if stop.is_set():
                return

    with opened(keys_url, newer, master_file) as rotated, ThreadPoolExecutor(1) as pool:
        minting = pool.submit(mint)
        try:
            assert rotated.rewrap() >= 502
            for _ in range(8):
                rotated.rewrap()
        finally:
            stop.set()
        minting.result(60)
        rotated.rewrap()
        assert rotated.rewrap() == 0
    with opened(keys_url, newer) as alone:
        assert alone.fetch(keys) == keys


def test_without_the_old_master_key_nothing_is_wrapped_anew(
    store: KeyStore, keys_url: str, newer: Path, master: Master
) -> None:
    store.provide({(ONE, 1)})
    with pytest.raises(KeysError, match=f"needs the master key {master.id}, which is not the one given"):
        open_keys(keys_url, master=read_master(newer))
    assert statement(keys_url, MASTERS) == [(ONE, master.id)]
