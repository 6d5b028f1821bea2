"""Backups: taken while others write, restored whole, relied on only after they were restored for trial."""

import re
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import pytest

from domain.keys import KeysError, Master, create_master, read_master
from domain.log import EVERY, Log, LogError, open_log
from domain.log.backup import backup, opened
from domain.log.chain import COLUMNS
from domain.log.manifest import LEFT_OUT, Contents, contents_of, read_manifest
from domain.log.manifest import saved as saved_file
from domain.log.restore import Checked, restore, restore_check
from domain.log.scan import POSITION
from domain.log.sqlite import SQLiteSession
from domain.log.verification import verify
from tests.domain.log.making import LATER, NOW, append, burn, duplicate, mail, stored
from tests.domain.log.processes import begun, ended
from tests.domain.log.proving import Signed, signed

SIGNED = 1_200
"""Mails under two checkpoints; mail 0 stands at position 1."""


@pytest.fixture
def place(request: pytest.FixtureRequest, log_url: str, tmp_path: Path) -> str:
    """Where a log of the same kind may be put."""
    if log_url.startswith("sqlite"):
        return f"sqlite:///{tmp_path}/elsewhere/log.db"
    return str(request.getfixturevalue("other_postgres"))


@pytest.fixture
def home(log: Log, tmp_path: Path) -> Signed:
    """A log of so many signed mails, a run and a refusal."""
    made = signed(log, tmp_path, events=SIGNED)
    log.begin_run(source="crm1", adapter="mails", now=NOW)
    append(log, mail(3, text="other words"))
    return made


def saved(home: Signed, name: str = "backup") -> Path:
    """The folder of a backup taken now."""
    backup(home.log, home.folder / name, copies=[home.copy], now=LATER)
    return home.folder / name


def tried(home: Signed, folder: Path, *, master: Master | None = None) -> Checked:
    """The backup restored for trial: beside the tests' files, or in the log's database."""
    scratch = home.folder / "scratch"
    scratch.mkdir(exist_ok=True)
    place = str(scratch) if home.log.dialect == "sqlite" else home.log.url
    master = master or read_master(home.folder / "master.key")
    checked = restore_check(folder, master=master, keys=[home.public], scratch=place)
    assert list(scratch.iterdir()) == []
    return checked


def kinds(checked: Checked) -> list[tuple[str, int, int]]:
    """What is wrong, and where."""
    return [(one.kind, one.first, one.last) for one in checked.findings]


def everything(log: Log) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of all tables of a log."""
    with log.session() as session:
        names = sorted(name for name in session.tables() if not name.startswith("sqlite_"))
        columns = {"stored_events": ", ".join((POSITION[log.dialect], *COLUMNS[1:], "chain"))}
        return {
            name: sorted(session.run(f"SELECT {columns.get(name, '*')} FROM {name}"))  # noqa: S608
            for name in names
        }


def restored(home: Signed, folder: Path, url: str) -> Log:
    """The backup put back at a new place, opened with the home's master key."""
    keys = home.folder / "restored" / "keys.db"
    restore(folder, url, keys=keys)
    return open_log(url, keys=keys, master=read_master(home.folder / "master.key"))


def found(content: bytes, wanted: bytes) -> list[int]:
    """Where it stands, every time."""
    return [match.start() for match in re.finditer(re.escape(wanted), content)]


def flip(file: Path, offset: int) -> None:
    """Change one bit."""
    content = bytearray(file.read_bytes())
    content[offset] ^= 1
    file.write_bytes(content)


def test_a_backup_tells_what_it_holds_and_what_stays_away(home: Signed) -> None:
    folder = saved(home)
    made = read_manifest(folder)
    assert (made.dialect, made.made_at, made.events, made.contents.head) == (
        home.log.dialect,
        LATER,
        SIGNED,
        SIGNED,
    )
    assert made.contents.rows == {
        "stored_events": SIGNED,
        "log_meta": len(made.contents.meta),
        "runs": 1,
        "quarantine": 1,
        "checkpoints": 2,
    }
    assert made.contents.meta["epoch"] == home.log.epoch
    assert made.left_out == list(LEFT_OUT)
    assert {file.name for file in folder.iterdir()} == {*made.files, "manifest.json"}
    assert [file.stat().st_mode & 0o077 for file in (folder, *folder.iterdir())] == [0] * (
        len(made.files) + 2
    )
    assert tried(home, folder).lines() == [
        "Backup of 2026-03-02 13:00 UTC: 1,200 events up to position 1,200.",
        "1,200 events read, 1,200 of them under 2 signed checkpoints.",
        "Restored, opened with its keys and verified: it can be relied on.",
    ]


