"""Annotations of event classes as columns: how a field is stored in JSON and typed in a frame."""

import types
import typing
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Any

import msgspec
import polars as pl

from domain.events.envelope import Event, own_fields

INSTANT = pl.Datetime("us", "UTC")


@dataclass(frozen=True, kw_only=True)
class Field:
    """How one field is stored in JSON, and the expression that types it."""

    stored: pl.DataType
    typed: Callable[[pl.Expr], pl.Expr]


@cache
def fields_of(event: type[Event]) -> dict[str, Field]:
    defaults = {field.name: field for field in msgspec.structs.fields(event)}
    return {name: _field(hint, defaults[name]) for name, hint in own_fields(event).items()}


def _field(hint: Any, info: msgspec.structs.FieldInfo) -> Field:
    stored, typed = _kinds(hint)
    default = info.default
    if info.default_factory is not msgspec.NODEFAULT:
        default = info.default_factory()
    if isinstance(typed, pl.List):
        return Field(stored=stored, typed=lambda column: column.cast(typed).fill_null([]))
    if default is None or default is msgspec.NODEFAULT or isinstance(default, dict):
        return Field(stored=stored, typed=lambda column: _typed(column, typed))
    return Field(stored=stored, typed=lambda column: _typed(column, typed).fill_null(default))


def _typed(column: pl.Expr, kind: pl.DataType) -> pl.Expr:
    if kind == INSTANT:
        offset = column.str.replace("Z$", "+00:00")
        return offset.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f%:z", time_unit="us", strict=True)
    if kind == pl.Date():
        return column.str.to_date("%Y-%m-%d")
    return column.cast(kind)


_SCALARS: dict[Any, tuple[pl.DataType, pl.DataType]] = {
    str: (pl.String(), pl.String()),
    dict: (pl.String(), pl.String()),
    bool: (pl.Boolean(), pl.Boolean()),
    int: (pl.Int64(), pl.Int64()),
    float: (pl.Float64(), pl.Float64()),
    Decimal: (pl.String(), pl.Float64()),
    datetime: (pl.String(), INSTANT),
    date: (pl.String(), pl.Date()),
}


def _kinds(hint: Any) -> tuple[pl.DataType, pl.DataType]:
    """How an annotation is stored in JSON and how it is typed in a frame."""
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Annotated or origin in (typing.Union, types.UnionType):
        return _kinds(next(part for part in inner if part is not type(None)))
    if origin in (tuple, list):
        stored, typed = _kinds(inner[0])
        return pl.List(stored), pl.List(typed)
    scalar = type(inner[0]) if origin is typing.Literal else origin or hint
    if scalar in _SCALARS:
        return _SCALARS[scalar]
    kinds = {field.name: _kinds(field.type) for field in msgspec.structs.fields(hint)}
    return (
        pl.Struct({name: stored for name, (stored, _) in kinds.items()}),
        pl.Struct({name: typed for name, (_, typed) in kinds.items()}),
    )
