"""Several processes on one log: nothing twice, nothing lost, no gaps, whoever is killed."""

import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

from domain.log import open_log
from domain.log.chain import COLUMNS, START, leaf, link
from tests.domain.log.making import columns, rows

ROOT = Path(__file__).parents[3]
COUNT = 1200


def process(url: str, keys: Path, seed: int) -> "subprocess.Popen[str]":
    """A process that appends events 0…COUNT in the order of its seed."""
    command = [
        sys.executable,
        "-W",
        "error",
        "-m",
        "tests.domain.log.appending",
        url,
        str(keys),
        str(seed),
        str(COUNT),
    ]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finished(worker: "subprocess.Popen[str]") -> None:
    """It ended well."""
    _, errors = worker.communicate(timeout=120)
    assert (worker.returncode, errors) == (0, "")


def test_overlapping_slices_are_stored_once_though_one_process_is_killed(log_url: str, keys: Path) -> None:
    workers = [process(log_url, keys, seed) for seed in (1, 2, 3)]
    victim = workers.pop()
    assert victim.stdout is not None
    for _ in range(5):
        victim.stdout.readline()
    os.kill(victim.pid, signal.SIGKILL)
    victim.communicate()
    for worker in workers:
        finished(worker)

    log = open_log(log_url, keys=keys)
    assert {key for (key,) in columns(log, "event_id")} == {f"crm1|{number}|1" for number in range(COUNT)}
    assert log.counts() == {"crm1": COUNT}
    versions = Counter(stream for (stream,) in columns(log, "originator_id"))
    seen: Counter[str] = Counter()
    for stream, version in rows(log, ["originator_id", "originator_version"]):
        seen[stream] += 1
        assert version == seen[stream]
    assert seen == versions
    position = "rowid" if log.dialect == "sqlite" else "notification_id"
    chain = START
    for number, (*row, value) in enumerate(rows(log, [position, *COLUMNS[1:], "chain"]), 1):
        chain = link(chain, leaf(tuple(row)))
        assert chain == value
        assert log.dialect == "postgresql" or row[0] == number
    log.close()


def test_what_is_appended_after_a_bulk_read_survives_another_process_that_comes_and_goes(
    tmp_path: Path, keys: Path
) -> None:
    """Two SQLite libraries in one process would drop each other's locks, and the second mail with them."""
    url = f"sqlite:///{tmp_path}/log.db"
    log = open_log(url, keys=keys, create=True)
    from tests.domain.log.making import append, mail

    append(log, mail(2000))
    assert log.arrow().num_rows == 1
    finished(process(url, keys, 1))
    append(log, mail(2001))
    code = (
        "import sqlite3, sys; print(sqlite3.connect(sys.argv[1]).execute("
        "'SELECT count(*) FROM stored_events').fetchone()[0])"
    )
    seen = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "log.db")], capture_output=True, text=True, check=True
    )
    assert int(seen.stdout) == COUNT + 2
    log.close()