def test_neither_the_master_key_nor_the_signing_key_is_in_a_backup(home: Signed) -> None:
    secrets = [(home.folder / name).read_bytes().strip() for name in ("master.key", "signing.key")]
    content = b"".join(file.read_bytes() for file in saved(home).iterdir())
    assert all(len(secret) > 40 and secret not in content for secret in secrets)


def test_a_backup_taken_while_processes_write_is_a_prefix_of_the_log(
    home: Signed, log_url: str, keys: Path, place: str
) -> None:
    writers = begun("pouring", log_url, keys, 5_000, 100, 10_000, 20_000)
    at = home.log.wait(SIGNED + 500, timeout=60)
    folder = saved(home)
    assert ended(writers) == "5000\n" * 2
    head = read_manifest(folder).contents.head
    assert at <= head < home.log.head()
    assert tried(home, folder).ok
    copy = restored(home, folder, place)
    assert copy.arrow(opened=EVERY).equals(home.log.arrow(upto=head, opened=EVERY))
    copy.close()


def test_every_event_of_a_backup_has_its_key_there(home: Signed, log_url: str, keys: Path) -> None:
    writers = begun("pouring", log_url, keys, 4_000, 50, 10_000, 20_000)
    home.log.wait(SIGNED + 500, timeout=60)
    folders = [saved(home, f"backup{number}") for number in range(8)]
    assert ended(writers) == "4000\n" * 2
    heads = [read_manifest(folder).contents.head for folder in folders]
    assert len(set(heads)) > 1, "nobody wrote meanwhile: nothing was shown"
    for folder in folders:
        events = (folder / ("log.db" if home.log.dialect == "sqlite" else "stored_events.copy")).read_bytes()
        with closing(sqlite3.connect(folder / "keys.db")) as connection:
            kept = {stream for (stream,) in connection.execute("SELECT stream FROM stream_keys")}
        assert {one.decode() for one in re.findall(rb"contact:crm1:\d+", events)} <= kept


def test_what_is_restored_is_the_same_log_and_goes_on(home: Signed, place: str) -> None:
    burnt = burn(home.log, 7)
    before = everything(home.log)
    copy = restored(home, saved(home), place)
    assert everything(copy) == before
    assert verify(copy, keys=[home.public], copies=[home.copy]).ok
    assert [one.outcome for one in append(copy, mail(3), mail(4))] == ["duplicate"] * 2
    assert append(copy, mail(5_000)) == [stored("crm1|5000|1", SIGNED + burnt + 1)]
    assert copy.begin_run(source="crm1", adapter="mails", now=NOW) == 2
    assert copy.surrogate("email", "anna@poczta.example") == home.log.surrogate(
        "email", "anna@poczta.example"
    )
    copy.close()


def test_a_log_in_a_file_moves_to_a_server_with_every_position_and_proof(
    tmp_path: Path, keys: Path, postgres_url: str
) -> None:
    log = open_log(f"sqlite:///{tmp_path}/log.db", keys=keys, create=True)
    home = signed(log, tmp_path, events=SIGNED)
    append(log, mail(3, text="other words"))
    moved = restored(home, saved(home), postgres_url)
    assert moved.dialect == "postgresql"
    assert everything(moved) == everything(log)
    assert moved.arrow(opened=EVERY).equals(log.arrow(opened=EVERY))
    assert verify(moved, keys=[home.public], copies=[home.copy]).ok
    assert append(moved, mail(3), mail(5_000)) == [
        duplicate("crm1|3|1", 4),
        stored("crm1|5000|1", SIGNED + 1),
    ]
    moved.close()
    home.log.close()


def test_keys_that_outlived_the_log_stay(home: Signed, place: str, keys: Path) -> None:
    folder = saved(home)
    home.log.keys.destroy(["contact:crm1:1"], now=LATER)
    restore(folder, place, keys=None)
    copy = open_log(place, keys=keys)
    told = {row["position"]: row["state"] for row in copy.arrow(upto=9, opened=EVERY).to_pylist()}
    assert [position for position, state in told.items() if "text" not in state] == [4, 5, 6]
    copy.close()


def test_nothing_is_restored_over_anything(home: Signed, place: str, tmp_path: Path) -> None:
    folder = saved(home)
    with pytest.raises(LogError, match=r"There is a log at .* already"):
        restore(folder, home.log.url, keys=None)
    with pytest.raises(KeysError, match=r"There is a key store at .* already"):
        restore(folder, place, keys=tmp_path / "keys.db")
    with pytest.raises(LogError, match=r"There is something at .*/backup already"):
        backup(home.log, folder, now=NOW)


