"""One call turns rows of a file into records: the events of each, or why it has none. Nothing is stored here."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

import polars as pl

from domain.log import Refused
from ingestion.assertions import Assertions
from ingestion.building import Builder
from ingestion.cells import read_cells
from ingestion.drafting import draft
from ingestion.folding import Folded, fold
from ingestion.lookups import look_up
from ingestion.plan import Plan
from ingestion.source import ROW, Bad, Rows, Translated

RECORDS = 4_000
"""So many records are handed on at a time."""


@dataclass(kw_only=True)
class Translation:
    """One file on its way; `latest` is the last instant that is not in the future."""

    plan: Plan
    source: str
    file: str
    latest: datetime
    assertions: Assertions
    lookups: tuple[pl.DataFrame, ...] = ()
    seen: set[str] = field(default_factory=set)

    def records(self, rows: Iterable[Rows]) -> Iterator[Translated]:
        """All records of a file in the order in which they are to be stored."""
        mapping = self.plan.mapping
        if not mapping.order and mapping.group is None:
            for part in rows:
                yield self._refused(part.bad)
                yield from self._translate(part.frame)
            return
        parts = list(rows)
        bad = [one for part in parts for one in part.bad]
        frame = pl.concat(part.frame for part in parts)
        if mapping.group is not None:
            frame, bad = _with_broken(frame, bad, mapping.group.by)
        yield self._refused(bad)
        yield from self._translate(frame)

    def _translate(self, frame: pl.DataFrame) -> Iterator[Translated]:
        mapping = self.plan.mapping
        for join, lookup in zip(mapping.joins, self.lookups, strict=True):
            frame = look_up(frame, lookup, join)
        cells = read_cells(frame, self.plan.wanted, mapping)
        folded = fold(cells, mapping)
        if mapping.order:
            keys = [name if name == ROW else f"={name}" for name in mapping.order]
            folded = Folded(frame=folded.frame.sort(keys, maintain_order=True), kept=folded.kept)
        drafted = draft(folded.frame, self.plan, self.latest)
        builder = Builder(
            plan=self.plan,
            source=self.source,
            file=self.file,
            assertions=self.assertions,
            kept=folded.kept,
            seen=self.seen,
        )
        for start in range(0, drafted.height, RECORDS):
            yield self._settled(drafted.slice(start, RECORDS), builder)

    def _settled(self, frame: pl.DataFrame, builder: Builder) -> Translated:
        wrong = pl.col("@reason").is_not_null()
        ignored = ~wrong & pl.col("@ignored").is_not_null()
        good = frame.filter(~wrong & ~ignored)
        before = self.assertions.refused.copy()
        records = builder.records(good)
        doubtful = [name for name in good.columns if name.startswith("?")]
        flagged = Counter(
            ambiguous_time=good.select(pl.any_horizontal(doubtful).sum()).item() if doubtful else 0
        )
        return Translated(
            records=records,
            refused=[self._refusal(row) for row in frame.filter(wrong).iter_rows(named=True)],
            ignored=Counter(frame.filter(ignored)["@ignored"].to_list()),
            flagged=+(flagged + (self.assertions.refused - before)),
            rows=int(frame["@rows"].sum()),
        )

    def _refusal(self, row: dict[str, object]) -> Refused:
        cells = {name: row[name] for name in self.plan.wanted if row[name] is not None}
        return Refused(
            source=self.source,
            file=self.file,
            line=int(str(row["@fault"])),
            reason=str(row["@reason"]),
            detail=str(row["@detail"]),
            record=json.dumps(cells, ensure_ascii=False, default=str),
        )

    def _refused(self, bad: list[Bad]) -> Translated:
        refused = [
            Refused(
                source=self.source,
                file=self.file,
                line=one.line,
                reason=one.reason,
                detail=one.detail,
                record=one.record,
            )
            for one in bad
        ]
        return Translated(refused=refused, rows=len(bad))


def _with_broken(frame: pl.DataFrame, bad: list[Bad], by: tuple[str, ...]) -> tuple[pl.DataFrame, list[Bad]]:
    """Put broken rows into the groups they belong to, so that no record is stored without one of its rows."""
    broken = [one for one in bad if all(one.cells.get(name, "").strip() for name in by)]
    if not broken:
        return frame, bad
    marks = {"@reason": [one.reason for one in broken], "@detail": [one.detail for one in broken]}
    cells = {name: [one.cells.get(name) for one in broken] for name in frame.columns if name != ROW}
    rows = pl.DataFrame(
        {**cells, ROW: [one.line for one in broken], **marks},
        schema={**frame.schema, "@reason": pl.String, "@detail": pl.String},
    )
    return pl.concat([frame, rows], how="diagonal"), [one for one in bad if one not in broken]
