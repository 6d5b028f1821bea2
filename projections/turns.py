"""Who spoke when: the timeline reduced to turns, each with the role it plays for clocks (KPI dictionary M3)."""

import polars as pl

from domain.events.bot import BotAnswered
from domain.events.cases import CaseReopened, CaseResolved
from domain.events.contacts import ContactAnswered, ContactInitiated, ContactMissed, ContactReceived
from projections.frames import of

COLUMNS = (
    "rank",
    "event_id",
    "person",
    "case_key",
    "source",
    "subject",
    "thread",
    "channel",
    "topic",
    "actor",
    "occurred_at",
    "known_at",
    "queue",
    "text",
    "role",
)


FIRST_AND_LAST = {
    ContactReceived.TOPIC: 0,
    ContactMissed.TOPIC: 0,
    CaseResolved.TOPIC: 2,
    CaseReopened.TOPIC: 3,
}
"""Of one instant and `seq`, what customers say comes first and what ends or reopens a case last."""


def ranked(events: pl.DataFrame) -> pl.DataFrame:
    """The timeline with its total order as a number, so that events of one instant keep their order.

    Sources that write minutes or days tell a question, its answer and the solution at one instant; where `seq` does
    not order them, ids would do so by chance.
    """
    tie = pl.col("kind").replace_strict(FIRST_AND_LAST, default=1, return_dtype=pl.Int8)
    return (
        events.with_columns(tie=tie)
        .sort("occurred_at", "seq", "tie", "event_id", nulls_last=False)
        .drop("tie")
        .with_row_index("rank")
    )


def turns(events: pl.DataFrame) -> pl.DataFrame:
    """One row per turn of ranked events; role is customer, human, initiated or bot.

    Acknowledgements, rule-fired macros, reactions, internal messages, campaigns and unanswered calls are no turns.
    """
    events = events.filter(pl.col("direction").fill_null("") != "internal")
    human = pl.col("actor_kind") == "human_agent"
    received = of(events, ContactReceived).filter(
        pl.col("actor_kind").fill_null("customer").is_in(["customer", "third_party"])
    )
    answered = of(events, ContactAnswered).filter(
        human,
        pl.col("substantive").fill_null(True),
        pl.col("public").fill_null(True),
        ~pl.col("reaction").fill_null(False),
        pl.col("fired_by").fill_null("person") != "rule",
    )
    initiated = of(events, ContactInitiated).filter(
        human,
        pl.col("connected").fill_null(True),
        ~pl.col("purpose").fill_null("service").is_in(["campaign", "survey"]),
    )
    bot = (
        of(events, BotAnswered)
        .filter(pl.col("useful").fill_null(True))
        .with_columns(queue=pl.lit(None, pl.String))
    )
    rows = [
        frame.with_columns(role=pl.lit(role)).select(pl.col(*COLUMNS))
        for frame, role in (
            (received, "customer"),
            (answered, "human"),
            (initiated, "initiated"),
            (bot, "bot"),
        )
    ]
    return pl.concat(rows).sort("rank")
