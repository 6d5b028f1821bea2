"""kill -9 in a loop: whatever is killed and begun again, every record is stored once and the views agree."""

import os
import select
import signal
from pathlib import Path
from random import Random

import pytest

from tests.command import finish, lines, record, run, start
from tests.test_worker import drop, fresh, stored, waited, working

RECORDS = 20_000
KILLS = 25

pytestmark = pytest.mark.soak


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def killed_after(home: Path, seconds: float, *words: str) -> None:
    """Begin a command and kill it after a while, unless it was faster."""
    process = start(home, *words)
    if not waited_for(process.pid, seconds):
        os.kill(process.pid, signal.SIGKILL)
    process.communicate()


def waited_for(pid: int, seconds: float) -> bool:
    """Whether a child left within so many seconds."""
    descriptor = os.pidfd_open(pid)
    try:
        return bool(select.select([descriptor], [], [], seconds)[0])
    finally:
        os.close(descriptor)


def test_an_ingest_killed_again_and_again_stores_every_record_once(home: Path, tmp_path: Path) -> None:
    chance = Random(7)
    file = lines(
        tmp_path / "in.jsonl", (record(str(number), "2026-10-23T14:30:00Z") for number in range(RECORDS))
    )
    words = ("ingest", file, "--source", "desk", "--json")
    for _ in range(KILLS):
        killed_after(home, chance.uniform(0.5, 6), *words)
    last = finish(start(home, *words)).json()
    assert last["stored"] + last["duplicate"] == RECORDS
    assert stored(home) == RECORDS
    assert run(home, "kpi", "contacts", "--json").json()["rows"][0]["events"] == RECORDS


def test_a_projection_killed_again_and_again_ends_as_a_rebuild_does(home: Path, tmp_path: Path) -> None:
    chance = Random(8)
    file = lines(
        tmp_path / "in.jsonl", (record(str(number), "2026-10-23T14:30:00Z") for number in range(RECORDS))
    )
    assert run(home, "ingest", file, "--source", "desk").code == 0
    for _ in range(KILLS):
        killed_after(home, chance.uniform(0.5, 5), "project")
    before = run(home, "kpi", "contacts", "--json").json()["rows"]
    assert run(home, "rebuild").code == 0
    assert run(home, "kpi", "contacts", "--json").json()["rows"] == before


def test_a_worker_killed_again_and_again_takes_in_every_file_once(home: Path) -> None:
    chance = Random(9)
    for wave in range(KILLS):
        with working(home) as worker:
            drop(home, f"{wave}.jsonl", range(wave * 400, wave * 400 + 400))
            waited_for(worker.pid, chance.uniform(0, 2))
            os.kill(worker.pid, signal.SIGKILL)
    with working(home):
        assert waited(lambda: stored(home) == KILLS * 400)
        assert waited(lambda: fresh(home))
    assert run(home, "kpi", "contacts", "--json").json()["rows"][0]["events"] == KILLS * 400
