"""One follower's wait: until the log has grown or the time is up, woken by PostgreSQL and looking by itself too."""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from math import ceil
from threading import Lock
from time import monotonic, sleep
from typing import Any, Protocol

import psycopg
from psycopg.conninfo import conninfo_to_dict

from domain.log.address import Address
from domain.log.errors import LogError

POLL = 1.0
"""Seconds between two looks at a log on a server that wakes us."""
LOOK = 0.1
"""Seconds between two looks at a file, which wakes nobody; a look takes 0.1 ms."""
PAUSE = 0.2
"""Seconds before a lost server is tried again."""

_ALIVE = {
    "application_name": "omniline follower",
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 25_000,
}
"""So that a server which vanished without a word is given up within half a minute."""
_HEAD = "SELECT coalesce(max(notification_id), 0) FROM stored_events"


class Watch(Protocol):
    """What a follower looks through, and rests on between two looks."""

    def look(self) -> int:
        """The head."""

    def rest(self, seconds: float) -> None:
        """Until something was committed after the last look, or so long."""

    def close(self) -> None:
        """Give back what it holds."""


class Listening:
    """An own connection to PostgreSQL, which listens from its beginning on: no commit after a look goes unheard.

    A pool's would not do: it may wait a minute for a server that is gone, and gives sessions away.
    """

    def __init__(self, conninfo: str, within: float) -> None:
        parts = conninfo_to_dict(conninfo)
        own: dict[str, Any] = {name: value for name, value in _ALIVE.items() if name not in parts}
        patience = int(parts["connect_timeout"] or 0)
        own["connect_timeout"] = max(2, min(patience, ceil(within)))
        self._connection = psycopg.connect(conninfo, autocommit=True, **own)
        with ExitStack() as failing:
            failing.callback(self.close)
            self._connection.execute("LISTEN stored_events")
            failing.pop_all()

    def look(self) -> int:
        deque(self._connection.notifies(timeout=0), maxlen=0)
        head: int = self._connection.execute(_HEAD).fetchall()[0][0]
        return head

    def rest(self, seconds: float) -> None:
        deque(self._connection.notifies(timeout=seconds, stop_after=1), maxlen=0)

    def close(self) -> None:
        self._connection.close()


class Polling:
    """Looks often, because a file wakes nobody; it holds no connection, which bulk reads would have to close."""

    def __init__(self, look: Callable[[], int], _within: float) -> None:
        self.look = look

    def rest(self, seconds: float) -> None:
        sleep(min(seconds, LOOK))

    def close(self) -> None:
        """There is nothing to give back."""


def watching(address: Address, look: Callable[[], int]) -> Callable[[float], Watch]:
    """What makes a watch over this log, given how many seconds it may take."""
    if address.dialect == "postgresql":
        return partial(Listening, address.conninfo)
    return partial(Polling, look)


class Follower:
    """Waits for one log to grow; threads may share it."""

    def __init__(self, make: Callable[[float], Watch]) -> None:
        self._make = make
        self._lock = Lock()
        self._idle: list[Watch] = []
        self._closed = False

    def wait(self, after: int, *, timeout: float, poll: float = POLL) -> int:
        """The head, as soon as it is beyond `after` or the time is up; a lost server is sought until then."""
        until = monotonic() + timeout
        while True:
            kept = bool(self._idle)
            try:
                with self._watch(until - monotonic()) as watch:
                    while (head := watch.look()) <= after and (left := until - monotonic()) > 0:
                        watch.rest(min(poll, left))
                    return head
            except (LogError, psycopg.OperationalError):
                left = until - monotonic()
                if left <= 0 and not kept:
                    raise
                sleep(0 if kept else min(PAUSE, left))

    def close(self) -> None:
        """Give back the connections; a wait that goes on gives back its own when it ends."""
        with self._lock:
            self._closed = True
            while self._idle:
                self._idle.pop().close()

    @contextmanager
    def _watch(self, within: float) -> Iterator[Watch]:
        """One from before, or a new one; kept for the next wait unless it failed."""
        with self._lock:
            kept = self._idle.pop() if self._idle else None
        watch = kept or self._make(within)
        with ExitStack() as failing:
            failing.callback(watch.close)
            yield watch
            with self._lock:
                if not self._closed:
                    failing.pop_all()
                    self._idle.append(watch)
