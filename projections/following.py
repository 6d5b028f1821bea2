"""Following: the views brought to the log's head by its news, and beside what serves where news cannot do it."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.engine import Connection

from projections import unread
from projections.catchup import Run, catch_up
from projections.pinning import destroyed, pinned
from projections.pins import Bereft
from projections.poison import Choked, choking
from projections.progress import Progress, Rebuilt
from projections.rebuilding import Rebuilding
from projections.retries import Retries
from projections.standing import Standing
from projections.upkeep import Upkeep
from projections.views import Views
from projections.writing import IDENTITY, Writer

PASSED = "events passed over"


@dataclass(frozen=True, kw_only=True)
class Following:
    """How one engine follows the log; `run_at` looks at the log up to a position, judged at an instant."""

    views: Views
    upkeep: Upkeep
    run_at: Callable[[int, datetime], Run]
    retries: Retries = field(default_factory=Retries)

    def follow(self, now: datetime, *, erased: bool = False) -> Progress:
        """Bring those views to the head that news alone can bring there; all of them where nothing serves.

        With `erased` also those persons are computed anew of whom keys were destroyed.
        """
        try:
            with self.views.writing() as connection:
                standing = self.upkeep.standing(connection, anew=True)
                standing.check()
                self.upkeep.tidy(connection, standing)
                gone = erased and IDENTITY in standing.current
                again = set(destroyed(connection, self.upkeep.log)) if gone else set()
                return self._follow(connection, standing, now, again)
        except Choked as choked:
            self.retries.note([IDENTITY], [IDENTITY], now)
            with self.views.writing() as connection:
                standing = self.upkeep.standing(connection)
                self.upkeep.tidy(connection, standing)
                self.upkeep.mark(connection, (), {IDENTITY: str(choked)}, position=0, now=now)
            return Progress(head=standing.head)

    def beside(self, views: Collection[str], now: datetime) -> list[Rebuilt]:
        """Build those of these views that are worth another try beside the ones that serve."""
        due = self.retries.due(views, now)
        if not due:
            return []
        try:
            found = self.rebuilding(now).rebuild(due)
        except Bereft:
            self.follow(now, erased=True)
            found = self.rebuilding(now, pinned=True).rebuild(due)
        self.retries.note(due, {one.view for one in found if one.error}, now)
        return found

    def rebuilding(
        self, now: datetime, *, accept: bool = False, anew: bool = False, pinned: bool = False
    ) -> Rebuilding:
        """How these views are rebuilt."""
        return Rebuilding(
            views=self.views,
            upkeep=self.upkeep,
            run_at=lambda position: self.run_at(position, now),
            now=now,
            accept=accept,
            anew=anew,
            pinned=pinned,
        )

    def _follow(self, connection: Connection, standing: Standing, now: datetime, again: set[str]) -> Progress:
        first, base, head = IDENTITY not in standing.serving, standing.base, standing.head
        again |= self._readable(connection, standing, now)
        nothing = head == base and not standing.choked and not again
        able = first or (IDENTITY in standing.current and not nothing)
        if not able or not self.retries.due([IDENTITY], now):
            return Progress(head=head)
        if first:
            self.upkeep.clear(connection, standing)
        views = frozenset(standing.versions) if first else standing.level
        with Writer(connection, but=standing.versions.keys() - views) as writer, choking():
            run, outcome = pinned(
                self.run_at(head, now),
                connection,
                base,
                lambda run: catch_up(run, connection, writer, base, again),
            )
            changes = writer.written()
        head = run.head
        unread.note(connection, outcome.passed, read=outcome.read)
        errors = {name: error for name, error in outcome.built.errors.items() if name in views}
        self.upkeep.mark(connection, changes, errors, position=head, now=now)
        self.retries.note(views, errors, now)
        return Progress(
            head=head,
            events=head - base,
            persons=outcome.persons,
            added=sum(change.added for change in changes.values()),
            removed=sum(change.removed for change in changes.values()),
            notes=(*(_lost(standing) if first else ()), *unread.sentences(outcome.passed)),
        )

    def _readable(self, connection: Connection, standing: Standing, now: datetime) -> set[str]:
        """Subjects of whom an event could not be read, and now can be."""
        if IDENTITY not in standing.current or not unread.waiting(connection):
            return set()
        if not self.retries.due([PASSED], now):
            return set()
        opened = self.run_at(standing.base, now).opened
        found = unread.readable(unread.stored(connection), self.upkeep.log, standing.base, opened)
        self.retries.note([PASSED], [] if found else [PASSED], now)
        return found


def _lost(standing: Standing) -> tuple[str, ...]:
    """What to say where everything is built anew though it once stood."""
    stood = [
        name for name, mark in standing.marks.items() if name in standing.versions and mark.state == "ok"
    ]
    return (f"Tables of {IDENTITY} were missing: all views were built anew.",) if stood else ()
