"""The watched folder: finished files are taken once, put away, and never lost, whoever is killed when."""

import fcntl
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from domain.log import Log, LogReadOnly, open_log
from ingestion.watch import pick_up
from tests.ingestion.taking import CALLS, GOOD, OTHER, canonical, ids, jsonl, table, written

NOW = datetime(2100, 1, 1, tzinfo=UTC)
"""Long after every file of the test was last changed."""


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    """An inbox with a folder for one source."""
    (tmp_path / "inbox" / "desk").mkdir(parents=True)
    return tmp_path / "inbox"


def lying(home: Path) -> dict[str, list[str]]:
    """The files in each room, by source and name."""
    return {
        room: sorted(
            str(path.relative_to(home / room)) for path in (home / room).rglob("*") if path.is_file()
        )
        for room in ("inbox", "processing", "archive", "failed")
    }


def emptied(**rooms: list[str]) -> dict[str, list[str]]:
    """What lies where, with nothing in the rooms that are not named."""
    return {"inbox": [], "processing": [".lock"], "archive": [], "failed": [], **rooms}


def test_a_finished_file_is_ingested_and_archived(store: Log, inbox: Path) -> None:
    written(inbox / "desk", jsonl(canonical("1"), canonical("2")), "a.jsonl")
    (balance,) = pick_up(store, inbox, now=NOW)
    assert (balance.source, balance.read, balance.stored) == ("desk", 2, 2)
    assert lying(inbox.parent) == emptied(archive=["desk/a.jsonl"])
    assert ids(store) == ["desk|1|1", "desk|2|1"]
    assert pick_up(store, inbox, now=NOW) == []


def test_a_file_that_may_still_grow_is_left_alone(store: Log, inbox: Path) -> None:
    for name in ("young.jsonl", ".hidden.jsonl", "a.jsonl.part", "b.tmp", "C.PARTIAL"):
        written(inbox / "desk", jsonl(canonical("1")), name)
    changed = datetime.fromtimestamp((inbox / "desk" / "young.jsonl").stat().st_ctime, UTC)
    settle = timedelta(seconds=30)
    assert pick_up(store, inbox, now=changed + timedelta(seconds=29), settle=settle) == []
    assert len(lying(inbox.parent)["inbox"]) == 5
    assert len(pick_up(store, inbox, now=changed + timedelta(seconds=31), settle=settle)) == 1
    assert len(lying(inbox.parent)["inbox"]) == 4


def test_an_old_date_given_to_a_young_file_does_not_deceive(store: Log, inbox: Path) -> None:
    path = written(inbox / "desk", jsonl(canonical("1")), "a.jsonl")
    os.utime(path, (0, 0))
    changed = datetime.fromtimestamp(path.stat().st_ctime, UTC)
    assert pick_up(store, inbox, now=changed + timedelta(seconds=1), settle=timedelta(seconds=30)) == []


def test_a_mapping_beside_the_inbox_is_used(store: Log, inbox: Path) -> None:
    (inbox.parent / "mappings").mkdir()
    (inbox.parent / "mappings" / "desk.toml").write_text(CALLS, "utf-8")
    written(inbox / "desk", table(GOOD, OTHER), "calls.csv")
    (balance,) = pick_up(store, inbox, now=NOW)
    assert (balance.stored, balance.events["ContactReceived"]) == (2, 2)


def test_a_file_that_fails_lies_with_its_reason_and_holds_nobody_up(store: Log, inbox: Path) -> None:
    written(inbox / "desk", b"", "a.jsonl")
    written(inbox / "desk", jsonl(canonical("1")), "b.jsonl")
    (inbox / "My Desk").mkdir()
    written(inbox / "My Desk", jsonl(canonical("2")), "c.jsonl")
    told: list[str] = []
    (balance,) = pick_up(store, inbox, now=NOW, tell=told.append)
    assert balance.stored == 1
    assert lying(inbox.parent) == emptied(
        archive=["desk/b.jsonl"],
        failed=["My Desk/c.jsonl", "My Desk/c.jsonl.reason.txt", "desk/a.jsonl", "desk/a.jsonl.reason.txt"],
    )
    reason = (inbox.parent / "failed" / "desk" / "a.jsonl.reason.txt").read_text("utf-8")
    assert reason.endswith("is empty; there is nothing to ingest.\n")
    assert [sentence.partition(":")[0] for sentence in told] == ["My Desk", "desk"]


