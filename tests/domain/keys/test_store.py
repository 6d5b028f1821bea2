"""A key store: keys are minted once, read in bulk, and lie there wrapped."""

import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from psycopg.sql import SQL, Identifier

from domain.keys import (
    KeysBusy,
    KeysError,
    KeyStore,
    Master,
    create_master,
    has_keys,
    open_all,
    open_keys,
    pairs_in,
    seal_all,
)
from tests.domain.keys.looking import file_bytes, statement, wraps

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
ONE, TWO = "contact:crm:1", "contact:crm:2"
PAIRS = {(ONE, 1), (ONE, 2), (TWO, 1)}


def test_keys_are_minted_once_and_absent_ones_left_out(store: KeyStore) -> None:
    assert store.fetch(PAIRS) == {}
    keys = store.provide(PAIRS)
    assert keys.keys() == PAIRS
    assert {len(key or b"") for key in keys.values()} == {32}
    assert len(set(keys.values())) == 3
    assert store.provide([*PAIRS, *PAIRS]) == store.fetch(PAIRS) == keys
    assert store.fetch([(TWO, 1), ("contact:crm:3", 1)]) == {(TWO, 1): keys[TWO, 1]}
    assert store.fetch([]) == store.provide([]) == {}


def test_keys_are_kept_and_others_do_not_change_them(store: KeyStore, keys_url: str, master: Master) -> None:
    keys = store.provide(PAIRS)
    with closing(open_keys(keys_url, master=master)) as again:
        more = again.provide({*PAIRS, (TWO, 3), ("contact:crm:3", 2)})
        assert {pair: more[pair] for pair in PAIRS} == keys
        assert store.fetch(more) == more
        assert len(set(more.values())) == 5


def test_many_keys_come_and_go_at_once(store: KeyStore) -> None:
    pairs = {(f"contact:crm:{number}", code) for number in range(3000) for code in (1, 2)}
    keys = store.provide(pairs)
    assert len(set(keys.values())) == 6000
    assert store.fetch(pairs) == keys


def test_a_batch_is_opened_with_the_keys_it_needs(store: KeyStore) -> None:
    streams = ["contact:crm:1", "contact:crm:2", "contact:crm:3"]
    parts = [(1, b'"email":"jan@x.pl"'), (2, b'"text":"hej"')]
    events = [(stream, f"crm|{stream}|{n}", "contact.received", parts) for stream in streams for n in (1, 2)]
    keys = store.provide({(stream, code) for stream in streams[:2] for code in (1, 2)})
    keys |= {(streams[2], 1): b"l" * 32, (streams[2], 2): b"l" * 32}
    columns = seal_all(events, keys=keys, nonces=bytes(range(12 * 12)))
    rows = [(*event[:3], column) for event, column in zip(events, columns, strict=True)]
    rows.append(("order:shop:1", "shop|1|1", "order.placed", b""))
    store.destroy([streams[1]], now=NOW)
    whole = b'"email":"jan@x.pl","text":"hej"'
    unfit: list[str] = []
    assert store.open(rows, unfit=unfit) == [whole, whole, b"", b"", b"", b"", b""]
    assert store.open(rows, unfit=unfit) == open_all(rows, keys=store.fetch(pairs_in(rows)))
    assert (store.open([], unfit=unfit), unfit) == ([], [])
    assert store.lacking(streams) == {streams[1], streams[2]}
    assert store.destroyed() == {streams[1]}


def test_what_does_not_open_with_its_key_is_left_out_of_a_batch_and_told(store: KeyStore) -> None:
    store.provide(PAIRS)
    parts = [(1, b'"email":"jan@x.pl"'), (2, b'"text":"hej"')]
    columns = seal_all(
        [(ONE, f"crm|{number}|1", "contact.received", parts) for number in range(6)],
        keys=store.fetch({(ONE, 1), (ONE, 2)}),
        nonces=bytes(range(12 * 12)),
    )
    altered, contact = bytearray(columns[2]), 5 + 12 + len(parts[0][1]) + 16
    altered[-1] ^= 1
    held = [
        columns[0],
        columns[0],
        bytes(altered),
        columns[3][:-1],
        columns[4] + b"\x01",
        columns[5][contact:],
    ]
    rows = [(ONE, f"crm|{number}|1", "contact.received", column) for number, column in enumerate(held)]
    unfit: list[str] = []
    whole = b'"email":"jan@x.pl","text":"hej"'
    email, text = (part for _, part in parts)
    assert store.open(rows, unfit=unfit) == [whole, b"", email, email, whole, text]
    assert unfit == ["crm|1|1", "crm|2|1", "crm|3|1", "crm|4|1"]


def test_streams_of_any_letters_have_keys(store: KeyStore) -> None:
    pairs = {
        (f"contact:crm:{name}", 1) for name in ("ą", "'", '"', "%s", "?", ":x", "{}", "\\", "a b", "日本")
    }
    keys = store.provide(pairs)
    assert store.fetch(pairs) == keys
    assert len(set(keys.values())) == 10


