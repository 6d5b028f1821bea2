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
DRAFTED = 20_000
"""So many rows are read and drafted at a time, unless they must be folded."""


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
        yield from self._translate(frame if mapping.group else self._sorted(frame))

    def _sorted(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The rows in the order that the mapping wants, not yet read further than that takes."""
        order = self.plan.mapping.order
        names = [name for name in order if name != ROW]
        if any(name in join.columns for join in self.plan.mapping.joins for name in names):
            frame = self._joined(frame)
        keys = read_cells(frame.select(*names, ROW), names, self.plan.mapping).with_row_index("@place")
        places = keys.sort([name if name == ROW else f"={name}" for name in order], maintain_order=True)[
            "@place"
        ]
        return frame[places]

    def _joined(self, frame: pl.DataFrame) -> pl.DataFrame:
        for join, lookup in zip(self.plan.mapping.joins, self.lookups, strict=True):
            frame = look_up(frame, lookup, join)
        return frame

    def _translate(self, frame: pl.DataFrame) -> Iterator[Translated]:
        mapping = self.plan.mapping
        height = frame.height if mapping.group else DRAFTED
        for start in range(0, frame.height, max(height, 1)):
            part = frame.slice(start, height)
            joined = part if set(self.plan.wanted) <= set(part.columns) else self._joined(part)
            folded = fold(read_cells(joined, self.plan.wanted, mapping), mapping)
            if mapping.group and mapping.order:
                keys = [name if name == ROW else f"={name}" for name in mapping.order]
                folded = Folded(frame=folded.frame.sort(keys, maintain_order=True), kept=folded.kept)
            yield from self._drafted(folded)

    def _drafted(self, folded: Folded) -> Iterator[Translated]:
        builder = Builder(
            plan=self.plan,
            source=self.source,
            file=self.file,
            assertions=self.assertions,
            kept=folded.kept,
            seen=self.seen,
        )
        for start in range(0, folded.frame.height, DRAFTED):
            drafted = draft(folded.frame.slice(start, DRAFTED), self.plan, self.latest)
            for place in range(0, drafted.height, RECORDS):
                yield self._settled(drafted.slice(place, RECORDS), builder)

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
