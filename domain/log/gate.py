"""One gate per SQLite file: inside one process, two SQLite libraries never hold the same file open together.

ADBC brings its own SQLite. POSIX locks belong to the process, so closing a file through one library drops the
locks of the other: another process then deletes the write-ahead log under our open connection, and what we
commit next is lost. So bulk reads wait for running transactions, close idle connections, read, and close.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Condition, Lock
from typing import Protocol
from weakref import WeakSet, WeakValueDictionary


class Idle(Protocol):
    """Holds connections that nobody uses at the moment."""

    def close_idle(self) -> None:
        """Close them."""


class Gate:
    """Admits either transactions of Python's SQLite or bulk reads of ADBC's, never both."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._transactions = 0
        self._bulk = 0
        self._waiting = 0
        self.pools: WeakSet[Idle] = WeakSet()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Hold the file through Python's library; bulk reads that wait already go first."""
        with self._changed:
            self._changed.wait_for(lambda: not self._bulk and not self._waiting)
            self._transactions += 1
        try:
            yield
        finally:
            with self._changed:
                self._transactions -= 1
                self._changed.notify_all()

    @contextmanager
    def bulk(self) -> Iterator[None]:
        """Hold the file through ADBC's library alone."""
        with self._changed:
            self._waiting += 1
            try:
                self._changed.wait_for(lambda: not self._transactions)
            finally:
                self._waiting -= 1
            self._bulk += 1
            for pool in tuple(self.pools):
                pool.close_idle()
        try:
            yield
        finally:
            with self._changed:
                self._bulk -= 1
                self._changed.notify_all()


_gates: WeakValueDictionary[Path, Gate] = WeakValueDictionary()
_lock = Lock()


def gate_of(path: Path) -> Gate:
    """The gate that everyone in this process shares for this file."""
    with _lock:
        return _gates.setdefault(path.resolve(), Gate())
