"""What readers and translators hand on: rows as read, records as events, and what was refused, with a reason."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

from domain.log import Pending, Refused

LIMIT = 1 << 20
"""A record of more bytes than this (1 MiB) is refused as `too_large`."""
ROW = "@row"
"""Where a row stands in its file: the physical line, in Parquet the row number, from 1."""
EXCERPT = 4096
LONGEST_ID = 500
"""A record's id, and a subject, of more bytes would not fit into an index."""


class IngestError(Exception):
    """A file or mapping that cannot be ingested; the message is one sentence for people, on one line."""

    def __init__(self, sentence: str) -> None:
        super().__init__(" ".join("".join(sign if sign.isprintable() else " " for sign in sentence).split()))


@dataclass(frozen=True, kw_only=True)
class Bad:
    """One record that could not be read; `cells` are those that were whole."""

    line: int
    reason: str
    detail: str
    record: str
    cells: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Rows:
    """Consecutive rows of a file: a frame of the wanted columns and `@row`, and what could not be read."""

    frame: pl.DataFrame
    bad: list[Bad]


@dataclass(kw_only=True)
class Translated:
    """Consecutive records of a file: the events of each, and what became of the others."""

    records: list[list[Pending]] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    ignored: Counter[str] = field(default_factory=Counter)
    flagged: Counter[str] = field(default_factory=Counter)
    rows: int = 0

    @property
    def read(self) -> int:
        """How many records these are."""
        return len(self.records) + len(self.refused) + self.ignored.total()


def excerpt(record: bytes | str) -> str:
    """The record as text for the quarantine; of a very long one its beginning and its size."""
    text = record if isinstance(record, str) else record[: LIMIT + 1].decode(errors="backslashreplace")
    text = text.rstrip("\r\n")
    return text if len(record) <= LIMIT else f"{text[:EXCERPT]}… ({len(record)} bytes)"
