"""One call reads the cells of all wanted columns as the kinds that the mapping declares.

For a column `c` the frame gains `=c`, the value, and for times `!c`, the instant, `~c`, its precision, and `?c`,
whether the local time was ambiguous; `@reason` and `@detail` say what is wrong with a row, null if nothing is.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import polars as pl

from ingestion.instants import instants, read_native
from ingestion.language import Column, SourceMapping
from ingestion.source import LIMIT, IngestError

SHOWN = 80
WORDS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
NUMBER = r"^[+-]?[0-9]{1,28}(\.[0-9]{1,28})?([eE](-[0-9]{1,2}|\+?[0-9]))?$"


@dataclass(frozen=True, kw_only=True)
class Issue:
    """Rows where a test holds are refused, for a reason."""

    where: pl.Expr
    reason: str
    detail: pl.Expr


def said(column: str, problem: str) -> pl.Expr:
    """The sentence about a cell: which column, what it holds, what is wrong with that."""
    return pl.concat_str(pl.lit(f'{column} "'), pl.col(column).str.slice(0, SHOWN), pl.lit(f'" {problem}'))


def judge(frame: pl.DataFrame, issues: Sequence[Issue]) -> pl.DataFrame:
    """The frame with `@reason` and `@detail` of each row's first issue; what was found before stays."""
    none = pl.lit(None, dtype=pl.String)
    before = [pl.col("@reason"), pl.col("@detail")] if "@reason" in frame.columns else [none, none]
    reasons = [pl.when(issue.where).then(pl.lit(issue.reason)) for issue in issues]
    details = [pl.when(issue.where).then(issue.detail) for issue in issues]
    return frame.with_columns(
        pl.coalesce(before[0], *reasons).alias("@reason"), pl.coalesce(before[1], *details).alias("@detail")
    )


def read_cells(frame: pl.DataFrame, wanted: Sequence[str], mapping: SourceMapping) -> pl.DataFrame:
    """The frame with values, and the first thing that is wrong with each row."""
    frame = frame.with_columns(
        pl.col(name).alias(f"#{name}")
        for name in wanted
        if frame.schema[name].is_temporal() and mapping.column(name).kind in ("time", "date")
    )
    frame = frame.with_columns(_text(frame, name, mapping) for name in wanted)
    values: list[pl.Expr] = []
    for name in wanted:
        values.extend(_value(frame, name, mapping))
    frame = frame.with_columns(values)
    issues = [issue for name in wanted for issue in _issues(name, mapping.column(name), mapping)]
    return judge(frame, [_too_large(wanted), _nul(wanted), *issues])


def _text(frame: pl.DataFrame, name: str, mapping: SourceMapping) -> pl.Expr:
    """The cell as text, stripped; empty and null words are null."""
    dtype, cell = frame.schema[name], pl.col(name)
    if dtype.is_nested() or dtype in (pl.Binary, pl.Time, pl.Duration, pl.Object):
        raise IngestError(
            f'The column "{name}" holds {dtype}, which {mapping.where} cannot use; write it out as text.'
        )
    if dtype == pl.Datetime:
        text = cell.dt.strftime("%Y-%m-%dT%H:%M:%S%.f")
    elif dtype.is_float():
        text = cell.fill_nan(None).cast(pl.String)
    else:
        text = cell.cast(pl.String).str.strip_chars()
    nothing = ["", *mapping.null]
    return pl.when(~text.is_in(nothing)).then(text).alias(name)


def _value(frame: pl.DataFrame, name: str, mapping: SourceMapping) -> Iterator[pl.Expr]:
    kind, text = mapping.column(name).kind, pl.col(name)
    if kind in ("time", "date"):
        native = f"#{name}" in frame.columns
        read = read_native(frame, name, mapping) if native else instants(name, mapping)
        yield (read.local.dt.date() if kind == "date" else read.value).alias(f"={name}")
        yield read.value.alias(f"!{name}")
        yield read.precision.alias(f"~{name}")
        yield read.ambiguous.alias(f"?{name}")
    elif kind == "int":
        yield text.str.replace(r"\.0+$", "").cast(pl.Int64, strict=False).alias(f"={name}")
    elif kind == "decimal":
        plain = pl.when(text.str.contains(NUMBER)).then(text)
        yield (
            pl.when(plain.str.contains(r"^[^eE]*\.[0-9]*$"))
            .then(plain.str.strip_chars_end("0").str.strip_chars_end("."))
            .otherwise(plain)
            .alias(f"={name}")
        )
    elif kind == "bool":
        words = text.str.to_lowercase()
        yield words.replace_strict(WORDS, default=None, return_dtype=pl.Boolean).alias(f"={name}")
    else:
        yield text.alias(f"={name}")


def _issues(name: str, column: Column, mapping: SourceMapping) -> Iterator[Issue]:
    raw = pl.col(name)
    wrong = raw.is_not_null() & pl.col(f"={name}").is_null()
    if column.required:
        in_id = name in mapping.subject.columns or any(name in event.id.columns for event in mapping.events)
        reason = (
            "missing_time" if column.kind in ("time", "date") else "missing_id" if in_id else "missing_value"
        )
        yield Issue(where=raw.is_null(), reason=reason, detail=pl.lit(f"{name} is empty"))
    if column.kind in ("time", "date"):
        zoned = f" in {mapping.zone}" if mapping.zone else " with its zone, and the mapping names none"
        problem = f"is no {column.kind}{zoned if column.kind == 'time' else ''}"
        yield Issue(where=wrong, reason="bad_time", detail=said(name, problem))
    elif column.kind in ("int", "decimal"):
        noun = "whole number" if column.kind == "int" else "number"
        yield Issue(where=wrong, reason="bad_number", detail=said(name, f"is no {noun}"))
    elif column.kind == "bool":
        yield Issue(where=wrong, reason="unknown_value", detail=said(name, "is neither true nor false"))


def _nul(wanted: Sequence[str]) -> Issue:
    texts = [pl.col(name).str.contains("\0", literal=True).fill_null(value=False) for name in wanted]
    return Issue(
        where=pl.any_horizontal(texts),
        reason="malformed",
        detail=pl.lit("the record contains a NUL character"),
    )


def _too_large(wanted: Sequence[str]) -> Issue:
    size = pl.sum_horizontal(pl.col(name).str.len_bytes() for name in wanted)
    return Issue(
        where=size > LIMIT,
        reason="too_large",
        detail=pl.format("the record has {} bytes, more than 1 MiB", size),
    )
