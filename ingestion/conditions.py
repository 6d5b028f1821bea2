"""One call turns conditions into one column expression that is true where all of them hold."""

from collections.abc import Iterable

import polars as pl

from ingestion.language import Condition


def holds(conditions: Iterable[Condition]) -> pl.Expr:
    """True where every condition holds, never null."""
    found = pl.lit(value=True)
    for condition in conditions:
        found &= _one(condition).fill_null(value=False)
    return found


def _one(condition: Condition) -> pl.Expr:
    column, operand = condition.column, condition.operand
    if condition.test == "null":
        empty = pl.col(f"={column}").is_null()
        return empty if operand else ~empty
    if condition.test == "max":
        return pl.col(f"={column}").cast(pl.Float64, strict=False) <= float(str(operand))
    text = pl.col(f"={column}").cast(pl.String)
    if condition.test == "is":
        return text.is_in(list(operand) if isinstance(operand, tuple) else [str(operand)])
    whole = text.str.contains(rf"\A(?:{operand})\z")
    return whole if condition.test == "like" else ~whole
