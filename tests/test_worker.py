"""The worker: follows the log, takes in the inbox, and may be killed at any instant."""

import os
import select
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.command import finish, lines, record, run, start

FAST = ("worker", "--every", "0.2")
SECONDS = 60


def waited(until: Callable[[], bool]) -> bool:
    """Whether something came true within a bounded time."""
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        if until():
            return True
        select.select([], [], [], 0.1)
    return False


@contextmanager
def working(home: Path) -> Iterator[subprocess.Popen[str]]:
    """A worker that has begun; killed at the end unless it left by itself."""
    process = start(home, *FAST)
    assert process.stderr is not None
    assert "follows" in process.stderr.readline()
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=SECONDS)


def drop(home: Path, name: str, numbers: range) -> None:
    """A file that appears in the inbox whole, as a polite sender writes it."""
    folder = home / "inbox" / "desk"
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / f".{name}.partial"
    lines(partial, (record(str(number), "2026-10-23T14:30:00Z") for number in numbers))
    partial.replace(folder / name)


def stored(home: Path) -> int:
    """Events of the source in the log."""
    status = run(home, "status", "--json")
    return int(status.json()["log"]["by_source"].get("desk", 0)) if status.code == 0 else 0


def fresh(home: Path) -> bool:
    """Whether no view lags behind the log."""
    views = run(home, "status", "--json").json()["views"]
    return bool(views) and all(view["lag"] == 0 and view["state"] == "ok" for view in views.values())


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def test_a_file_in_the_inbox_reaches_the_views(home: Path) -> None:
    with working(home) as worker:
        drop(home, "a.jsonl", range(20))
        assert waited(lambda: stored(home) == 20)
        assert waited(lambda: fresh(home))
        assert not list((home / "inbox" / "desk").glob("*.jsonl"))
        worker.send_signal(signal.SIGTERM)
        assert finish(worker, SECONDS).code == 0
    assert run(home, "kpi", "contacts", "--no-project", "--json").json()["rows"][0]["events"] == 20


def test_a_second_worker_for_one_home_is_refused(home: Path) -> None:
    with working(home):
        assert "already" in finish(start(home, *FAST), SECONDS).sentence()


def test_a_killed_worker_loses_and_doubles_nothing(home: Path) -> None:
    for wave in range(3):
        with working(home) as worker:
            drop(home, f"{wave}.jsonl", range(wave * 500, wave * 500 + 500))
            waited(lambda wave=wave: stored(home) > wave * 500)
            os.kill(worker.pid, signal.SIGKILL)
    with working(home):
        assert waited(lambda: stored(home) == 1_500)
        assert waited(lambda: fresh(home))
    answer = run(home, "kpi", "contacts", "--no-project", "--json").json()["rows"][0]
    assert answer["events"] == 1_500
    assert run(home, "rebuild").code == 0
    assert run(home, "kpi", "contacts", "--no-project", "--json").json()["rows"][0] == answer


def test_ticks_do_not_fill_the_log_file(home: Path) -> None:
    with working(home):
        drop(home, "a.jsonl", range(3))
        assert waited(lambda: stored(home) > 0)
    told = home / "omniline.log"
    assert not told.exists() or "apscheduler" not in told.read_text("utf-8")