def test_what_a_lost_log_left_behind_is_not_mixed_into_the_restored_one(tmp_path: Path, keys: Path) -> None:
    home = signed(open_log(f"sqlite:///{tmp_path}/log.db", keys=keys, create=True), tmp_path, events=20)
    folder = saved(home)
    home.grow(20, 40)
    home.log.keys.provide([("contact:crm1:new", 1)])
    journals = {name: (tmp_path / f"{name}-wal").read_bytes() for name in ("log.db", "keys.db")}
    home.log.close()
    for name, journal in journals.items():
        (tmp_path / name).unlink()
        (tmp_path / f"{name}-wal").write_bytes(journal)
    with pytest.raises(LogError, match=r"log\.db-wal is left of a log that was here"):
        restore(folder, home.log.url, keys=keys)
    (tmp_path / "log.db-wal").unlink()
    with pytest.raises(KeysError, match=r"keys\.db-wal is left of a key store that was here"):
        restore(folder, home.log.url, keys=keys)
    (tmp_path / "keys.db-wal").unlink()
    restore(folder, home.log.url, keys=keys)
    again = open_log(home.log.url, keys=keys)
    assert again.head() == 20
    again.close()


def test_a_log_of_a_server_is_not_put_into_a_file(tmp_path: Path, keys: Path, postgres_url: str) -> None:
    log = open_log(postgres_url, keys=keys, create=True)
    backup(log, tmp_path / "backup", now=NOW)
    log.close()
    with pytest.raises(LogError, match="of a log on PostgreSQL: name a PostgreSQL address"):
        restore(tmp_path / "backup", f"sqlite:///{tmp_path}/other.db", keys=tmp_path / "other-keys.db")
    with pytest.raises(LogError, match="name a database to restore it into"):
        restore_check(tmp_path / "backup", master=read_master(tmp_path / "master.key"))


def test_a_log_that_is_only_read_is_backed_up_too(tmp_path: Path, keys: Path) -> None:
    open_log(f"sqlite:///{tmp_path}/log.db", keys=keys, create=True).close()
    log = open_log(f"sqlite:///{tmp_path}/log.db?mode=ro", keys=keys)
    backup(log, tmp_path / "backup", now=NOW)
    log.close()
    checked = restore_check(tmp_path / "backup", master=read_master(tmp_path / "master.key"))
    assert checked.lines() == [
        "Backup of 2026-03-02 12:00 UTC: 0 events up to position 0.",
        "0 events read, 0 of them under 0 signed checkpoints.",
        "Restored, opened with its keys and verified: it can be relied on.",
    ]


def test_what_nobody_signed_is_told_and_no_fault_of_the_backup(log: Log, tmp_path: Path) -> None:
    append(log, mail(1))
    backup(log, tmp_path / "backup", now=NOW)
    place = None if log.dialect == "sqlite" else log.url
    checked = restore_check(tmp_path / "backup", master=read_master(tmp_path / "master.key"), scratch=place)
    assert checked.ok
    assert "No checkpoint was ever signed: nothing proves these 1 events." in checked.lines()


def test_a_flipped_bit_of_an_event_fails_the_trial_and_is_located(home: Signed) -> None:
    folder = saved(home)
    file = folder / ("log.db" if home.log.dialect == "sqlite" else "stored_events.copy")
    content = file.read_bytes()
    event = next(at for at in found(content, b"crm1|700|1") if b'"email"' in content[at - 300 : at])
    flip(file, content.rindex(b'"email"', 0, event) + 1)
    checked = tried(home, folder)
    assert kinds(checked) == [("file", 0, 0), ("altered", 1, 1000)]
    assert checked.lines()[-2:] == [
        f"{file} is not as it was written: take another backup.",
        "Positions 1 to 1000 hold other content than was signed. Position 701 is the first that breaks the chain.",
    ]


def test_a_flipped_bit_anywhere_fails_the_trial(home: Signed) -> None:
    folder = saved(home)
    for name, file in read_manifest(folder).files.items():
        flip(folder / name, file.bytes // 2)
        checked = tried(home, folder)
        assert ("file", 0, 0) in kinds(checked), name
        assert f"{folder / name} is not as it was written: take another backup." in checked.lines()
        flip(folder / name, file.bytes // 2)
    assert tried(home, folder).ok


def test_a_file_that_is_missing_or_cut_fails_the_trial(home: Signed) -> None:
    folder = saved(home)
    for name in read_manifest(folder).files:
        content = (folder / name).read_bytes()
        (folder / name).write_bytes(content[: len(content) // 2])
        assert ("file", 0, 0) in kinds(tried(home, folder)), name
        (folder / name).unlink()
        assert ("file", 0, 0) in kinds(tried(home, folder)), name
        (folder / name).write_bytes(content)
    assert tried(home, folder).ok


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"head": SIGNED - 1}, "manifest"),
        ({"chain": "00" * 32}, "manifest"),
        ({"rows": {"stored_events": SIGNED - 1}}, "manifest"),
        ({"meta": {"epoch": "another"}}, "manifest"),
    ],
)
def test_what_is_restored_is_held_against_the_manifest(
    home: Signed, change: dict[str, Any], kind: str
) -> None:
    folder = saved(home)
    made = read_manifest(folder)
    whole = {
        key: value | change.get(key, {}) if isinstance(value, dict) else change.get(key, value)
        for key, value in msgspec.to_builtins(made.contents).items()
    }
    msgspec.structs.replace(made, contents=msgspec.convert(whole, Contents)).write(folder)
    assert kinds(tried(home, folder)) == [(kind, 0, 0)]


