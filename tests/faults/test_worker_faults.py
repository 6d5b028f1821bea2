"""The worker itself, without room on its disk and without its server: it takes in every file by itself, once."""

import resource
import signal
import subprocess
from pathlib import Path

import pytest

from tests.command import finish, run
from tests.faults.server import Server
from tests.test_worker import drop, fresh, stored, waited, working

COUNT = 300
LONG = pytest.param(10, marks=pytest.mark.soak)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def settled(home: Path, waves: int) -> None:
    """All files are in the log once, in the views, and put away."""
    assert waited(lambda: stored(home) == waves * COUNT)
    assert waited(lambda: fresh(home))
    assert waited(lambda: len(list((home / "archive" / "desk").glob("*.jsonl"))) == waves)
    assert not (home / "failed").exists()


def left(worker: "subprocess.Popen[str]") -> list[str]:
    """What a worker that is told to stop said in all its life, once it has left in good order."""
    worker.send_signal(signal.SIGTERM)
    outcome = finish(worker)
    assert outcome.code == 0
    assert "Traceback" not in outcome.err
    return outcome.err.splitlines()


def holds(home: Path, events: int) -> None:
    """The log is proven; the views tell so many contacts, and the same after a rebuild."""
    assert run(home, "project").code == 0
    assert run(home, "verify").code == 0
    words = ("kpi", "contacts", "--by", "channel", "--no-project", "--json")
    before = run(home, *words).json()["rows"]
    assert [row["events"] for row in before] == [events]
    assert run(home, "rebuild").code == 0
    assert run(home, *words).json()["rows"] == before


@pytest.mark.parametrize("waves", [LONG])
def test_a_worker_without_room_says_so_and_takes_in_everything_when_there_is_some(
    home: Path, waves: int
) -> None:
    with working(home) as worker:
        assert waited((home / "inbox").is_dir)
        for wave in range(waves):
            resource.prlimit(worker.pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
            drop(home, f"{wave}.jsonl", range(wave * COUNT, wave * COUNT + COUNT))
            assert waited(lambda: list((home / "processing" / "desk").glob("*.jsonl")) != [])
            resource.prlimit(worker.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
            assert waited(lambda wave=wave: stored(home) == (wave + 1) * COUNT)
        settled(home, waves)
        told = left(worker)
    assert any("is full or fails" in sentence for sentence in told), told
    holds(home, waves * COUNT)


@pytest.mark.parametrize("waves", [1, LONG])
def test_a_worker_outlives_restarts_of_its_server(
    home: Path, server: Server, monkeypatch: pytest.MonkeyPatch, waves: int
) -> None:
    monkeypatch.setenv("OMNILINE_LOG_URL", server.database(f"events{waves}"))
    monkeypatch.setenv("OMNILINE_VIEWS_URL", server.database(f"views{waves}"))
    assert run(home, "log", "init").code == 0
    with working(home) as worker:
        for wave in range(waves):
            drop(home, f"{wave}.jsonl", range(wave * COUNT, wave * COUNT + COUNT))
            claimed = home / "processing" / "desk" / f"{wave}.jsonl"
            assert waited(lambda wave=wave, claimed=claimed: claimed.exists() or stored(home) > wave * COUNT)
            server.restart("fast" if wave % 2 else "immediate")
        settled(home, waves)
        left(worker)
    holds(home, waves * COUNT)
