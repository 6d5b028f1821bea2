"""One call folds a file's rows into one record per group, wherever in the file they stand."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

import polars as pl

from domain.events.orders import Line
from ingestion.language import Group, SourceMapping
from ingestion.source import ROW

NUMBERS = ("quantity", "price", "discount")


@dataclass(frozen=True, kw_only=True)
class Folded:
    """One row per record; `@lines` and sums are places in the lists kept beside, sums also plain numbers."""

    frame: pl.DataFrame
    kept: dict[str, Sequence[object]] = field(default_factory=dict)


def fold(frame: pl.DataFrame, mapping: SourceMapping) -> Folded:
    """The records of a frame of cells; without a [group] every row is one."""
    group = mapping.group
    if group is None:
        return Folded(
            frame=frame.with_columns(pl.lit(1, dtype=pl.Int64).alias("@rows"), pl.col(ROW).alias("@fault"))
        )
    parts = {f"@line.{name}": column for name, column in group.lines.items()}
    parts |= {f"@sum.{column}": column for factors in group.sums.values() for column in factors}
    folded = frame.group_by([f"={name}" for name in group.by], maintain_order=True).agg(
        *(
            _first(column)
            for column in frame.columns
            if column not in (ROW, *(f"={name}" for name in group.by))
        ),
        pl.col(ROW).min(),
        pl.col(ROW).filter(pl.col("@reason").is_not_null()).first().alias("@fault"),
        pl.len().cast(pl.Int64).alias("@rows"),
        *(pl.col(f"={column}").cast(pl.String).alias(name) for name, column in parts.items()),
    )
    folded = _earliest(folded, frame, group)
    kept: dict[str, Sequence[object]] = {}
    if group.lines:
        kept["@lines"] = _lines(folded, group)
    totals = {f"@{name}": _sums(folded, factors) for name, factors in group.sums.items()}
    numbers = [
        pl.Series(f"={name}", [float(total) for total in found], pl.Float64) for name, found in totals.items()
    ]
    places = pl.int_range(pl.len(), dtype=pl.Int64)
    plain = folded.drop(parts).with_columns(*numbers, *(places.alias(name) for name in (*kept, *totals)))
    return Folded(frame=plain, kept={**kept, **totals})


def _first(column: str) -> pl.Expr:
    return pl.col(column).drop_nulls().first()


def _earliest(folded: pl.DataFrame, frame: pl.DataFrame, group: Group) -> pl.DataFrame:
    """Give each record the time of its earliest row, not of its first."""
    keys = [f"={name}" for name in group.by]
    marks = [f"{mark}{group.at}" for mark in ("", "=", "!", "~", "?")]
    first = frame.sort(f"!{group.at}", ROW, nulls_last=True).group_by(keys, maintain_order=True).first()
    return folded.drop(marks).join(
        first.select(*keys, *marks), on=keys, how="left", nulls_equal=True, maintain_order="left"
    )


def _lines(folded: pl.DataFrame, group: Group) -> list[tuple[Line, ...]]:
    columns = [folded[f"@line.{name}"].to_list() for name in group.lines]
    return [_record_lines(tuple(group.lines), cells) for cells in zip(*columns, strict=True)]


def _record_lines(names: tuple[str, ...], cells: Sequence[Sequence[str | None]]) -> tuple[Line, ...]:
    read = [
        [None if cell is None else Decimal(cell) for cell in column] if name in NUMBERS else column
        for name, column in zip(names, cells, strict=True)
    ]
    return tuple(Line(**dict(zip(names, line, strict=True))) for line in zip(*read, strict=True))


def _sums(folded: pl.DataFrame, factors: tuple[str, ...]) -> list[Decimal]:
    columns = [folded[f"@sum.{column}"].to_list() for column in factors]
    return [_sum(cells) for cells in zip(*columns, strict=True)]


def _sum(cells: Sequence[Sequence[str | None]]) -> Decimal:
    total = Decimal(0)
    for row in zip(*cells, strict=True):
        product = Decimal(1)
        if any(cell is None for cell in row):
            continue
        for cell in row:
            product *= Decimal(cell or 0)
        total += product
    return plain(total)


def plain(number: Decimal) -> Decimal:
    """The number as people write it, without idle zeros: 12.50 and 12.5 are one content."""
    text = format(number, "f")
    return Decimal(text.rstrip("0").rstrip(".") if "." in text else text)
