"""Judging: what a computing beside the views that serve found of each, and which of them it may replace."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

import polars as pl
from sqlalchemy.engine import Connection

from projections.catchup import Outcome
from projections.comparing import Compared, compare
from projections.progress import Rebuilt
from projections.standing import Standing
from projections.tables import keys, read, shown, versioned
from projections.upkeep import Upkeep
from projections.views import columns_of
from projections.writing import IDENTITY


@dataclass(frozen=True, kw_only=True)
class Look:
    """One look at the views that serve, through `old`, and the position at which others are computed beside them."""

    old: Connection
    upkeep: Upkeep
    standing: Standing
    position: int

    def judged(self, outcome: Outcome, targets: Collection[str], *, accept: bool) -> list[Rebuilt]:
        """What was found of the targets, and of those that read what is replaced."""
        wanted, replaced, found = set(targets), set[str](), []
        for view in self.standing.versions:
            read_too = outcome.built.reads.get(view, set()) | ({IDENTITY} - {view})
            if view not in wanted and not read_too & replaced:
                continue
            found.append(self._judged(view, outcome, accept=accept or bool(read_too & replaced)))
            if found[-1].outcome in ("switched", "built"):
                replaced.add(view)
        return found

    def failed(self, targets: Collection[str], error: str) -> list[Rebuilt]:
        """None of the targets could be computed."""
        return [
            replace(self._blank(view), outcome="failed", error=error)
            for view in self.standing.versions
            if view in targets
        ]

    def _judged(self, view: str, outcome: Outcome, *, accept: bool) -> Rebuilt:
        blank = self._blank(view)
        if view in outcome.built.errors:
            return replace(blank, outcome="failed", error=outcome.built.errors[view])
        rows = outcome.identity if view == IDENTITY else {view: outcome.built.rows[view]}
        blank = replace(blank, rows=outcome.subjects if view == IDENTITY else rows[view].height)
        compared = self._compared(view, rows)
        if compared is None:
            return blank
        told = replace(
            blank,
            differing=compared.rows,
            added=compared.added,
            removed=compared.removed,
            differences=compared.listed,
        )
        if view not in self.standing.whole:
            return replace(told, outcome="switched")
        if not compared.rows:
            return replace(told, outcome="same")
        return replace(told, outcome="switched" if accept else "kept")

    def _blank(self, view: str) -> Rebuilt:
        mark, version = self.standing.marks.get(view), self.standing.versions[view]
        was = mark.version if mark is not None and mark.version != version else None
        return Rebuilt(view=view, position=self.position, outcome="built", was=was, version=version)

    def _compared(self, view: str, rows: Mapping[str, pl.DataFrame]) -> Compared | None:
        """Against the rows that serve, in the columns that both have; None where that says nothing."""
        mark = self.standing.marks.get(view)
        lost = (
            mark is not None
            and mark.version == self.standing.versions[view]
            and view not in self.standing.serving
        )
        if mark is None or lost or mark.position != self.position:
            return None
        total = Compared()
        for table in self.upkeep.tables(view):
            stored = self.standing.tables.get(versioned(table, mark.version).name, {})
            wanted = columns_of(table, self.old.dialect)
            both = tuple(name for name, kind in wanted.items() if stored.get(name) == kind)
            if not set(keys(table)) <= set(both):
                return None
            old = read(self.old, versioned(table, mark.version, both))
            new = rows[table.name if view == IDENTITY else view].select(both)
            total += compare(shown(table), old, new, keys(table))
        return total
