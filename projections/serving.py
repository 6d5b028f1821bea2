"""Serving: what the stored views show, and what was promised at their position."""

from collections.abc import Callable
from datetime import UTC, datetime
from threading import Lock

import polars as pl

from domain.policy import Policies, Policy
from projections import persons, unread
from projections.building import Reading, reading_of, worktime_of
from projections.catchup import Run, decided
from projections.frames import decode
from projections.standing import Standing
from projections.tables import read, schema, shown, versioned
from projections.upkeep import Upkeep
from projections.views import Mark, Views, ViewsBusy, ViewsError
from projections.worktime import Worktime
from projections.writing import IDENTITY

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Said = tuple[Reading, Worktime]


class Serving:
    """Reads the views of one engine; tables and decisions are kept while their marks stay the same."""

    def __init__(
        self,
        views: Views,
        upkeep: Upkeep,
        run_at: Callable[[int, datetime], Run],
        shipped: Policy | Policies,
    ) -> None:
        self._views = views
        self._upkeep = upkeep
        self._run_at = run_at
        self._shipped = shipped
        self._frames: dict[str, tuple[Mark, pl.DataFrame]] = {}
        self._said: tuple[Mark | None, Said] | None = None
        self._lock = Lock()

    def standing(self) -> Standing:
        """One look at marks and tables."""
        with self._views.reading() as connection:
            return self._upkeep.standing(connection)

    def passed_over(self) -> tuple[str, ...]:
        """A sentence for each stored event that cannot be read and each topic that is unknown."""
        with self._views.reading() as connection:
            if not self._upkeep.standing(connection).marks:
                return ()
            return unread.sentences(unread.stored(connection))

    def facts(self, name: str) -> pl.DataFrame:
        """A whole stored table; empty while it is missing. One dropped while we look is looked for again."""
        tables = {shown(table): view for view in self._upkeep.versions for table in self._upkeep.tables(view)}
        if name not in tables:
            raise ViewsError(f"There is no view {name}: choose one of {', '.join(tables)}.")
        try:
            return self._stored(tables[name], name)
        except ViewsBusy:
            return self._stored(tables[name], name)

    def forget(self) -> None:
        """Read tables anew: their rows may be others though their marks are the same."""
        self._frames.clear()

    def said(self) -> Said:
        """Whom we believed and what was promised, at the views' position, and business time under it."""
        with self._views.reading() as connection:
            standing = self._upkeep.standing(connection)
            standing.check()
            mark = standing.marks[IDENTITY] if IDENTITY in standing.serving else None
            with self._lock:
                if self._said is None or self._said[0] != mark:
                    run = self._run_at(standing.base, EPOCH)
                    known = versioned(persons.DECIDED, mark.version) if mark else None
                    reading = reading_of(decided(run, connection, known=known), run.as_of, self._shipped)
                    ends = [
                        run.log.arrow(upto=min(1, run.head)),
                        run.log.arrow(after=run.head - 1, upto=run.head),
                    ]
                    span = pl.concat([decode(end) for end in ends])
                    self._said = (mark, (reading, worktime_of(span, reading.policies, EPOCH)))
                return self._said[1]

    def _stored(self, view: str, name: str) -> pl.DataFrame:
        table = next(table for table in self._upkeep.tables(view) if shown(table) == name)
        with self._views.reading() as connection:
            standing = self._upkeep.standing(connection)
            standing.check()
            if view not in standing.serving:
                return schema(table).to_frame()
            mark = standing.marks[view]
            kept = self._frames.get(name)
            if kept is None or kept[0] != mark:
                kept = self._frames[name] = (mark, read(connection, versioned(table, mark.version)))
        return kept[1]
