"""Processes that die at a given line of ours: python -m tests.faults.stepping JOB LOG KEYS VIEWS PLAN KILLS [FUNCTION…]

A first process does the job once, and its lines are counted, or those of these functions. Then each kill: one
process dies after so many lines of the same job, drawn by the plan's seed, and another one does it again to its end.
What they say is told; at most so many kills as there are lines.
"""

import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import closing
from itertools import count
from pathlib import Path
from random import Random
from types import FrameType
from typing import Any

from domain.home import home_at
from domain.log import open_log
from projections.engine import Engine
from tests.faults.batches import NOW, Plan
from tests.faults.projecting import EVERY, projected, raised
from tests.faults.sending import deliver, told

PACKAGES = ("domain", "projections", "pathlib")
Begin = Callable[[], None]
Job = Callable[[int, Begin], None]
"""Does the work of a number; calls what it is given when the lines begin to count."""


def main(job: str, *words: str) -> None:
    """Every kill, one after another."""
    url, keys, views, word, kills, *functions = words
    plan = Plan.of(word)

    def append(number: int, begin: Begin) -> None:
        with closing(open_log(url, keys=Path(keys), create=True)) as log:
            begin()
            deliver(log, plan, number)

    def project(number: int, begin: Begin) -> None:
        with (
            closing(open_log(url, keys=Path(keys), create=True)) as log,
            closing(Engine(log, views)) as engine,
        ):
            deliver(log, plan, number)
            begin()
            told(projected=projected(engine, anew=number % EVERY == EVERY - 1))

    def upgrade(number: int, begin: Begin) -> None:
        with closing(open_log(url, keys=Path(keys), create=True)) as log:
            deliver(log, plan, number)
            begin()
            with closing(Engine(log, views, raised(number))) as engine:
                told(projected=projected(engine))

    def make(number: int, begin: Begin) -> None:
        begin()
        home = home_at(Path(keys).with_name(f"home{number}"), {}, lambda: NOW)
        with home.log(create=True) as log:
            deliver(log, plan, 0)
            home.notary.sign(log, now=NOW)
            told(made=number, findings=len(home.notary.verify(log, now=NOW).findings))

    jobs: dict[str, Job] = {"append": append, "project": project, "upgrade": upgrade, "make": make}
    done = jobs[job]
    lines = inside(done, 0, sys.maxsize, functions)
    steps = Random(plan.seed).sample(range(1, lines + 1), min(lines, int(kills)))
    for number, step in enumerate(sorted(steps), 1):
        inside(done, number, step, functions)
        inside(done, number, sys.maxsize, functions)
    told(lines=lines, kills=len(steps))


def inside(job: Job, number: int, step: int, functions: Sequence[str]) -> int:
    """Do a job in a process of its own, which dies at a line or comes to its end; how many lines it had then."""
    ours, theirs = os.pipe()
    process = os.fork()
    if not process:
        try:
            os.write(theirs, str(counted(job, number, step, functions)).encode())
        except BaseException:
            sys.excepthook(*sys.exc_info())
            os._exit(1)
        os._exit(0)
    os.close(theirs)
    with open(ours) as pipe:
        lines = int(pipe.read() or 0)
    assert os.waitpid(process, 0)[1] == (0 if lines else signal.SIGKILL)
    return lines


def counted(job: Job, number: int, step: int, functions: Sequence[str]) -> int:
    """Do a job and count its lines, but die at this one."""
    lines = count(1)

    def line(_frame: FrameType, event: str, _argument: Any) -> Any:
        if event == "line" and next(lines) == step:
            os.kill(os.getpid(), signal.SIGKILL)
        return line

    def call(frame: FrameType, _event: str, _argument: Any) -> Any:
        name = f"{frame.f_globals.get('__name__', '')}.{frame.f_code.co_name}"
        return line if name.startswith(PACKAGES) and (not functions or name in functions) else None

    def begin() -> None:
        threading.settrace(call)
        sys.settrace(call)

    job(number, begin)
    sys.settrace(None)
    return next(lines) - 1


if __name__ == "__main__":
    main(*sys.argv[1:])
