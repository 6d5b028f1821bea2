"""The engine: keeps the views true up to a log position, builds them anew, replays the past in memory."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from types import ModuleType

import polars as pl

from domain.asof import AsOf
from domain.log import Log
from domain.policy import Policies, Policy, shipped_policy
from projections.catchup import Run, everything
from projections.comparing import Difference
from projections.facts import FACTS
from projections.following import Following
from projections.known import Known
from projections.progress import Facts, Progress, Rebuilt, ViewState, note_of, states_of
from projections.serving import Serving
from projections.trust import Trust
from projections.upkeep import Upkeep
from projections.views import Views, ViewsBusy, ViewsError, ViewsRefused
from projections.worktime import Worktime
from projections.writing import IDENTITY

__all__ = [
    "Difference",
    "Engine",
    "Progress",
    "Rebuilt",
    "ViewState",
    "ViewsBusy",
    "ViewsError",
    "ViewsRefused",
]


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
        self.address = self._views.shown
        self._modules = tuple(facts)
        self._shipped = shipped or shipped_policy()
        epoch = f"{log.epoch}/{self._shipped.digest[:16]}"
        upkeep = Upkeep(log=log, facts=self._modules, epoch=epoch, address=self.address)
        self._serving = Serving(self._views, upkeep, self._run_at, self._shipped)
        self._following = Following(views=self._views, upkeep=upkeep, run_at=self._run_at)

    def check(self) -> None:
        """Refuse views that do not follow from this log, or that a newer Omniline keeps, with one sentence."""
        self._serving.standing().check()

    def catch_up(self, *, now: datetime) -> Progress:
        """Bring every view to the log's head; rows and positions commit together or not at all.

        What cannot be brought there by news alone is built anew beside what serves.
        """
        try:
            standing = self._serving.standing()
            standing.check()
            rebuilt = self._following.beside(standing.former, now)
            progress = self._following.follow(now)
            after = self._serving.standing()
            if mended := self._following.beside(after.behind, now):
                rebuilt, after = rebuilt + mended, self._serving.standing()
        except ViewsBusy:
            return Progress(head=self.log.head(), busy=True, views=self.positions())
        if rebuilt:
            self._serving.forget()
        return replace(
            progress,
            added=progress.added + sum(one.added for one in rebuilt),
            removed=progress.removed + sum(one.removed for one in rebuilt),
            notes=(*filter(None, map(note_of, rebuilt)), *progress.notes),
            rebuilt=tuple(rebuilt),
            views=states_of(after),
        )

    def rebuild(self, view: str | None = None, *, now: datetime, accept: bool = False) -> list[Rebuilt]:
        """Compute one view, or all, from the log beside those that serve, and compare them row by row.

        Rows that differ are taken where the version of the build was raised, or with `accept`. All views at once
        also take the place of views that are refused.
        """
        standing = self._serving.standing()
        names = tuple(standing.versions)
        if view is not None and view not in names:
            raise ViewsError(f"There is no view {view}: choose one of {', '.join(names)}.")
        anew = bool(standing.refused) and view is None
        self._following.retries.forget()
        if not anew:
            self._following.follow(now, erased=True)
        targets = names if view in (None, IDENTITY) else (view,)
        found = self._following.rebuilding(now, accept=accept, anew=anew, pinned=True).rebuild(targets)
        self._serving.forget()
        self._following.follow(now)
        choked = self._serving.standing().choked
        return [
            replace(one, outcome="failed", error=choked) if choked and one.view == IDENTITY else one
            for one in found
        ]

    def replay(self, as_of: AsOf) -> Known:
        """What was known as of then, all facts included, in memory."""
        head = self.log.head()
        position = head if as_of.position is None else min(as_of.position, head)
        known, built = everything(self._run(replace(as_of, position=position)))
        return replace(known, facts=Facts(built.rows, built.errors))

    def positions(self) -> dict[str, ViewState]:
        """How every view stands; refused ones with the sentence that says why."""
        return states_of(self._serving.standing())

    def position(self) -> int:
        """The log position up to which persons, and all views that are well, are true."""
        standing = self._serving.standing()
        standing.check()
        return standing.base

    def passed_over(self) -> tuple[str, ...]:
        """A sentence for each stored event that cannot be read and each topic that is unknown."""
        return self._serving.passed_over()

    def facts(self, name: str) -> pl.DataFrame:
        """A whole stored table: a fact, or assignments or identifiers; empty while it is missing."""
        return self._serving.facts(name)

    def policies(self) -> Policies:
        """Everything promised, as known at the views' position."""
        return self._serving.said()[0].policies

    def trust(self) -> Trust:
        """Whom we believe in what, at the views' position."""
        return self._serving.said()[0].trust

    def worktime(self) -> Worktime:
        """Business time under these policies."""
        return self._serving.said()[1]

    def close(self) -> None:
        """Give back the connections to the views; the log stays open."""
        self._views.close()

    def _run_at(self, position: int, now: datetime) -> Run:
        return self._run(AsOf(instant=now, position=position))

    def _run(self, as_of: AsOf) -> Run:
        return Run(log=self.log, as_of=as_of, shipped=self._shipped, facts=self._modules)
