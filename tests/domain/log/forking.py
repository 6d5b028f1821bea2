"""Processes that begin at the same instant; each is a copy of the one that begins them, which has imported all."""

import os
import sys
import traceback
from collections.abc import Callable, Iterable


def together(jobs: Iterable[Callable[[], None]]) -> bool:
    """Do every job in a process of its own, all begun at once; whether all ended well."""
    gate, opener = os.pipe()
    started = []
    for job in jobs:
        process = os.fork()
        if not process:
            os.close(opener)
            os.read(gate, 1)
            leave(job)
        started.append(process)
    os.close(gate)
    os.close(opener)
    codes = [os.waitpid(process, 0)[1] for process in started]
    return not any(codes)


def leave(job: Callable[[], None]) -> None:
    """End this process with what becomes of a job."""
    try:
        job()
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)
    os._exit(0)


def tell(text: str) -> None:
    """Write a line that no other process can break into."""
    os.write(1, f"{text}\n".encode())