def test_a_class_of_a_later_version_is_told(store: KeyStore) -> None:
    store.provide({(ONE, 1)})
    with pytest.raises(KeysError, match=r"^The retention class 4 is none of 1, 2, 3: update Omniline\.$"):
        store.fetch({(ONE, 4)})


def test_the_secrets_are_minted_with_the_store_and_stay(
    store: KeyStore, keys_url: str, master: Master
) -> None:
    secrets = [store.secret("log"), store.secret("pepper")]
    assert [len(secret) for secret in secrets] == [32, 32]
    assert secrets[0] != secrets[1]
    for create in (True, False):
        with closing(open_keys(keys_url, master=master, create=create)) as again:
            assert [again.secret("log"), again.secret("pepper")] == secrets


def test_a_log_remembers_its_own_key_store(store: KeyStore, tmp_path: Path, master: Master) -> None:
    with closing(open_keys(tmp_path / "other.db", master=master, create=True)) as other:
        marks = {store.mark("epoch one"), store.mark("epoch two"), other.mark("epoch one")}
    assert len(marks) == 3
    assert store.mark("epoch one") == store.mark("epoch one")


def test_only_wrapped_keys_lie_in_the_tables(store: KeyStore, keys_url: str, master: Master) -> None:
    keys = store.provide(PAIRS)
    rows = statement(keys_url, "SELECT stream, master, wrapped FROM stream_keys ORDER BY stream")
    assert [row[:2] for row in rows] == [(ONE, master.id), (TWO, master.id)]
    plain = [key or b"" for key in keys.values()]
    assert {len(bytes(wrapped)) for *_, wrapped in rows} == {124}
    assert [one for one in plain if any(one in bytes(wrapped) for *_, wrapped in rows)] == []
    named = statement(keys_url, "SELECT name, master, wrapped FROM key_store_secrets ORDER BY name")
    assert [row[:2] for row in named] == [("log", master.id), ("pepper", master.id)]
    assert store.secret("log") not in bytes(named[0][2])
    assert statement(keys_url, "SELECT * FROM key_store_meta") == [("version", "1")]
    assert statement(keys_url, "SELECT * FROM destroyed_streams") == []


def test_threads_that_share_a_store_mint_the_same_keys(store: KeyStore) -> None:
    pairs = [(f"contact:crm:{number}", 1) for number in range(200)]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(store.provide, [pairs[start:] + pairs[:start] for start in range(0, 80, 10)]))
    assert all(keys == found[0] for keys in found)
    assert store.fetch(pairs) == found[0]


def test_keys_are_durable_on_a_server_that_is_told_not_to_wait_for_its_disk(
    postgres_url: str, master: Master
) -> None:
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(
            SQL("ALTER DATABASE {} SET synchronous_commit = off").format(Identifier(connection.info.dbname))
        )
    opened = open_keys(postgres_url, master=master, create=True)
    with closing(opened) as store, store._database.writing() as writing:
        assert writing.exec_driver_sql("SHOW synchronous_commit").scalar_one() == "on"


class TestOnSQLite:
    """The store is one file for its owner alone."""

    def test_its_files_are_private_and_hold_no_plain_key(self, tmp_path: Path, master: Master) -> None:
        url = f"sqlite:///{tmp_path}/new/keys.db"
        with closing(open_keys(url, master=master, create=True)) as store:
            keys = store.provide(PAIRS)
            files = {file.name: file.stat().st_mode & 0o777 for file in (tmp_path / "new").iterdir()}
            held = file_bytes(url)
        assert files == {"keys.db": 0o600, "keys.db-wal": 0o600, "keys.db-shm": 0o600}
        assert all(wrapped in held for wrapped in wraps(url).values())
        assert [key for key in [*keys.values(), store.secret("log")] if key is None or key in held] == []

    def test_a_path_is_an_address_too(self, tmp_path: Path, master: Master) -> None:
        file = tmp_path / "a?b #%20" / "keys.db"
        assert not has_keys(file)
        with closing(open_keys(file, master=master, create=True)) as store:
            keys = store.provide(PAIRS)
        assert has_keys(file)
        with closing(open_keys(file, master=master)) as store:
            assert store.fetch(PAIRS) == keys

    def test_whatever_is_acknowledged_is_on_the_disk(self, tmp_path: Path, master: Master) -> None:
        opened = open_keys(tmp_path / "keys.db", master=master, create=True)
        with closing(opened) as store, store._database.alone() as connection:
            found = [
                connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
                for name in ("journal_mode", "synchronous", "secure_delete", "temp_store")
            ]
        assert found == ["wal", 2, 1, 2]

    def test_a_folder_that_is_none_is_told(self, tmp_path: Path, master: Master) -> None:
        (tmp_path / "file").touch()
        with pytest.raises(KeysError, match=r"^The key store .* cannot be made \(.*\): check the folder\.$"):
            open_keys(tmp_path / "file" / "keys.db", master=master, create=True)

    @pytest.mark.parametrize("content", [b"", b"no database at all, but rather some text" * 30])
    def test_a_file_that_is_no_key_store_is_told(
        self, tmp_path: Path, master: Master, content: bytes
    ) -> None:
        file = tmp_path / "keys.db"
        file.write_bytes(content)
        with pytest.raises(KeysError, match=r"keys\.db is no (intact )?key store.*: put back the one "):
            open_keys(file, master=master)
        assert file.read_bytes() == content

    def test_a_writer_that_does_not_end_is_told(self, tmp_path: Path, master: Master) -> None:
        with closing(open_keys(tmp_path / "keys.db", master=master, create=True, patience=0)) as store:
            engine = sa.create_engine(f"sqlite:///{tmp_path}/keys.db", isolation_level="AUTOCOMMIT")
            with engine.connect() as other:
                other.exec_driver_sql("BEGIN IMMEDIATE")
                with pytest.raises(
                    KeysBusy, match=r"keys\.db is busy: another process is writing; try again\.$"
                ):
                    store.provide(PAIRS)
                other.exec_driver_sql("ROLLBACK")
            engine.dispose()
            assert store.provide(PAIRS).keys() == PAIRS


