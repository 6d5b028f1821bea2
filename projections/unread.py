"""Unread: stored events that are passed over, kept so that they are told, and read again once that can be."""

from collections.abc import Collection

import polars as pl
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from domain.events import EVENTS
from domain.log import Log
from projections.frames import decode, unread
from projections.states import SHUT
from projections.states import UNREAD as MARK
from projections.tables import conform, read_where, table, write_difference

UNREAD = table("view_unread", "what", what=str, kind=str, subject=str, position=int, events=int, reason=str)
"""An event by its id, or, where `subject` is null, a topic with how many events it has."""


def passed_over(read: pl.DataFrame, new: pl.DataFrame) -> pl.DataFrame:
    """The events read that no class of ours can read, and the topics of new ones that none of ours knows."""
    events = unread(read).select(
        "kind",
        "subject",
        "position",
        what="event_id",
        events=pl.lit(1, pl.Int64),
        reason=pl.when(pl.col("state").str.starts_with(MARK))
        .then(pl.col("state").str.strip_prefix(MARK))
        .otherwise(pl.lit(SHUT)),
    )
    unknown = new.filter(~pl.col("kind").is_in(sorted(EVENTS))).group_by("kind").agg(
        pl.col("position").min(), events=pl.len()
    )  # fmt: skip
    topics = unknown.with_columns(
        what="kind", subject=pl.lit(None, pl.String), reason=pl.lit("this Omniline does not know the topic")
    )
    columns = UNREAD.c.keys()
    both = [conform(UNREAD, part.select(columns)) for part in (events.unique("what"), topics)]
    return pl.concat(both)


def note(connection: Connection, found: pl.DataFrame, *, read: Collection[str] | None) -> None:
    """Add what was found; what was known before of the subjects read again, or of all, is replaced."""
    old = stored(connection)
    if read is None:
        kept = old.clear()
    else:
        again = pl.col("subject").is_in(sorted(read)).fill_null(False)
        kept = old.filter(~again & ~(pl.col("subject").is_null() & pl.col("kind").is_in(sorted(EVENTS))))
    rows = pl.concat([kept, found]).group_by("what").agg(
        pl.col("kind", "subject", "reason").first(), pl.col("position").min(), pl.col("events").sum()
    )  # fmt: skip
    whole = rows.with_columns(events=pl.when(pl.col("subject").is_null()).then("events").otherwise(1))
    write_difference(connection, UNREAD, old, conform(UNREAD, whole))


def stored(connection: Connection) -> pl.DataFrame:
    """All that is passed over."""
    return read_where(connection, UNREAD, "what", None)


def waiting(connection: Connection) -> bool:
    """Whether there are events among it."""
    some = sa.select(UNREAD.c.what).where(UNREAD.c.subject.is_not(None)).limit(1)
    return connection.execute(some).first() is not None


def readable(told: pl.DataFrame, log: Log, upto: int, opened: Collection[str]) -> set[str]:
    """Subjects of whom an event, told here, can be read by now."""
    events = told.filter(pl.col("subject").is_not_null())
    still = unread(decode(log.arrow_of(events["subject"].unique().to_list(), upto=upto, opened=opened)))
    return set(events.filter(~pl.col("what").is_in(still["event_id"].implode()))["subject"])


def sentences(rows: pl.DataFrame) -> tuple[str, ...]:
    """One for each event or topic, and one for all that does not open."""
    shut = pl.col("reason") == SHUT
    return (*_of_each(rows.filter(~shut).sort("position")), *_of_all(rows.filter(shut).sort("position")))


def _of_each(rows: pl.DataFrame) -> list[str]:
    return [
        f"{events:,} events of the topic {kind}, unknown to this Omniline, are passed over: update it."
        if subject is None
        else f"The event {what} at position {position} cannot be read ({reason})."
        for what, kind, subject, position, events, reason in rows.select(UNREAD.c.keys()).rows()
    ]


def _of_all(rows: pl.DataFrame) -> list[str]:
    return [
        f"What is sealed of {rows.height:,} events does not open with their keys and counts as erased, first of "
        f"{what} at position {position}: run `omniline verify`, and put back the key store made with the log."
        for what, position in rows.head(1).select("what", "position").rows()
    ]
