"""What one transaction on a log can do, whichever database holds it."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, Protocol


class Tip(NamedTuple):
    """The end of the log: its newest position, when that was recorded, and the chain value there."""

    position: int
    recorded_at: int
    chain: bytes


class Kept(NamedTuple):
    """A stored revision of a record: its number, fingerprint, position and stream."""

    revision: int
    payload_hash: bytes
    position: int
    stream: str


class Session(Protocol):
    """An open transaction; statements mark their values with `?`."""

    def run(self, statement: str, values: Sequence[Any] = ()) -> list[Any]:
        """The rows that a statement returns."""

    def run_many(self, statement: str, rows: Iterable[Sequence[Any]]) -> None:
        """Run a statement once per row."""

    def tables(self) -> set[str]:
        """The tables that stand where the log's tables would."""

    def known(self, event_ids: Sequence[str]) -> dict[str, tuple[bytes, int]]:
        """Fingerprint and position of the event ids that are stored."""

    def revisions(self, records: Sequence[str]) -> dict[str, list[Kept]]:
        """Every stored revision of these records (`source|id`)."""

    def heads(self, streams: Sequence[str]) -> dict[str, int]:
        """The newest version in each of these streams that exists."""

    def tip(self) -> Tip:
        """The end of the log; refuses one whose tail was cut."""

    def reserve(self, count: int, *, tip: Tip) -> int:
        """The first of `count` consecutive new positions; whoever waits is woken when they are committed."""

    def insert(self, rows: Iterable[Sequence[Any]]) -> None:
        """Store complete rows, chain value last."""

    def rows(self, positions: Sequence[int]) -> Iterable[tuple[Any, ...]]:
        """The columns that a leaf covers, in its order, of the rows at these positions."""

    def counts(self) -> dict[str, int]:
        """Events per source."""


def revisions_of(found: Iterable[tuple[str, str, bytes, int, str]]) -> dict[str, list[Kept]]:
    """Stored revisions by record, from (record, event id, fingerprint, position, stream)."""
    kept: dict[str, list[Kept]] = {}
    for record, event_id, payload_hash, position, stream in found:
        number = event_id[len(record) + 1 :]
        if number.isdecimal():
            kept.setdefault(record, []).append(Kept(int(number), bytes(payload_hash), position, stream))
    return kept
