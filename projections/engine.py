"""The engine: keeps the views true up to a log position, builds them anew, replays the past in memory."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Lock
from types import ModuleType

import polars as pl
from sqlalchemy.engine import Connection

from domain.asof import AsOf
from domain.log import Log
from domain.policy import Policies, Policy, shipped_policy
from projections.building import Reading, reading_of, worktime_of
from projections.catchup import Run, catch_up, decided, everything, rebuild_all
from projections.facts import FACTS
from projections.frames import decode
from projections.known import Known
from projections.progress import Facts, Progress, Rebuilt, ViewState, state_of
from projections.tables import read, schema, shown
from projections.trust import Trust
from projections.upkeep import Upkeep
from projections.views import Mark, Views, ViewsBusy, ViewsError
from projections.worktime import Worktime
from projections.writing import IDENTITY, Writer

__all__ = ["Engine", "Progress", "Rebuilt", "ViewState", "ViewsBusy", "ViewsError"]

RETRY = timedelta(minutes=1)
"""How long an engine leaves alone what it has seen fail; whole recomputations cost."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Engine:
    """The views of one log; threads may share it. It has no clock: `now` is an argument.

    `shipped` is what held before any adoption; a whole history of policies holds instead of the adopted ones.
    """

    def __init__(
        self,
        log: Log,
        views_url: str,
        facts: Sequence[ModuleType] = FACTS,
        shipped: Policy | Policies | None = None,
        *,
        patience: int = 60,
    ) -> None:
        self.log = log
        self._views = Views(views_url, patience=patience)
        self._modules = tuple(facts)
        self._shipped = shipped or shipped_policy()
        epoch = f"{log.epoch}/{self._shipped.digest[:16]}"
        self._upkeep = Upkeep(log=log, facts=self._modules, epoch=epoch)
        self._failed: dict[str, datetime] = {}
        self._frames: dict[str, tuple[Mark, pl.DataFrame]] = {}
        self._said: tuple[int, Reading, Worktime] | None = None
        self._lock = Lock()

    def catch_up(self, *, now: datetime) -> Progress:
        """Bring every view to the log's head; rows and positions commit together or not at all."""
        try:
            with self._views.writing() as connection:
                return self._catch_up(connection, now)
        except ViewsBusy:
            return Progress(head=self.log.head(), busy=True, views=self.positions())

    def rebuild(self, view: str | None = None, *, now: datetime) -> list[Rebuilt]:
        """Compute one view, or all, from the whole log; the differences found are counted and written."""
        views = self._upkeep.versions
        if view is not None and view not in views:
            raise ViewsError(f"There is no view {view}: choose one of {', '.join(views)}.")
        with self._views.writing() as connection:
            head = self._catch_up(connection, now).head
            run = self._run(AsOf(instant=now, position=head))
            others = () if view is None else tuple(name for name in views if name != view)
            with Writer(connection, but=others) as writer:
                outcome = rebuild_all(run, connection, writer)
                changes = writer.written()
            self._upkeep.mark(connection, outcome.built.errors, changes, head=head, now=now)
        self._frames.clear()
        return [
            Rebuilt(
                view=name,
                position=head,
                rows=outcome.subjects if name == IDENTITY else outcome.built.rows[name].height,
                added=changes[name].added,
                removed=changes[name].removed,
            )
            if name in changes
            else Rebuilt(view=name, position=0, rows=0, added=0, removed=0, error=outcome.built.errors[name])
            for name in views
            if view in (None, name)
        ]

    def replay(self, as_of: AsOf) -> Known:
        """What was known as of then, all facts included, in memory."""
        head = self.log.head()
        position = head if as_of.position is None else min(as_of.position, head)
        known, built = everything(self._run(replace(as_of, position=position)))
        return replace(known, facts=Facts(built.rows, built.errors))

    def positions(self) -> dict[str, ViewState]:
        """How every view stands."""
        head = self.log.head()
        with self._views.reading() as connection:
            stood = self._upkeep.standing(connection, head)
        return {name: state_of(stood.get(name), head) for name in self._upkeep.versions}

    def position(self) -> int:
        """The log position up to which persons, and all views that are well, are true."""
        return self.positions()[IDENTITY].position

    def facts(self, name: str) -> pl.DataFrame:
        """A whole stored table: a fact, or assignments or identifiers; empty while it is missing."""
        tables = {shown(table): (view, table) for view, own in self._upkeep.tables.items() for table in own}
        if name not in tables:
            raise ViewsError(f"There is no view {name}: choose one of {', '.join(tables)}.")
        view, table = tables[name]
        head = self.log.head()
        with self._views.reading() as connection:
            mark = self._upkeep.standing(connection, head).get(view)
            if mark is None:
                return schema(table).to_frame()
            kept = self._frames.get(name)
            if kept is None or kept[0] != mark:
                kept = self._frames[name] = (mark, read(connection, table))
        return kept[1]

    def policies(self) -> Policies:
        """Everything promised, as known at the views' position."""
        return self._read_decisions()[1].policies

    def trust(self) -> Trust:
        """Whom we believe in what, at the views' position."""
        return self._read_decisions()[1].trust

    def worktime(self) -> Worktime:
        """Business time under these policies."""
        return self._read_decisions()[2]

    def close(self) -> None:
        """Give back the connections to the views; the log stays open."""
        self._views.close()

    def _catch_up(self, connection: Connection, now: datetime) -> Progress:
        head = self.log.head()
        stood, notes = self._upkeep.prepare(connection, head)
        base = stood[IDENTITY].position if IDENTITY in stood else 0
        stale = {name for name in self._upkeep.versions if not _well(stood.get(name), base)}
        due = {name for name in stale if now - self._failed.get(name, EPOCH) >= RETRY}
        if head == base and not due:
            return Progress(head=head, notes=notes, views=self._states(stood, head))
        run = self._run(AsOf(instant=now, position=head))
        with Writer(connection, but=() if due else stale) as writer:
            outcome = catch_up(run, connection, writer, 0 if due else base)
            changes = writer.written()
        stood = self._upkeep.mark(connection, outcome.built.errors, changes, head=head, now=now)
        self._failed = dict.fromkeys(outcome.built.errors, now)
        return Progress(
            head=head,
            events=head - base,
            persons=outcome.persons,
            added=sum(change.added for change in changes.values()),
            removed=sum(change.removed for change in changes.values()),
            notes=notes,
            views=self._states(stood, head),
        )

    def _states(self, stood: dict[str, Mark], head: int) -> dict[str, ViewState]:
        return {name: state_of(stood.get(name), head) for name in self._upkeep.versions}

    def _run(self, as_of: AsOf) -> Run:
        return Run(log=self.log, as_of=as_of, shipped=self._shipped, facts=self._modules)

    def _read_decisions(self) -> tuple[int, Reading, Worktime]:
        position = self.position()
        with self._lock:
            if self._said is None or self._said[0] != position:
                with self._views.reading() as connection:
                    run = self._run(AsOf(instant=EPOCH, position=position))
                    reading = reading_of(decided(run, connection), run.as_of, self._shipped)
                ends = [
                    self.log.arrow(upto=min(1, position)),
                    self.log.arrow(after=position - 1, upto=position),
                ]
                span = pl.concat([decode(end) for end in ends])
                self._said = (position, reading, worktime_of(span, reading.policies, EPOCH))
            return self._said


def _well(mark: Mark | None, base: int) -> bool:
    return mark is not None and mark.state == "ok" and mark.position == base
