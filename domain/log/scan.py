"""Stored rows in log order, page by page, as a leaf covers them; nothing is decoded and nothing left out."""

from collections.abc import Iterator, Sequence
from struct import error as StructError
from typing import Any

from domain.log.chain import COLUMNS, leaf
from domain.log.errors import LogDamaged
from domain.log.log import Log

PAGE = 2_000
BEFORE_ALL = -(2**63)
"""Before every position that a database can hold, however it came there."""

POSITION = {"sqlite": "rowid", "postgresql": "notification_id"}
"""The column that holds positions."""
_REST = ", ".join((*COLUMNS[1:], "chain"))


def pages(log: Log, *, after: int, upto: int, size: int = PAGE) -> Iterator[list[tuple[Any, ...]]]:
    """The rows after one position and up to another: the columns of a leaf, then the stored chain value.

    A page is a window of positions; a limit instead would sort the rest of a fresh PostgreSQL table each time.
    """
    at = POSITION[log.dialect]
    within = f"FROM stored_events WHERE {at} > ? AND {at} <= ?"
    statement = f"SELECT {at}, {_REST} {within} ORDER BY {at}"
    while after < upto:
        end = min(upto, max(after + size, 0))
        with log.session() as session:
            page = session.run(statement, [after, end])
            if not page:
                end = session.run(f"SELECT coalesce(min({at}) - 1, ?) {within}", [upto, end, upto])[0][0]
        if page:
            yield page
        after = end


def leaves(rows: Sequence[tuple[Any, ...]]) -> list[bytes]:
    """The leaf of each of these rows; refuses values of kinds that the log never writes."""
    found: list[bytes] = []
    try:
        found.extend(leaf(row[:-1]) for row in rows)
    except (AttributeError, TypeError, ValueError, StructError) as error:
        position = rows[len(found)][0]
        raise LogDamaged(
            f"The row at position {position} holds what the log never writes ({error})."
        ) from error
    return found


def count(log: Log, *, after: int, upto: int) -> int:
    """How many rows there are after one position and up to another."""
    at = POSITION[log.dialect]
    statement = f"SELECT count(*) FROM stored_events WHERE {at} > ? AND {at} <= ?"  # noqa: S608
    with log.session() as session:
        return int(session.run(statement, [after, upto])[0][0])


def chain_at(log: Log, position: int) -> bytes | None:
    """The stored chain value of one row."""
    statement = f"SELECT chain FROM stored_events WHERE {POSITION[log.dialect]} = ?"  # noqa: S608
    with log.session() as session:
        found = session.run(statement, [position])
    return bytes(found[0][0]) if found else None


def position_of(log: Log, event_id: str) -> int | None:
    """Where an event stands; None where no such event is stored."""
    statement = f"SELECT {POSITION[log.dialect]} FROM stored_events WHERE event_id = ?"  # noqa: S608
    with log.session() as session:
        found = session.run(statement, [event_id])
    return int(found[0][0]) if found else None
