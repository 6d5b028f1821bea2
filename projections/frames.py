"""Timeline frames: one row is one stored event, its envelope in typed columns, its own fields still JSON."""

import typing
from datetime import UTC

import polars as pl
import pyarrow as pa

from domain.asof import AsOf
from domain.events.cases import CaseLinked
from domain.events.envelope import Event
from domain.log import UNOPENED
from projections.annotations import INSTANT, fields_of
from projections.states import NEWER, UNREAD, UNREADABLE, apart, reason, separated, typed
from projections.trust import Trust

ENVELOPE: dict[str, pl.DataType] = {
    "seq": pl.Int64(),
    **dict.fromkeys(("precision", "actor_kind", "actor", "channel", "direction"), pl.String()),
    **dict.fromkeys(("case", "thread", "order", "offer", "topic", "text"), pl.String()),
}
TIMELINE = pl.Schema(
    {
        "position": pl.Int64(),
        **dict.fromkeys(("event_id", "record"), pl.String()),
        "revision": pl.Int64(),
        **dict.fromkeys(("source", "subject", "kind"), pl.String()),
        **dict.fromkeys(("occurred_at", "known_at", "recorded_at"), INSTANT),
        **ENVELOPE,
        "state": pl.String(),
    }
)
"""`state` is the event's JSON; of one that cannot be read, `!` and why, and what is unknown of it is null."""
ORDER = ("occurred_at", "seq", "event_id")
"""The total order of events; a missing `seq` comes first."""


class FrameError(Exception):
    """A stored event that this program cannot read; the message is one sentence for people."""

    def __init__(self, event_id: str, position: int, reason: str) -> None:
        remedy = (
            "update Omniline"
            if reason.startswith(NEWER)
            else "run `omniline verify`, which tells whether the log was altered"
        )
        self.what = f"the event {event_id} at position {position}, which cannot be read ({reason}): {remedy}."
        super().__init__(f"There is {self.what}")


def decode(table: pa.Table) -> pl.DataFrame:
    """Stored events, as the log hands them out, as a timeline frame in log order."""
    stored = typing.cast(pl.DataFrame, pl.from_arrow(table)).rename(
        {"originator_id": "subject", "topic": "kind"}
    )
    states, envelope = separated(stored["state"], stored["kind"], ENVELOPE)
    head = stored.with_columns(
        pl.col("occurred_at", "known_at", "recorded_at").cast(INSTANT),
        state=states,
        source=pl.col("event_id").str.split_exact("|", 1).struct.field("field_0"),
        record=pl.col("event_id").str.replace(r"\|[^|]*$", ""),
        revision=pl.col("event_id").str.extract(r"\|(\d+)$", 1).cast(pl.Int64, strict=False),
    )
    frame = pl.concat([head, envelope], how="horizontal")
    return frame.with_columns(pl.col("precision").fill_null("second")).select(TIMELINE.names())


def of(frame: pl.DataFrame, event: type[Event]) -> pl.DataFrame:
    """The rows of one event class, its own fields as typed columns in place of the JSON; all can be read."""
    rows = frame.filter(pl.col("kind") == event.TOPIC)
    fields = fields_of(event)
    try:
        own = typed(rows["state"], fields)
    except UNREADABLE as error:
        raise _unread(rows, event) from error
    kept = rows.drop("state", *(name for name in fields if name in rows.columns), strict=False)
    return pl.concat([kept, own], how="horizontal") if fields else kept


def unread(frame: pl.DataFrame) -> pl.DataFrame:
    """The rows of which not even the envelope can be read, or only by a newer Omniline, or not what is sealed."""
    shut = pl.col("state").str.contains(UNOPENED.decode(), literal=True)
    return frame.filter(pl.col("state").str.starts_with(UNREAD) | shut)


def _unread(rows: pl.DataFrame, event: type[Event]) -> FrameError:
    """Names the first of these rows that cannot be read."""
    fields = fields_of(event)
    rows = rows.sort("position")
    parts = apart(rows["state"], lambda states: typed(states, fields))
    first = next(place for place, part in parts if part is None)
    readers = {name: (lambda states, name=name: typed(states, {name: fields[name]})) for name in fields}
    event_id, position, state = rows.select("event_id", "position", "state").row(first)
    return FrameError(event_id, position, reason(state, readers))


def effective(frame: pl.DataFrame, as_of: AsOf, trust: Trust) -> pl.DataFrame:
    """The events that `as_of` admits: the newest revision of each record in its stream, in total order.

    `known_at` is our recording time wherever the source's own is not trusted.
    """
    known = pl.when(pl.col("source").is_in(sorted(trust.known_at))).then("known_at").otherwise("recorded_at")
    admitted = frame.with_columns(known_at=known)
    if as_of.position is not None:
        admitted = admitted.filter(pl.col("position") <= as_of.position)
    if as_of.known:
        admitted = admitted.filter(pl.col("known_at") <= as_of.instant.astimezone(UTC))
    record = ["record", "subject"]
    revised = admitted.filter(pl.col("revision") > 1).group_by(record).agg(newest=pl.col("revision").max())
    if revised.height:
        admitted = (
            admitted.join(revised, on=record, how="left")
            .filter(pl.col("newest").is_null() | (pl.col("newest") == pl.col("revision")))
            .drop("newest")
        )
    return admitted.sort(ORDER, nulls_last=False)


def with_case_key(frame: pl.DataFrame) -> pl.DataFrame:
    """Effective events with `case_key`, the case that each belongs to.

    It is the case of the newest CaseLinked of the event's subject; without one the case that the event
    itself refers to; without that the subject, which is then a case of its own.
    """
    linked = (
        frame.filter((pl.col("kind") == CaseLinked.TOPIC) & pl.col("case").is_not_null())
        .group_by("subject", maintain_order=True)
        .agg(linked=pl.col("case").last())
    )
    keyed = frame.join(linked, on="subject", how="left", maintain_order="left")
    return keyed.with_columns(case_key=pl.coalesce("linked", "case", "subject")).drop("linked")
