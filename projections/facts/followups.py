"""One row per promised follow-up: due when, done when, and whether the customer had to ask first."""

from datetime import datetime

import polars as pl

from domain.events.followups import FollowUpCancelled, FollowUpDone, FollowUpPlanned
from projections.frames import of
from projections.known import Known
from projections.nearest import following
from projections.tables import conform, table

VERSION = 1
VIEW = table(
    "followups",
    "promise",
    promise=str,
    follow_up=str,
    person=str,
    case=str,
    channel=str,
    topic=str,
    owner=str,
    planned_at=datetime,
    due_at=datetime,
    done_at=datetime,
    cancelled_at=datetime,
    asked_at=datetime,
)
KEY = ["person", "source", "follow_up"]


def build(known: Known) -> pl.DataFrame:
    """Follow-ups; asked_at is the first customer contact on the matter after planning, before done and due."""
    planned = (
        of(known.events, FollowUpPlanned)
        .sort("occurred_at", "event_id")
        .unique(KEY, keep="last", maintain_order=True)
    )
    done = _first(of(known.events, FollowUpDone), "done_at")
    cancelled = _first(of(known.events, FollowUpCancelled), "cancelled_at")
    promises = (
        planned.select(
            *KEY, "channel", "topic", "due_at",
            promise="event_id", case="case_key", owner=pl.coalesce("owner", "actor"), planned_at="occurred_at",
        )
        .join(done, on=KEY, how="left")
        .join(cancelled, on=KEY, how="left")
    )  # fmt: skip
    return conform(VIEW, promises.join(_asked(promises, known.facts["contacts"]), on="promise", how="left"))


def _first(events: pl.DataFrame, name: str) -> pl.DataFrame:
    return events.group_by(KEY).agg(pl.col("occurred_at").min().alias(name))


def _asked(promises: pl.DataFrame, contacts: pl.DataFrame) -> pl.DataFrame:
    """The first customer contact after the promise on its case or its topic, if it came before the promise ended."""
    came = contacts.filter(pl.col("direction") == "inbound").sort("start_at", "contact")
    until = pl.min_horizontal("due_at", "done_at", "cancelled_at")
    asked = [
        following(
            promises, came.select("person", matter, "start_at"),
            after="planned_at", at="start_at", by=["person", matter],
        )
        .filter(pl.col("start_at") < until)
        .select("promise", "start_at")
        for matter in ("case", "topic")
    ]  # fmt: skip
    return pl.concat(asked).group_by("promise").agg(asked_at=pl.col("start_at").min())
