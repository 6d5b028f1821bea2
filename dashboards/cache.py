"""What the reader answered, kept per home, position and instant: equal questions are asked once."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any, cast

import polars as pl
import streamlit as st

from dashboards import context
from projections.reader import Freshness, Reader

Argument = str | int | date | tuple[str, ...] | None


@st.cache_data(max_entries=600, max_size="256mb", show_spinner=False)
def _answer(
    home: str,  # noqa: ARG001
    position: int,  # noqa: ARG001
    instant: float,  # noqa: ARG001
    method: str,
    arguments: tuple[tuple[str, Argument], ...],
    _reader: Reader,
) -> Any:
    return getattr(_reader, method)(**dict(arguments))


@dataclass(frozen=True, kw_only=True)
class Answers:
    """The reader's questions, cached; narrowed to the chosen channels where the question allows it."""

    home: str
    reader: Reader
    channels: tuple[str, ...] | None = None

    def ask(self, method: str, **arguments: Argument) -> Any:
        instant = self.reader.instant.timestamp()
        asked = tuple(sorted(arguments.items()))
        return _answer(self.home, self.reader.position, instant, method, asked, self.reader)

    def kpi(self, key: str, *, start: date, end: date, by: Iterable[str] = ()) -> pl.DataFrame:
        asked = self.ask("kpi", key=key, by=tuple(by), start=start, end=end, channels=self.channels)
        return cast(pl.DataFrame, asked)

    def series(self, key: str, *, every: str, start: date, end: date, by: Iterable[str] = ()) -> pl.DataFrame:
        asked = self.ask(
            "series", key=key, every=every, by=tuple(by), start=start, end=end, channels=self.channels
        )
        return cast(pl.DataFrame, asked)

    def frame(self, method: str, **arguments: Argument) -> pl.DataFrame:
        return cast(pl.DataFrame, self.ask(method, **arguments))


@st.cache_resource(ttl=20, max_entries=4, show_spinner=False)
def _newest(home: str) -> tuple[Reader, Freshness]:  # noqa: ARG001
    reader = context.current().readers(None)
    return reader, reader.freshness()


def forget() -> None:
    """Ask for the newest position again."""
    _newest.clear()


def newest() -> tuple[Reader, Freshness]:
    """The reader at the newest position, kept for seconds: its instant is part of every cached answer's key."""
    return _newest(context.current().home)
