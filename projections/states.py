"""States: the JSON of stored events as typed columns; one that cannot be read is named and stops no other."""

import io
import re
from collections.abc import Callable, Iterator, Mapping

import polars as pl

from domain.events import EVENTS
from projections.annotations import Field

SHUT = "what is sealed of it does not open with its key"
UNREAD = "!"
"""Begins what stands in a frame in place of a state that cannot be read; the reason follows."""
NO_OBJECT = "its state is no JSON object"
NEWER = "it is of version"
_VERSION = r'^\{"class_version":(\d+)[,}]'

Read = Callable[[pl.Series], pl.DataFrame]


class StateError(Exception):
    """Among these states is one that cannot be read."""


UNREADABLE = (StateError, pl.exceptions.PolarsError)


def parsed(states: pl.Series, schema: Mapping[str, pl.DataType]) -> pl.DataFrame:
    """All of them as columns: as lines through the reader of JSON lines, 8 x faster than row by row."""
    if not states.len() or not schema:
        return pl.DataFrame(schema=schema)
    if not _whole(states).all():
        raise StateError(NO_OBJECT)
    lines = io.BytesIO()
    states.to_frame("state").write_csv(lines, include_header=False, quote_style="never")
    found = pl.read_ndjson(_readable(lines.getvalue()), schema=schema)
    if found.height != states.len():
        raise StateError(NO_OBJECT)
    return found


def typed(states: pl.Series, fields: Mapping[str, Field]) -> pl.DataFrame:
    """All of them as the typed fields of their class."""
    found = parsed(states, {name: field.stored for name, field in fields.items()} or {"id": pl.String()})
    return found.select(field.typed(pl.col(name)).alias(name) for name, field in fields.items())


def separated(
    states: pl.Series, kinds: pl.Series, schema: Mapping[str, pl.DataType]
) -> tuple[pl.Series, pl.DataFrame]:
    """The states and the columns of all; those that cannot be read are a reason and, save newer ones, nulls."""
    parts = list(apart(states, lambda some: parsed(some, schema)))
    reasons = _versioned(states, kinds)
    for place, part in parts:
        if part is None:
            reasons[place] = reason(
                states[place], {name: _alone(name, kind) for name, kind in schema.items()}
            )
    empty = pl.DataFrame({name: [None] for name in schema}, schema=schema)
    columns = pl.concat([empty if part is None else part for _, part in parts])
    if not reasons:
        return states, columns
    return states.scatter(list(reasons), [UNREAD + reason for reason in reasons.values()]), columns


def apart(states: pl.Series, read: Read, start: int = 0) -> Iterator[tuple[int, pl.DataFrame | None]]:
    """Consecutive parts that can be read, each with the place where it begins; None for a state that cannot."""
    try:
        yield start, read(states)
    except UNREADABLE:
        if states.len() == 1:
            yield start, None
            return
        half = states.len() // 2
        yield from apart(states[:half], read, start)
        yield from apart(states[half:], read, start + half)


def reason(state: str, readers: Mapping[str, Read]) -> str:
    """Why one state cannot be read, in words that repeat nothing of it; each field is read alone."""
    if state.startswith(UNREAD):
        return state.removeprefix(UNREAD)
    one = pl.Series([state], dtype=pl.String)
    wrong = [name for name, read in {"": _alone("id", pl.String()), **readers}.items() if _fails(one, read)]
    if "" in wrong or not wrong:
        return NO_OBJECT
    return f"its {', '.join(wrong)} is of another kind than declared"


def _alone(name: str, kind: pl.DataType) -> Read:
    return lambda states: parsed(states, {name: kind})


def _fails(one: pl.Series, read: Read) -> bool:
    return next(apart(one, read))[1] is None


def _versioned(states: pl.Series, kinds: pl.Series) -> dict[int, str]:
    """States that still bear a class version, by their places: no class of ours could bring them up to date."""
    bearing = states.str.starts_with('{"class_version":')
    if not bearing.any():
        return {}
    versions = states.str.extract(_VERSION, 1).cast(pl.Int64, strict=False)
    rows = zip(bearing.arg_true(), versions.filter(bearing), kinds.filter(bearing), strict=True)
    return {place: _why(version, kind) for place, version, kind in rows if kind in EVENTS}


def _why(version: int | None, kind: str) -> str:
    known = EVENTS[kind].class_version
    if version == 0:
        return "its state is no text"
    if version is not None and version > known:
        return f"{NEWER} {version} of {kind}, this Omniline knows {known}"
    return f"its state cannot be brought to version {known} of {kind}"


def _whole(states: pl.Series) -> pl.Series:
    return states.str.starts_with("{") & states.str.ends_with("}") & ~states.str.contains("\n", literal=True)


def _readable(lines: bytes) -> bytes:
    """Without the character zero, which PostgreSQL keeps in no text."""
    if b"\\u0000" not in lines:
        return lines
    return re.sub(rb"(?<!\\)((?:\\\\)*)\\u0000", rb"\1\\ufffd", lines)
