"""Writing while computing: one writer holds a connection on a thread of its own and writes what is ready."""

from collections.abc import Collection
from concurrent.futures import Future, ThreadPoolExecutor
from types import ModuleType, TracebackType

import polars as pl
from sqlalchemy.engine import Connection

from projections import persons
from projections.tables import Written, replace_persons, versioned

IDENTITY = "identity"


class Writer:
    """Writes differences one after another; nobody else may use the connection until `written` was asked.

    Views named in `but` are left as they are.
    """

    def __init__(self, connection: Connection, *, but: Collection[str] = ()) -> None:
        self._connection = connection
        self._but = frozenset(but)
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="views")
        self._done: dict[str, Future[Written]] = {}

    def __enter__(self) -> "Writer":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)

    def identity(self, old: persons.Rows, new: persons.Rows) -> None:
        """Make the stored persons the new ones."""
        if IDENTITY not in self._but:
            self._done[IDENTITY] = self._pool.submit(persons.write, self._connection, old, new)

    def fact(self, fact: ModuleType, rows: pl.DataFrame, touched: list[str] | None) -> None:
        """Make the stored rows of the touched persons, or of all, these."""
        if fact.VIEW.name not in self._but:
            table = versioned(fact.VIEW, fact.VERSION)
            self._done[fact.VIEW.name] = self._pool.submit(
                replace_persons, self._connection, table, rows, touched
            )

    def written(self) -> dict[str, Written]:
        """What was written of each view, when all is."""
        return {name: done.result() for name, done in self._done.items()}
