"""The processes that the fault runs kill, stop, starve and watch."""

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from tests.command import ROOT

SECONDS = 60
Fact = dict[str, Any]


class Child:
    """One running process, and all that it has told so far, a line of JSON each; `noise` is what else it said."""

    def __init__(self, module: str, *words: object) -> None:
        self.facts: list[Fact] = []
        self.noise: list[str] = []
        self._rest = b""
        self._process = subprocess.Popen(
            [sys.executable, "-W", "error", "-m", f"tests.faults.{module}", *map(str, words)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        assert self._process.stdout is not None
        self._descriptor = self._process.stdout.fileno()
        os.set_blocking(self._descriptor, False)

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._process.pid

    def hear(self, seconds: float = 0) -> bool:
        """Take in what was told, waiting so long for it at most; False once nothing more can come."""
        select.select([self._descriptor], [], [], seconds)
        with suppress(BlockingIOError):
            while told := os.read(self._descriptor, 1 << 16):
                self._take(told)
            return False
        return True

    def until(self, true: Callable[[list[Fact]], bool]) -> None:
        """Listen until something is true of what was told, a bounded time."""
        end = time.monotonic() + SECONDS
        while not true(self.facts):
            assert time.monotonic() < end, (self.facts[-5:], self.noise)
            assert self.hear(0.2) or true(self.facts), (self.facts[-5:], self.noise)

    def listen(self, seconds: float) -> None:
        """Take in what is told within so many seconds."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0 and self.hear(left):
            pass

    def finished(self) -> list[Fact]:
        """All that a process told which came to its end by itself; it is never silent for long."""
        known = -1
        while (more := self.hear(SECONDS)) and len(self.facts) > known:
            known = len(self.facts)
        if not more:
            self._process.wait(SECONDS)
        self.kill()
        assert self._process.returncode == 0, self.facts[-5:]
        return self.facts

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Hold the whole process at this very instant; what it told until then is heard."""
        os.kill(self.pid, signal.SIGSTOP)
        try:
            os.waitid(os.P_PID, self.pid, os.WSTOPPED | os.WNOWAIT)
            self.hear()
            yield
        finally:
            os.kill(self.pid, signal.SIGCONT)

    def kill(self) -> list[Fact]:
        """kill -9; all that it ever told."""
        assert self._process.stdout is not None
        if self._process.stdout.closed:
            return self.facts
        self._process.kill()
        self._process.wait(SECONDS)
        while self.hear(SECONDS):
            pass
        self._process.stdout.close()
        assert not self.noise, "\n".join(self.noise)
        return self.facts

    def _take(self, told: bytes) -> None:
        *lines, self._rest = (self._rest + told).split(b"\n")
        for line in lines:
            if line.startswith(b"{"):
                self.facts.append(json.loads(line))
            else:
                self.noise.append(line.decode())


@contextmanager
def child(module: str, *words: object) -> Iterator[Child]:
    """A process that is killed at the end."""
    begun = Child(module, *words)
    try:
        yield begun
    finally:
        begun.kill()