def test_a_backup_that_was_changed_together_with_its_manifest_is_found_out_by_what_was_signed(
    tmp_path: Path, keys: Path
) -> None:
    home = signed(open_log(f"sqlite:///{tmp_path}/log.db", keys=keys, create=True), tmp_path, events=SIGNED)
    folder = saved(home)
    with closing(sqlite3.connect(folder / "log.db", isolation_level=None)) as connection:
        connection.execute("DELETE FROM stored_events WHERE rowid > 1190")
        connection.execute("UPDATE sqlite_sequence SET seq = 1190 WHERE name = 'stored_events'")
    with opened(folder / "log.db") as connection:
        contents = contents_of(SQLiteSession(connection.cursor(), folder), "sqlite")
    made = read_manifest(folder)
    files = {name: saved_file(folder / name) for name in made.files}
    msgspec.structs.replace(made, contents=contents, files=files).write(folder)
    assert kinds(tried(home, folder)) == [("cut", 1001, 1200)]
    home.log.close()


def test_the_wrong_master_key_fails_the_trial(home: Signed, tmp_path: Path) -> None:
    checked = tried(home, saved(home), master=create_master(tmp_path / "another.key"))
    assert kinds(checked) == [("unusable", 0, 0)]
    assert "needs the master key" in checked.lines()[-1]


def test_the_keys_of_another_log_fail_the_trial(home: Signed, tmp_path: Path) -> None:
    folder, master = saved(home), read_master(tmp_path / "master.key")
    other = open_log(f"sqlite:///{tmp_path}/2.db", keys=tmp_path / "2-keys.db", master=master, create=True)
    backup(other, tmp_path / "second", now=NOW)
    other.close()
    shutil.copyfile(tmp_path / "second" / "keys.db", folder / "keys.db")
    checked = tried(home, folder)
    assert kinds(checked) == [("file", 0, 0), ("unusable", 0, 0)]
    assert "belongs to another log" in checked.lines()[-1]


def test_what_is_no_backup_is_told(tmp_path: Path, keys: Path) -> None:
    open_log(f"sqlite:///{tmp_path}/log.db", keys=keys, create=True).close()
    master = read_master(tmp_path / "master.key")
    for content, told in [
        (None, "There is no backup at"),
        (b"{", "is no manifest of a backup"),
        (b"[]", "is no manifest of a backup"),
        (b'{"format":1}', "is no manifest of a backup"),
        (b'{"format":2}', "was made by another version of Omniline: update Omniline."),
    ]:
        if content is not None:
            (tmp_path / "manifest.json").write_bytes(content)
        with pytest.raises(LogError, match=told):
            restore_check(tmp_path, master=master)


def test_a_backup_that_fails_leaves_nothing(home: Signed, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    before = sorted(tmp_path.iterdir())
    with pytest.raises(LogError, match=r"The backup .*/file/backup cannot be written \(Not a directory\)"):
        backup(home.log, tmp_path / "file" / "backup", now=NOW)
    with pytest.raises(LogError, match=r"The copy of the checkpoints .* cannot be read"):
        backup(home.log, tmp_path / "backup", copies=[tmp_path], now=NOW)
    with home.log.session(commit=True) as session:
        session.run("DROP TABLE log_meta")
    with pytest.raises(LogError, match=r"or its backup .* cannot be used: .*log_meta"):
        backup(home.log, tmp_path / "backup", now=NOW)
    assert sorted(tmp_path.iterdir()) == before


def test_a_trial_leaves_no_schema_behind(postgres_url: str, tmp_path: Path, keys: Path) -> None:
    home = signed(open_log(postgres_url, keys=keys, create=True), tmp_path, events=20)
    folder = saved(home)
    assert tried(home, folder).ok
    (folder / "stored_events.copy").write_bytes(b"no copy")
    assert [kind for kind, *_ in kinds(tried(home, folder))] == ["file", "unusable"]
    with psycopg.connect(postgres_url) as connection:
        found = connection.execute("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'omniline%'")
        assert found.fetchall() == []
    home.log.close()
