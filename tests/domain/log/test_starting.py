"""Starting together, and the settings that every connection has, whatever the server's defaults say."""

import json
from pathlib import Path

import psycopg
import pytest
from psycopg import IsolationLevel

from domain.keys import create_master
from domain.log import EVERY, Log, LogMismatch, open_log
from domain.log.postgres import PostgresSession, lock_statement
from domain.log.verification import verify
from tests.domain.log.making import append, mail
from tests.domain.log.processes import begun, ended

TOGETHER = 10


def started(url: str, keys: str, master: Path | None = None) -> list[tuple[str, str, str]]:
    """What ten processes told that opened a log at once, each with a mail of its own."""
    told = ended(begun("starting", url, keys, master or "", TOGETHER))
    return [tuple(json.loads(line)) for line in told.splitlines()]


def usable(log: Log, told: list[tuple[str, str, str]]) -> None:
    """One log of one epoch with one key store, in which every process's mail is and can be read."""
    assert told == [(log.epoch, log.keys.mark(log.epoch), "stored")] * TOGETHER
    table = log.arrow(opened=EVERY)
    assert sorted(table["event_id"].to_pylist()) == sorted(f"crm1|{number}|1" for number in range(TOGETHER))
    texts = {json.loads(state)["text"] for state in table["state"].to_pylist()}
    assert texts == {f"mail {number}" for number in range(TOGETHER)}
    assert [finding.kind for finding in verify(log, keys=[]).findings] == ["unproven"]
    assert append(log, mail(1))[0].outcome == "duplicate"


def test_ten_processes_that_start_together_make_one_log_and_one_key_store(log_url: str, keys: Path) -> None:
    told = started(log_url, str(keys))
    log = open_log(log_url, keys=keys)
    usable(log, told)
    log.close()


def test_ten_machines_that_start_together_on_one_server_share_log_and_keys(
    postgres_url: str, other_postgres: str, tmp_path: Path
) -> None:
    master = create_master(tmp_path / "handed-out.key")
    told = started(postgres_url, other_postgres, tmp_path / "handed-out.key")
    log = open_log(postgres_url, keys=other_postgres, master=master)
    usable(log, told)
    log.close()


@pytest.mark.parametrize("commit", [False, True])
def test_a_log_in_a_file_is_always_in_wal_mode_and_waits_for_the_disk(
    tmp_path: Path, keys: Path, commit: bool
) -> None:
    log = open_log(f"sqlite:///{tmp_path}/log.db", keys=keys, create=True)
    for _ in range(2):
        with log.session(commit=commit) as one:
            assert one.run("PRAGMA journal_mode") == [("wal",)]
            assert one.run("PRAGMA synchronous") == [(2,)], "FULL: what was acknowledged is on the disk"
        log.arrow()
    log.close()


@pytest.mark.parametrize("commit", [False, True])
def test_a_log_on_a_server_is_read_committed_whatever_the_server_prefers(
    postgres_url: str, keys: Path, commit: bool
) -> None:
    name = psycopg.conninfo.conninfo_to_dict(postgres_url)["dbname"]
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(
            f"ALTER DATABASE {name} SET default_transaction_isolation = 'serializable'".encode()
        )
        connection.execute(f"ALTER DATABASE {name} SET synchronous_commit = 'off'".encode())
    log = open_log(postgres_url, keys=keys, create=True)
    with log.session(commit=commit) as session:
        assert session.run("SHOW transaction_isolation") == [("read committed",)]
        assert session.run("SHOW synchronous_commit") == [("on",)]
    log.close()


@pytest.mark.parametrize("level", [IsolationLevel.REPEATABLE_READ, IsolationLevel.SERIALIZABLE])
def test_a_snapshot_older_than_the_lock_is_refused(postgres_url: str, level: IsolationLevel) -> None:
    with psycopg.connect(postgres_url) as connection:
        connection.isolation_level = level
        with (
            connection.cursor() as cursor,
            pytest.raises(LogMismatch, match="set its isolation to 'read committed'"),
        ):
            PostgresSession(cursor, "here").lock(lock_statement("here"))
