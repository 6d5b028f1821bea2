"""One customer's line: every entry with its event's position and digest, and what was made of it."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import polars as pl

from domain.events.identity import IdentifierAsserted
from domain.identifiers import identify
from domain.log import Log
from projections import promised
from projections.frames import of

NAMESPACES = ("email", "phone")
SUMMARY = (
    "$.title", "$.source_state", "$.what", "$.why", "$.to_channel", "$.reason", "$.product_class", "$.total",
    "$.follow_up", "$.ns", "$.intent",
)  # fmt: skip
"""Where an event without text says in its own fields what it is about, in the order of preference."""


class Asked(Protocol):
    """Whom a line is asked of: facts and events at one position, clocks judged at one instant."""

    instant: datetime

    @property
    def log(self) -> Log:
        """Where the events lie."""

    def facts(self, name: str) -> pl.DataFrame:
        """A whole fact table, or who is who."""

    def prepared(self, fact: str, since: str | None) -> pl.DataFrame:
        """A fact table judged at the instant."""

    def events_of(self, subjects: Sequence[str]) -> pl.DataFrame:
        """The effective events of some subjects, opened, with their cases."""


@dataclass(frozen=True, kw_only=True)
class PersonLine:
    """One person as known at the reader's position; instants UTC, times in business seconds.

    What people wrote and the identifiers' values are opened for this line alone: an identifier without a value, and
    an entry that is `erased`, had one until its key was destroyed.
    """

    person: str
    identified: bool
    identifiers: pl.DataFrame
    entries: pl.DataFrame
    cases: pl.DataFrame
    clocks: pl.DataFrame
    switches: pl.DataFrame
    repeats: pl.DataFrame
    follow_ups: pl.DataFrame


def find(reader: Asked, text: str) -> list[str]:
    """Persons by identifier in any spelling, order, case, event id, source subject or person id."""
    wanted = text.encode("utf-8", "replace").decode().strip()
    if not wanted:
        return []
    told = reader.facts("identifiers")
    tokens = _tokens(reader.log, wanted, told["ns"].unique())
    known = told.filter(pl.col("identifier").is_in(tokens) | pl.col("folded").is_in(tokens))
    streams = [wanted, *_streams(reader, wanted)]
    assigned = reader.facts("assignments").filter(
        pl.col("subject").is_in(streams) | (pl.col("person") == wanted)
    )
    orders = reader.facts("orders").filter(
        (pl.col("order") == wanted) | pl.col("order").str.ends_with(f":{wanted}")
    )
    cases = reader.facts("cases").filter(
        (pl.col("case") == wanted) | pl.col("case").str.ends_with(f":{wanted}")
    )
    found = pl.concat([frame.select("person") for frame in (known, assigned, orders, cases)])
    return found["person"].unique().sort().to_list()


def _tokens(log: Log, wanted: str, spaces: Iterable[str]) -> list[str]:
    """What stands in views for the words in every namespace, as they are and in lower case."""
    keys = set()
    for ns in {*NAMESPACES, *spaces}:
        for text in {wanted, wanted.removeprefix(f"{ns}:")}:
            key = identify(ns, text).key
            keys |= {key, key.casefold()} if key else set()
    return [log.blind(key) for key in keys]


def _streams(reader: Asked, event_id: str) -> list[str]:
    if not re.fullmatch(r"[^|]+\|.+\|\d+", event_id):
        return []
    stream = reader.log.stream_of(event_id)
    return [stream] if stream else []


def person_line(reader: Asked, person: str) -> PersonLine:
    """Everything about one person; an unknown person has an empty line."""
    subjects = reader.facts("assignments").filter(pl.col("person") == person)
    events = reader.events_of(subjects["subject"].to_list())

    def own(fact: str) -> pl.DataFrame:
        return reader.facts(fact).filter(pl.col("person") == person)

    clocks = reader.prepared("clocks", "started_at").filter(pl.col("person") == person)
    handovers = own("handovers").filter(pl.col("level").is_not_null())
    return PersonLine(
        person=person,
        identified=bool(subjects["identified"].any()),
        identifiers=_identifiers(own("identifiers"), events),
        entries=_entries(reader, events, clocks, handovers),
        cases=_cases(own("cases"), promised.breaches(clocks)),
        clocks=clocks,
        switches=own("switches").select("from_at", "from_channel", "to_channel", to_at="at").sort("to_at"),
        repeats=handovers.select("at", "level", "channel", "turn").sort("at"),
        follow_ups=_follow_ups(own("followups"), reader),
    )


def _identifiers(told: pl.DataFrame, events: pl.DataFrame) -> pl.DataFrame:
    """The newest assertion per subject and namespace in the words of its source."""
    said = of(events, IdentifierAsserted).select("value", asserted_by="event_id")
    rows = told.join(said, on="asserted_by", how="left").select("ns", "value", "source", "obtained")
    return rows.unique().sort("ns", "value", "source", "obtained", nulls_last=True)


def _entries(
    reader: Asked, events: pl.DataFrame, clocks: pl.DataFrame, handovers: pl.DataFrame
) -> pl.DataFrame:
    digests = reader.log.digests(events["position"].to_list())
    told = [pl.col("state").str.json_path_match(path) for path in SUMMARY]
    group = pl.coalesce(
        pl.col("state").str.json_path_match("$.queue"), pl.col("state").str.json_path_match("$.group")
    )
    again = handovers.select(event_id="turn", repeated=pl.lit(True))
    return (
        events.with_columns(
            summary=pl.coalesce("text", *told, pl.lit("")),
            group=group,
            digest=pl.Series([digests.get(position, "") for position in events["position"]], dtype=pl.String),
            case=pl.col("case_key"),
        )
        .join(promised.verdicts(clocks), left_on="event_id", right_on="started_by", how="left", maintain_order="left")
        .join(again, on="event_id", how="left", maintain_order="left")
        .select(
            "position", "event_id", "occurred_at", "recorded_at", "known_at", "source", "channel", "direction",
            "actor", "actor_kind", "kind", "case", "topic", "group", "summary", "digest", "verdict", "elapsed_s",
            "target_s", "erased", pl.col("repeated").fill_null(False),
        )
    )  # fmt: skip


def _cases(cases: pl.DataFrame, broken: pl.DataFrame) -> pl.DataFrame:
    late = broken.select("case", breached=pl.lit(True)).unique("case")
    return (
        cases.join(late, on="case", how="left")
        .select(
            "case", "opened_at", "resolved_at", "channel", "topic", "state", pl.col("breached").fill_null(False)
        )
        .sort("opened_at")
    )  # fmt: skip


def _follow_ups(promises: pl.DataFrame, reader: Asked) -> pl.DataFrame:
    now = pl.lit(reader.instant)
    state = (
        pl.when(pl.col("cancelled_at").is_not_null()).then(pl.lit("cancelled"))
        .when(pl.col("done_at") <= pl.col("due_at")).then(pl.lit("kept"))
        .when(pl.col("done_at").is_not_null()).then(pl.lit("late"))
        .when(pl.col("due_at") <= now).then(pl.lit("missed"))
        .otherwise(pl.lit("planned"))
    )  # fmt: skip
    return promises.select("follow_up", "planned_at", "due_at", "done_at", state=state).sort("due_at")