class TestRefused:
    """What is not this log's key store, or not with this master key, is told in one sentence."""

    def test_a_missing_store(self, keys_url: str, master: Master) -> None:
        assert not has_keys(keys_url)
        with pytest.raises(
            KeysError, match=r"^(The key store .* is missing|.* is no key store of Omniline): put"
        ):
            open_keys(keys_url, master=master)
        assert not has_keys(keys_url)

    def test_another_master_key(self, store: KeyStore, keys_url: str, master: Master, tmp_path: Path) -> None:
        other = create_master(tmp_path / "other.key")
        for create in (True, False):
            with pytest.raises(KeysError) as told:
                open_keys(keys_url, master=other, create=create)
            assert str(told.value) == (
                f"The key store {store.shown} needs the master key {master.id}, which is not the one given "
                f"({other.id}): put it back."
            )

    def test_a_database_of_something_else(self, keys_url: str, master: Master) -> None:
        if keys_url.startswith("sqlite"):
            Path(sa.make_url(keys_url).database or "").touch()
        statement(keys_url, "CREATE TABLE secrets (name TEXT, value TEXT)")
        with pytest.raises(
            KeysError, match=r" is no key store of Omniline: put back the one that was made with"
        ):
            open_keys(keys_url, master=master)

    def test_a_later_version(self, store: KeyStore, keys_url: str, master: Master) -> None:
        statement(keys_url, "UPDATE key_store_meta SET value = '2'")
        with pytest.raises(KeysError) as told:
            open_keys(keys_url, master=master)
        assert str(told.value) == (
            f"The key store {store.shown} has tables of version 2, this Omniline knows 1: update Omniline."
        )

    def test_wrapped_keys_that_were_exchanged(self, store: KeyStore, keys_url: str) -> None:
        store.provide(PAIRS)
        first, second = wraps(keys_url)[ONE].hex(), wraps(keys_url)[TWO].hex()
        form = "x'{}'" if keys_url.startswith("sqlite") else "'\\x{}'"
        for stream, wrapped in ((ONE, second), (TWO, first)):
            put = f"UPDATE stream_keys SET wrapped = {form.format(wrapped)} WHERE stream = '{stream}'"  # noqa: S608
            statement(keys_url, put)
        for stream in (ONE, TWO):
            with pytest.raises(
                KeysError, match=r"^A key in the key store .* was altered: restore the store from"
            ):
                store.fetch({(stream, 1)})
        unfit: list[str] = []
        assert store.open([(ONE, "crm|1|1", "contact.received", b"\x01" + bytes(60))], unfit=unfit) == [b""]
        assert (unfit, store.lacking([ONE, TWO])) == (["crm|1|1"], set())

    @pytest.mark.parametrize(
        ("address", "told"),
        [
            (
                "keys.db",
                "The address of the key store is no URL: write sqlite:///path/keys.db or postgresql://….",
            ),
            (
                "mysql://u:geheim@h/d",
                "The address of the key store names 'mysql': only sqlite and postgresql are known.",
            ),
            ("sqlite://", "The address of the key store names no file: write sqlite:///path/keys.db."),
            (
                "sqlite:///:memory:",
                "The address of the key store names no file: write sqlite:///path/keys.db.",
            ),
        ],
    )
    def test_an_address_that_names_none(self, master: Master, address: str, told: str) -> None:
        with pytest.raises(KeysError, match=f"^{re.escape(told)}$"):
            open_keys(address, master=master, create=True)

    def test_a_server_that_is_not_there(self, master: Master, tmp_path: Path) -> None:
        with pytest.raises(KeysBusy) as told:
            open_keys(f"postgresql://anna:geheim@/keys?host={tmp_path}", master=master, patience=1)
        assert str(told.value).startswith("The key store postgresql://localhost/keys cannot be reached (")
        assert "geheim" not in str(told.value)
