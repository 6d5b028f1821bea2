"""One row per contact: a run of turns on one channel of one source subject (KPI dictionary M2)."""

from datetime import datetime, timedelta

import polars as pl

from domain.events.bot import BotHandedOff
from domain.events.cases import StateReported
from projections.frames import of
from projections.known import Known
from projections.nearest import preceding
from projections.tables import conform, table

VERSION = 2
VIEW = table(
    "contacts",
    "contact",
    contact=str,
    person=str,
    identified=bool,
    case=str,
    source=str,
    subject=str,
    channel=str,
    topic=str,
    group=str,
    agent=str,
    direction=str,
    human=bool,
    handled=bool,
    turns=int,
    customer_turns=int,
    start_at=datetime,
    end_at=datetime,
    known_at=datetime,
    first_human_at=datetime,
    repeat_of=str,
)

PAUSE = timedelta(minutes=30)
REPEAT = timedelta(days=7)
GROUP = ("subject", "thread", "channel")


def build(known: Known) -> pl.DataFrame:
    """Contacts of the persons; a later turn continues a contact as M2 says for its channel's kind."""
    spoken = _numbered(known.turns, _synchronous(known))
    contacts = _fold(spoken)
    reported = _reported(known.events)
    contacts = (
        contacts.join(_handed(known.events, contacts), on="contact", how="left")
        .join(reported, on=["person", "case"], how="left")
        .join(known.identity.assignments.select("subject", "identified"), on="subject", how="left")
        .with_columns(
            topic=pl.coalesce("topic", "reported_topic"),
            group=pl.coalesce("group", "reported_group"),
            identified=pl.col("identified").fill_null(False),
            human=pl.col("handled") | (pl.col("bot_turns") == 0) | pl.col("handed").fill_null(False),
        )
    )
    return conform(VIEW, _repeats(contacts))


def _synchronous(known: Known) -> pl.Expr:
    """Whether a turn's channel was synchronous by the policy in force when it came."""
    kinds = pl.lit(False)
    for begins, _, policy in known.policies.spans:
        codes = [channel.code for channel in policy.channels.values() if channel.kind == "synchronous"]
        inside = pl.col("channel").fill_null("").is_in(codes)
        kinds = pl.when(pl.col("occurred_at") >= begins).then(inside).otherwise(kinds)
    return kinds


def _handed(events: pl.DataFrame, contacts: pl.DataFrame) -> pl.DataFrame:
    """The contacts in which a bot handed over to people."""
    begun = contacts.sort("start_at", "number").select("subject", "contact", "start_at")
    handed = preceding(
        of(events, BotHandedOff).select("subject", "occurred_at"),
        begun,
        before="occurred_at",
        at="start_at",
        by="subject",
        equal=True,
    )
    return handed.select("contact", handed=pl.lit(True)).drop_nulls().unique()


def _numbered(spoken: pl.DataFrame, synchronous: pl.Expr) -> pl.DataFrame:
    key = pl.concat_list(pl.col(*GROUP).fill_null("")).list.join("\x1f")
    frame = spoken.with_columns(key=key, synchronous=synchronous).sort("key", "rank")
    first = (pl.col("key") != pl.col("key").shift()).fill_null(True)
    before = pl.col("role").shift()
    quiet = (pl.col("occurred_at") - pl.col("occurred_at").shift()) >= PAUSE
    answered = before != "customer"
    came_back = answered & (pl.col("role") == "customer")
    renewed = answered & (pl.col("role") == "initiated") & quiet
    starts = first | pl.when("synchronous").then(quiet & answered).otherwise(came_back | renewed)
    return frame.with_columns(number=starts.fill_null(True).cum_sum())


def _fold(spoken: pl.DataFrame) -> pl.DataFrame:
    is_customer = pl.col("role") == "customer"
    is_human = pl.col("role").is_in(["human", "initiated"])
    return spoken.group_by("number", maintain_order=True).agg(
        pl.col("event_id").first().alias("contact"),
        pl.col("person", "source", "subject", "channel").first(),
        pl.col("case_key").first().alias("case"),
        pl.col("topic").drop_nulls().first(),
        pl.col("queue").drop_nulls().first().alias("group"),
        pl.col("actor").filter(is_human).drop_nulls().first().alias("agent"),
        pl.when(is_customer.first()).then(pl.lit("inbound")).otherwise(pl.lit("outbound")).alias("direction"),
        is_human.any().alias("handled"),
        pl.len().cast(pl.Int64).alias("turns"),
        is_customer.sum().cast(pl.Int64).alias("customer_turns"),
        (pl.col("role") == "bot").sum().alias("bot_turns"),
        pl.col("occurred_at").min().alias("start_at"),
        pl.col("occurred_at").max().alias("end_at"),
        pl.col("known_at").first(),
        pl.col("occurred_at").filter(is_human).min().alias("first_human_at"),
    )


def _reported(events: pl.DataFrame) -> pl.DataFrame:
    """Topic and team as the case's newest report states them."""
    return (
        of(events, StateReported)
        .sort("occurred_at", "seq", "event_id", nulls_last=False)
        .group_by("person", case="case_key", maintain_order=True)
        .agg(
            reported_topic=pl.col("topic").drop_nulls().last(),
            reported_group=pl.col("group").drop_nulls().last(),
        )
    )


def _repeats(contacts: pl.DataFrame) -> pl.DataFrame:
    """`repeat_of`: the person's nearest earlier customer contact on the same case or topic within 7 days."""
    came = contacts.filter(pl.col("direction") == "inbound", pl.col("identified"))
    found = [
        came.select(
            "contact", repeat_of=pl.lit(None, pl.String), since=pl.lit(None, pl.Datetime("us", "UTC"))
        )
    ]
    for matter in ("topic", "case"):
        frame = came.filter(pl.col(matter).is_not_null()).sort("person", matter, "start_at", "contact")
        same = (pl.col("person") == pl.col("person").shift()) & (pl.col(matter) == pl.col(matter).shift())
        near = pl.col("start_at") - pl.col("start_at").shift() <= REPEAT
        found.append(
            frame.with_columns(repeat_of=pl.col("contact").shift(), since=pl.col("start_at").shift())
            .filter(same & near)
            .select("contact", "repeat_of", "since")
        )
    nearest = (
        pl.concat(found)
        .sort("contact", "since", nulls_last=False)
        .group_by("contact")
        .agg(pl.col("repeat_of").last())
    )
    return contacts.join(nearest, on="contact", how="left")
