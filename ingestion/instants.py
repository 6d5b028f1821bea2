"""One call reads a column of times: as instants in UTC, with precision, and with what a clock change left open.

A local time that occurred twice is the first of the two and is flagged; one that never occurred is none.
"""

from dataclasses import dataclass

import polars as pl

from ingestion.language import SourceMapping
from ingestion.source import IngestError

LOCAL = pl.Datetime("us")
INSTANT = pl.Datetime("us", "UTC")
ISO = (
    *(f"%Y-%m-%d{gap}%H:%M{rest}" for gap in ("T", " ") for rest in (":%S%.f%z", ":%S%.f", "%z", "")),
    "%Y-%m-%d",
)
"""Tried when the mapping names no form."""
EARLIEST = 1900
"""A year before this one was written with two digits, or is a mistake."""


@dataclass(frozen=True, kw_only=True)
class Instants:
    """What a column of times says; `local` is what the wall clock showed."""

    value: pl.Expr
    local: pl.Expr
    precision: pl.Expr
    ambiguous: pl.Expr


def instants(name: str, mapping: SourceMapping) -> Instants:
    """Read text by the mapping's forms, each in turn."""
    local, aware, fineness = [], [], []
    for form in mapping.times or ISO:
        if "%z" in form or form == "%s":
            found = pl.col(name).str.strptime(
                LOCAL if form == "%s" else INSTANT, form.replace("%z", "%#z"), strict=False
            )
            aware.append(found if form != "%s" else found.dt.replace_time_zone("UTC"))
        else:
            found = pl.col(name).str.strptime(LOCAL, form, strict=False)
            local.append(found)
        fineness.append(pl.when(found.is_not_null()).then(pl.lit(_fineness(form))))
    wall = pl.coalesce(local) if local else pl.lit(None, dtype=LOCAL)
    placed, ambiguous = _placed(wall, mapping.zone)
    known = pl.coalesce(*aware, placed)
    own = known.dt.convert_time_zone(mapping.zone or "UTC").dt.replace_time_zone(None)
    return Instants(
        value=_sane(known),
        local=pl.coalesce(wall, own),
        precision=_precision(pl.coalesce(fineness), pl.coalesce(wall, own) if mapping.zone else wall, known),
        ambiguous=ambiguous,
    )


def read_native(frame: pl.DataFrame, name: str, mapping: SourceMapping) -> Instants:
    """Read a column that the file itself holds as times."""
    dtype, cell = frame.schema[f"#{name}"], pl.col(f"#{name}")
    if isinstance(dtype, pl.Datetime) and dtype.time_zone is not None:
        known = cell.cast(pl.Datetime("us", dtype.time_zone)).dt.convert_time_zone("UTC")
        wall, ambiguous = (
            known.dt.convert_time_zone(mapping.zone or "UTC").dt.replace_time_zone(None),
            pl.lit(value=False),
        )
    else:
        if mapping.zone is None and mapping.column(name).kind == "time":
            raise IngestError(
                f'The column "{name}" holds times without a zone; name theirs in {mapping.where}, [source] zone.'
            )
        wall = cell.cast(LOCAL)
        known, ambiguous = _placed(wall, mapping.zone)
    return Instants(
        value=_sane(known),
        local=wall,
        precision=_precision(pl.lit("second"), wall, known),
        ambiguous=ambiguous,
    )


def _placed(wall: pl.Expr, zone: str | None) -> tuple[pl.Expr, pl.Expr]:
    """The wall clock's instants, and where a clock change made it show the time twice."""
    if zone is None:
        return pl.lit(None, dtype=INSTANT), pl.lit(value=False)
    first = wall.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
    second = wall.dt.replace_time_zone(zone, ambiguous="latest", non_existent="null")
    return first.dt.convert_time_zone("UTC"), (first != second).fill_null(value=False)


def _sane(known: pl.Expr) -> pl.Expr:
    return pl.when(known.dt.year() >= EARLIEST).then(known)


def _precision(fineness: pl.Expr, wall: pl.Expr, known: pl.Expr) -> pl.Expr:
    midnight = wall == wall.dt.truncate("1d")
    fraction = known.dt.microsecond() != 0
    return (
        pl.when(midnight).then(pl.lit("day")).when(fraction).then(pl.lit("microsecond")).otherwise(fineness)
    )


def _fineness(form: str) -> str:
    if any(sign in form for sign in ("%S", "%T", "%s", "%c", "%+", "%X")):
        return "second"
    return "minute" if any(sign in form for sign in ("%M", "%R")) else "day"
