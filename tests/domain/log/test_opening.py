"""Opening a log: made on demand, recognised, and refused in one sentence where something is wrong."""

import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from domain.log import LogBusy, LogDamaged, LogError, LogMismatch, LogMissing, LogReadOnly, open_log
from tests.domain.log.making import NOW, append, mail, stored
from tests.domain.log.proving import COLUMNS


def spoil(url: str, statement: str) -> None:
    """Change the log behind its back."""
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)) as connection:
            connection.execute(statement)
        return
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement)


def filled(url: str, keys: Path) -> None:
    """A log with three events, closed again."""
    log = open_log(url, keys=keys, create=True)
    append(log, mail(1), mail(2), mail(3))
    log.close()


def refusal(url: str, keys: Path, kind: type[LogError]) -> str:
    """The sentence with which opening is refused."""
    with pytest.raises(kind) as failure:
        open_log(url, keys=keys).close()
    told = str(failure.value)
    assert "\n" not in told
    assert told.endswith(".")
    return told


def test_a_log_opened_again_is_the_same_log(log_url: str, keys: Path) -> None:
    first = open_log(log_url, keys=keys, create=True)
    append(first, mail(1))
    epoch, surrogate = first.epoch, first.surrogate("email", "anna@example.com")
    first.close()
    for create in (False, True):
        again = open_log(log_url, keys=keys, create=create)
        assert (again.epoch, again.head(), again.url) == (epoch, 1, log_url)
        assert again.surrogate("email", "anna@example.com") == surrogate
        assert append(again, mail(1))[0].outcome == "duplicate"
        again.close()


def test_a_missing_log_is_not_made_unasked(log_url: str, keys: Path, tmp_path: Path) -> None:
    assert "There is no log at" in refusal(log_url, keys, LogMissing)
    assert list(tmp_path.iterdir()) == []


def test_a_home_is_made_with_its_folders(tmp_path: Path) -> None:
    home = tmp_path / "one" / "two"
    open_log(f"sqlite:///{home}/log.db", keys=home / "keys.db", create=True).close()
    assert {file.name for file in home.iterdir()} == {
        "log.db",
        "log.db-turns",
        "keys.db",
        "master.key",
        ".starting",
    }
    assert [(home / name).stat().st_mode & 0o077 for name in ("keys.db", "master.key")] == [0, 0]


def test_junk_is_no_log(tmp_path: Path, keys: Path) -> None:
    (tmp_path / "log.db").write_bytes(b"PK\x03\x04 this is no database" * 200)
    assert "is no intact SQLite file" in refusal(f"sqlite:///{tmp_path}/log.db", keys, LogMismatch)
    with pytest.raises(LogMismatch, match="is no intact SQLite file"):
        open_log(f"sqlite:///{tmp_path}/log.db", keys=keys, create=True)


def test_a_folder_is_no_log(tmp_path: Path, keys: Path) -> None:
    assert "cannot be used" in refusal(f"sqlite:///{tmp_path}", keys, LogError)


def test_another_database_is_no_log_and_stays_as_it_is(log_url: str, keys: Path) -> None:
    spoil(log_url, "CREATE TABLE customers (id integer)")
    assert "is a database, but no log of Omniline" in refusal(log_url, keys, LogMismatch)
    with pytest.raises(LogMismatch):
        open_log(log_url, keys=keys, create=True)
    assert not keys.exists()


def test_tables_of_another_version_are_refused(log_url: str, keys: Path) -> None:
    filled(log_url, keys)
    spoil(log_url, "UPDATE log_meta SET value = '9' WHERE name = 'schema_version'")
    told = refusal(log_url, keys, LogMismatch)
    assert told.endswith("has tables of version 9, this Omniline knows 2: update Omniline.")


@pytest.mark.parametrize("create", [False, True])
def test_a_log_from_before_personal_data_was_sealed_is_refused(
    log_url: str, keys: Path, create: bool
) -> None:
    filled(log_url, keys)
    spoil(log_url, "UPDATE log_meta SET value = '1' WHERE name = 'schema_version'")
    with pytest.raises(LogMismatch) as failure:
        open_log(log_url, keys=keys, create=create)
    assert str(failure.value).endswith(
        "was made before personal data was sealed: ingest its sources again into a new home."
    )


def test_the_keys_of_another_log_are_refused(log_url: str, keys: Path, tmp_path: Path) -> None:
    filled(log_url, keys)
    filled(f"sqlite:///{tmp_path}/other/log.db", tmp_path / "other" / "keys.db")
    assert "belongs to another log" in refusal(log_url, tmp_path / "other" / "keys.db", LogMismatch)


def test_missing_keys_are_refused_and_never_made_for_a_log_that_is_there(log_url: str, keys: Path) -> None:
    filled(log_url, keys)
    keys.unlink()
    assert "is missing: put back" in refusal(log_url, keys, LogMismatch)
    with pytest.raises(LogMismatch):
        open_log(log_url, keys=keys, create=True)
    assert not keys.exists()


