"""Turns at one SQLite file: in the order of coming, across processes, none kept by the dead, none awaited too long."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from threading import Thread

import pytest

from domain.log import LogBusy, open_log
from domain.log.turns import turn
from tests.domain.log.making import append, mail
from tests.domain.log.processes import ROOT, begun, ended

HOLD = """import sys; from pathlib import Path; from domain.log.turns import turn
with turn(Path(sys.argv[1]), patience=9):
    print("mine", flush=True); sys.stdin.read()"""
JOB, JOBS = 500, 40


def queue(file: Path) -> int:
    """How many writers have a turn or wait for one."""
    side = file.with_name(f"{file.name}-turns").stat().st_ino
    return len(re.findall(rf"(?m)^\d+: OFDLCK .*:{side} ", Path("/proc/locks").read_text(encoding="ascii")))


def holding(file: Path) -> "subprocess.Popen[str]":
    """Another process that has its turn until its input ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(file)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "mine\n"
    return process


def test_turns_come_in_the_order_of_asking(tmp_path: Path) -> None:
    file, came = tmp_path / "log.db", list[int]()

    def write(number: int) -> None:
        with turn(file, patience=60):
            came.append(number)

    writers = [Thread(target=write, args=(number,)) for number in range(8)]
    with turn(file, patience=60):
        for number, writer in enumerate(writers):
            writer.start()
            while queue(file) < number + 2:
                assert writer.is_alive()
        assert came == []
    for writer in writers:
        writer.join()
    assert came == list(range(8))
    assert queue(file) == 0


def test_a_turn_is_not_waited_for_beyond_patience(tmp_path: Path) -> None:
    process = holding(tmp_path / "log.db")
    with (
        pytest.raises(LogBusy, match="is busy: another process is writing"),
        turn(tmp_path / "log.db", patience=0.05),
    ):
        raise AssertionError("two turns at once")
    process.communicate()
    with turn(tmp_path / "log.db", patience=0.05):
        assert queue(tmp_path / "log.db") == 1


def test_the_turn_of_a_killed_process_is_over(tmp_path: Path) -> None:
    process = holding(tmp_path / "log.db")
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    with turn(tmp_path / "log.db", patience=0.05):
        assert queue(tmp_path / "log.db") == 1


def test_a_live_writer_waits_for_one_job_however_many_follow(tmp_path: Path, keys: Path) -> None:
    """The job under way when it looks, and the one begun before it asks."""
    url = f"sqlite:///{tmp_path}/log.db"
    log = open_log(url, keys=keys, create=True)
    pouring = begun("pouring", url, keys, JOB * JOBS, JOB, 0)
    while not log.head():
        assert pouring.poll() is None
    number, passed = JOB * JOBS, list[int]()
    while (head := log.head()) < JOB * (JOBS - 4):
        (receipt,) = append(log, mail(number))
        assert receipt.position is not None
        passed.append(receipt.position - head - 1)
        number += 1
    assert int(ended(pouring)) == JOB * JOBS
    assert len(passed) > JOBS // 4
    assert max(passed) <= 2 * JOB
    log.close()