def test_files_of_one_name_never_replace_each_other(store: Log, inbox: Path) -> None:
    for number in range(3):
        written(inbox / "desk", jsonl(canonical(str(number))), "a.jsonl")
        written(inbox / "desk", b"", "bad.jsonl")
        pick_up(store, inbox, now=NOW)
    assert lying(inbox.parent) == emptied(
        archive=["desk/2-a.jsonl", "desk/3-a.jsonl", "desk/a.jsonl"],
        failed=sorted(
            f"desk/{name}{end}"
            for name in ("bad.jsonl", "2-bad.jsonl", "3-bad.jsonl")
            for end in ("", ".reason.txt")
        ),
    )


def test_a_file_that_somebody_was_killed_over_is_taken_again(store: Log, inbox: Path) -> None:
    left = inbox.parent / "processing" / "desk"
    left.mkdir(parents=True)
    written(left, jsonl(canonical("1")), "a.jsonl")
    (balance,) = pick_up(store, inbox, now=NOW)
    assert balance.stored == 1
    assert lying(inbox.parent) == emptied(archive=["desk/a.jsonl"])


def test_nothing_happens_while_somebody_else_is_at_it(store: Log, inbox: Path) -> None:
    written(inbox / "desk", jsonl(canonical("1")), "a.jsonl")
    (inbox.parent / "processing").mkdir()
    with (inbox.parent / "processing" / ".lock").open("a") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert pick_up(store, inbox, now=NOW) == []
    assert len(pick_up(store, inbox, now=NOW)) == 1


def test_links_are_not_followed(store: Log, inbox: Path, tmp_path: Path) -> None:
    secret = written(tmp_path, jsonl(canonical("1")), "secret.jsonl")
    (inbox / "desk" / "link.jsonl").symlink_to(secret)
    assert pick_up(store, inbox, now=NOW) == []
    assert ids(store) == []


def test_a_log_that_cannot_be_written_fails_no_file(store: Log, inbox: Path, tmp_path: Path) -> None:
    written(inbox / "desk", jsonl(canonical("1")), "a.jsonl")
    closed = open_log(f"sqlite:///file:{tmp_path}/log.db?mode=ro&uri=true", keys=tmp_path / "keys.db")
    with pytest.raises(LogReadOnly):
        pick_up(closed, inbox, now=NOW)
    closed.close()
    assert lying(inbox.parent) == emptied(processing=[".lock", "desk/a.jsonl"])
    (balance,) = pick_up(store, inbox, now=NOW)
    assert balance.stored == 1


def test_a_file_written_on_while_it_was_read_is_read_again(store: Log, inbox: Path) -> None:
    path = written(inbox / "desk", jsonl(*(canonical(str(number)) for number in range(3))), "a.jsonl")
    with path.open("a") as writer:

        def grow() -> datetime:
            writer.write(jsonl(canonical("late")))
            writer.flush()
            return NOW

        pick_up(store, inbox, now=grow)
    assert lying(inbox.parent) == emptied(inbox=["desk/a.jsonl"])
    pick_up(store, inbox, now=NOW)
    assert lying(inbox.parent) == emptied(archive=["desk/a.jsonl"])
    assert sorted(ids(store)) == ["desk|0|1", "desk|1|1", "desk|2|1", "desk|late|1"]


KILLED = """
import os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from domain.log import open_log
from ingestion import translate, watch
home, moves = Path(sys.argv[1]), int(sys.argv[2])
real = Path.rename
def rename(self, target):
    global moves
    moves -= 1
    if moves == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return real(self, target)
Path.rename = rename
log = open_log(f"sqlite:///{home}/log.db", keys=home / "keys.db")
watch.pick_up(log, home / "inbox", now=datetime(2100, 1, 1, tzinfo=UTC))
"""


@pytest.mark.parametrize("moves", [1, 2, 3, 4])
def test_killed_before_any_move_nothing_is_lost_or_doubled(store: Log, inbox: Path, moves: int) -> None:
    for name in ("a", "b"):
        written(
            inbox / "desk", jsonl(*(canonical(f"{name}{number}") for number in range(20))), f"{name}.jsonl"
        )
    root = Path(__file__).parent.parent.parent
    words = [sys.executable, "-c", KILLED, str(inbox.parent), str(moves)]
    done = subprocess.run(words, cwd=root, check=False, timeout=120)
    assert done.returncode == -signal.SIGKILL
    pick_up(store, inbox, now=NOW)
    assert lying(inbox.parent) == emptied(archive=["desk/a.jsonl", "desk/b.jsonl"])
    assert sorted(ids(store)) == sorted(f"desk|{name}{number}|1" for name in "ab" for number in range(20))
