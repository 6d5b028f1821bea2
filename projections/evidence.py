"""Evidence: what a set of events says about who its subjects belong to; the input of `resolve`."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import msgspec
import polars as pl

from domain.events.decisions import (
    CalendarAdopted,
    IdentifierCleared,
    IdentifierFlagged,
    LinkCleared,
    LinkConfirmed,
    LinkDenied,
    PolicyAdopted,
    SourceDeclared,
)
from domain.events.identity import IdentifierAsserted
from domain.identifiers import identify
from domain.policy import Policies, Policy, policies_from
from projections.annotations import INSTANT
from projections.frames import of
from projections.trust import Trust

RULINGS = (LinkConfirmed, LinkDenied, LinkCleared, IdentifierFlagged, IdentifierCleared)
DECISIONS = tuple(event.TOPIC for event in (*RULINGS, SourceDeclared, PolicyAdopted, CalendarAdopted))
"""Topics of the events that concern more than the person they are filed under."""

Blind = Callable[[str], str]
"""From a key like `email:…` to the token that stands for it in views, and in no event."""
OPENED = (IdentifierAsserted.TOPIC,)
"""Topics whose personal fields tell who is who."""

ASSERTIONS = pl.Schema(
    {
        **dict.fromkeys(("subject", "source", "ns", "obtained", "verified_by", "key", "folded"), pl.String()),
        "erased": pl.Boolean(),
        "trust": pl.Int64(),
        "occurred_at": INSTANT,
        "seq": pl.Int64(),
        "event_id": pl.String(),
        "known_at": INSTANT,
    }
)
RULED = pl.Schema(
    {
        **dict.fromkeys(("kind", "one", "other", "ns"), pl.String()),
        "occurred_at": INSTANT,
        "known_at": INSTANT,
    }
)


Adopted = TypeVar("Adopted", PolicyAdopted, CalendarAdopted)


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What bears on the persons of a set of subjects.

    `subjects` are in the order of their first events. A row of `references` is a case or thread, in the words
    of its source, to which a subject belongs.
    """

    assertions: pl.DataFrame
    references: pl.DataFrame
    subjects: pl.DataFrame


def evidence(events: pl.DataFrame, trust: Trust, blind: Blind) -> Evidence:
    """The evidence in effective events, which must be in total order."""
    return Evidence(
        assertions=assertions(events, trust, blind),
        references=references(events),
        subjects=events.select("subject").unique(maintain_order=True),
    )


def assertions(events: pl.DataFrame, trust: Trust, blind: Blind) -> pl.DataFrame:
    """Every asserted identifier with the token of its key and the trust it earns; 0 never links.

    Of an erased one, whose value nobody can open, is left that it was there: its key is the subject's alone.
    """
    asserted = of(events, IdentifierAsserted).filter(pl.col("ns") != "")
    levels = pl.DataFrame(
        [(source, pair, level) for source, pairs in trust.pairs.items() for pair, level in pairs.items()],
        schema={"source": pl.String, "pair": pl.String, "trust": pl.Int64},
        orient="row",
    )
    own = pl.format("{}:erased:{}", "ns", "subject")
    return (
        asserted.with_columns(
            pair=pl.concat_str("ns", pl.lit("."), "obtained"), erased=pl.col("value").is_null()
        )
        .join(levels, on=["source", "pair"], how="left", maintain_order="left")
        .join(_keyed(asserted, trust, blind), on=["ns", "value"], how="left", maintain_order="left")
        .with_columns(
            key=pl.when("erased").then(own).otherwise("key"), able=pl.col("erased") | pl.col("able")
        )
        .filter(pl.col("key").is_not_null())
        .with_columns(trust=pl.when("able").then(pl.col("trust").fill_null(0)).otherwise(0))
        .select(ASSERTIONS.names())
    )


def _keyed(asserted: pl.DataFrame, trust: Trust, blind: Blind) -> pl.DataFrame:
    """Each value with its key's token, another of the key in lower case where that differs, and whether it links."""
    values = asserted.select("ns", "value").drop_nulls().unique()
    found = [identify(ns, value) for ns, value in values.iter_rows()]
    keys = [one.key for one in found]
    folded = [key.casefold() if key and key != key.casefold() else None for key in keys]
    tokens = {key: blind(key) for key in {*keys, *folded} if key is not None}
    return values.with_columns(
        key=pl.Series([tokens.get(key or "") for key in keys], dtype=pl.String),
        folded=pl.Series([tokens.get(key or "") for key in folded], dtype=pl.String),
        able=pl.Series([one.links and one.key not in trust.blocked for one in found], dtype=pl.Boolean),
    )


def references(events: pl.DataFrame) -> pl.DataFrame:
    """The cases and threads, in the words of their sources, to which each subject belongs."""
    named = [
        events.filter(pl.col(kind).is_not_null()).select(
            "subject", ref=pl.concat_str(pl.lit(kind), "source", kind, separator="|")
        )
        for kind in ("case", "thread")
    ]
    return pl.concat(named).unique().sort("subject", "ref")


def rulings(events: pl.DataFrame) -> pl.DataFrame:
    """Every ruling about links and identifiers, oldest first; the events must be in total order."""
    parts = []
    for event in RULINGS:
        rows = of(events.with_row_index("place"), event)
        absent = [pl.lit(None, pl.String).alias(name) for name in ("other", "ns") if name not in rows.columns]
        parts.append(rows.with_columns(absent).select("place", *RULED.names()))
    return pl.concat(parts).sort("place").drop("place")


def trust_of(events: pl.DataFrame, policy: Policy) -> Trust:
    """How far each source is trusted: by the policy, else by the source's newest declaration."""
    declared = of(events, SourceDeclared).unique("source", keep="last", maintain_order=True)
    pairs: dict[str, dict[str, int]] = {}
    known = set()
    for source, levels, timely in declared.select("source", "trust", "known_at_trusted").iter_rows():
        pairs[source] = msgspec.json.decode(levels or "{}", type=dict[str, int])
        known |= {source} if timely else set()
    for source, trusted in policy.trust.items():
        pairs[source] = dict(trusted.pairs)
        known = known | {source} if trusted.known_at else known - {source}
    return Trust(pairs=pairs, known_at=frozenset(known), blocked=frozenset(policy.blocked))


def policies_of(events: pl.DataFrame, shipped: Policy | Policies | None) -> Policies:
    """Every adopted policy and calendar, over the shipped policy; a whole history holds as it is given."""
    if isinstance(shipped, Policies):
        return shipped
    policies = [_event(row, PolicyAdopted) for row in of(events, PolicyAdopted).iter_rows(named=True)]
    calendars = [_event(row, CalendarAdopted) for row in of(events, CalendarAdopted).iter_rows(named=True)]
    return policies_from([*policies, *calendars], shipped=shipped)


def _event(row: dict[str, object], event: type[Adopted]) -> Adopted:
    kind, _, name = str(row["subject"]).split(":", 2)
    named = {"id": str(row["record"]).partition("|")[2], "subject": f"{kind}:{name}"}
    fields = {field: row[field] for field in event.__struct_fields__ if row.get(field) is not None}
    return msgspec.convert({**fields, **named}, event)
