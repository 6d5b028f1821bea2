"""Writers of one SQLite file take turns: whoever has waited longest writes next, whichever process it is in.

SQLite lets a waiting writer sleep longer and longer between its looks, so one that writes without a pause keeps
the others out for seconds. Here each waiting writer locks one byte of a side file, numbered by the instant of its
coming, and waits until no lower byte is locked. The kernel drops the locks of a process that dies. This is order
alone: what keeps writers apart is SQLite's own lock.
"""

import fcntl
import os
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from domain.log.errors import LogBusy, LogError

LOOK = 0.001
"""Seconds between two looks at who is before us."""

_RANGE = "hhqqi0q"
"""The C struct of a lock on a range of bytes: kind, origin, start, length, process."""


@contextmanager
def turn(path: Path, *, patience: float) -> Iterator[None]:
    """Wait until it is our turn to write to the file at `path`, for so many seconds at most, and keep it."""
    if not hasattr(fcntl, "F_OFD_SETLK"):
        yield
        return
    side = path.with_name(f"{path.name}-turns")
    try:
        file = os.open(side, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    except OSError as error:
        raise LogError(
            f"The log {path} cannot be written: {side} cannot be opened ({error.strerror}); check the folder's rights."
        ) from error
    try:
        _wait(file, _taken(file), path, patience)
        yield
    finally:
        fcntl.fcntl(file, fcntl.F_OFD_SETLK, _range(fcntl.F_UNLCK, 0, 0))
        os.close(file)


def _range(kind: int, first: int, length: int) -> bytes:
    return struct.pack(_RANGE, kind, os.SEEK_SET, first, length, 0)


def _taken(file: int) -> int:
    """The number that is ours: a locked byte, so high as it is late."""
    while True:
        number = time.monotonic_ns()
        try:
            fcntl.fcntl(file, fcntl.F_OFD_SETLK, _range(fcntl.F_WRLCK, number, 1))
        except BlockingIOError:
            continue
        return number


def _wait(file: int, number: int, path: Path, patience: float) -> None:
    """Until nobody who came before us is left."""
    lower = _range(fcntl.F_WRLCK, 0, number)
    deadline = time.monotonic() + patience
    while struct.unpack(_RANGE, fcntl.fcntl(file, fcntl.F_OFD_GETLK, lower))[0] != fcntl.F_UNLCK:
        if time.monotonic() > deadline:
            raise LogBusy(f"The log {path} is busy: another process is writing; try again in a moment.")
        time.sleep(LOOK)