def test_keys_that_are_junk_are_refused(log_url: str, keys: Path) -> None:
    filled(log_url, keys)
    keys.write_bytes(b"not a key store, but long enough to be read as one" * 50)
    assert "is no intact key store" in refusal(log_url, keys, LogMismatch)


def test_a_cut_tail_is_refused_at_the_door_and_at_the_next_append(tmp_path: Path, keys: Path) -> None:
    url = f"sqlite:///{tmp_path}/log.db"
    filled(url, keys)
    log = open_log(url, keys=keys)
    spoil(url, "DELETE FROM stored_events WHERE rowid = 3")
    with pytest.raises(LogDamaged, match="written up to position 3, but its newest event is 2"):
        append(log, mail(4))
    log.close()
    assert "rows were cut off; restore it from a backup." in refusal(url, keys, LogDamaged)


def test_a_log_opened_for_reading_reads_and_says_so_when_written(tmp_path: Path, keys: Path) -> None:
    filled(f"sqlite:///{tmp_path}/log.db", keys)
    for url in (f"sqlite:///file:{tmp_path}/log.db?mode=ro&uri=true", f"sqlite:///{tmp_path}/log.db?mode=ro"):
        log = open_log(url, keys=keys, create=True)
        assert (log.head(), log.arrow().num_rows, log.counts()) == (3, 3, {"crm1": 3})
        assert [one.outcome for one in log.check_batch([mail(1), mail(9)])] == ["duplicate", "stored"]
        with pytest.raises(LogReadOnly, match="is read-only"):
            append(log, mail(9))
        with pytest.raises(LogReadOnly, match="is read-only"):
            log.begin_run(source="s", adapter="a", now=NOW)
        log.close()


def test_a_role_without_insert_reads_and_says_so_when_written(postgres_url: str, keys: Path) -> None:
    filled(postgres_url, keys)
    role = "reader_of_" + postgres_url.partition("/omniline_")[2].partition("?")[0]
    spoil(postgres_url, f"CREATE ROLE {role} LOGIN")
    spoil(postgres_url, f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}")
    log = open_log(postgres_url.replace("postgres:@", f"{role}@"), keys=keys)
    assert (log.head(), log.arrow().num_rows) == (3, 3)
    with pytest.raises(LogReadOnly, match="is read-only"):
        append(log, mail(9))
    log.close()
    spoil(postgres_url, f"DROP OWNED BY {role}")
    spoil(postgres_url, f"DROP ROLE {role}")


def test_a_log_that_another_writer_holds_is_busy_after_the_patience_asked_for(
    log_url: str, keys: Path
) -> None:
    holder, log = open_log(log_url, keys=keys, create=True), open_log(log_url, keys=keys, patience=1)
    with holder.recorder.session(commit=True), pytest.raises(LogBusy, match="is busy"):
        append(log, mail(1))
    assert append(log, mail(1)) == [stored("crm1|1|1", 1)]
    log.close()
    holder.close()


def test_readers_do_not_wait_for_a_writer_that_waits(log_url: str, keys: Path) -> None:
    holder, log = open_log(log_url, keys=keys, create=True), open_log(log_url, keys=keys)
    with holder.recorder.session(commit=True):
        writer = threading.Thread(target=append, args=(log, mail(1)))
        writer.start()
        assert [log.head() for _ in range(20)] == [0] * 20
        assert writer.is_alive()
    writer.join()
    assert log.head() == 1
    log.close()
    holder.close()


def test_a_server_out_of_reach_is_told_at_once(keys: Path) -> None:
    told = refusal("postgresql://reader:secret@127.0.0.1:9/none", keys, LogError)
    assert "postgresql://127.0.0.1/none cannot be used" in told
    assert "secret" not in told


@pytest.mark.parametrize(
    "url",
    [
        "log.db",
        "sqlite://",
        "sqlite:///:memory:",
        "sqlite:///file:x?mode=memory",
        "mysql://x/y",
        "postgresql://[x",
    ],
)
def test_an_address_that_names_no_log_is_refused(url: str, keys: Path) -> None:
    refusal(url, keys, LogError)


def test_an_isolation_level_with_an_old_snapshot_is_refused(postgres_url: str, keys: Path) -> None:
    log = open_log(postgres_url, keys=keys, create=True)
    for _ in range(8):
        with log.recorder.datastore.get_connection() as connection:
            connection.execute("SET default_transaction_isolation = 'repeatable read'")
    with pytest.raises(LogMismatch, match="runs at 'repeatable read'"):
        append(log, mail(1))
    log.close()


def test_a_foreign_writer_is_told_apart_from_a_repetition(postgres_url: str, keys: Path) -> None:
    log = open_log(postgres_url, keys=keys, create=True)
    append(log, mail(1))
    foreign = COLUMNS.replace("originator_id", "'contact:crm1:9'").replace("event_id", "'foreign'")
    spoil(
        postgres_url,
        f"INSERT INTO stored_events (notification_id, {COLUMNS}) SELECT 2, {foreign} FROM stored_events",  # noqa: S608
    )
    with pytest.raises(LogDamaged, match="revoke"):
        append(log, mail(2))
    log.close()
