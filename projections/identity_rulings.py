"""Rulings: what people decided about links and identifiers, brought to what is in force now."""

from dataclasses import dataclass, field

import polars as pl

from domain.events.decisions import (
    IdentifierCleared,
    IdentifierFlagged,
    LinkCleared,
    LinkConfirmed,
    LinkDenied,
)

Pair = tuple[str, str]


@dataclass(frozen=True, kw_only=True)
class Rulings:
    """The rulings in force; instants are microseconds.

    `confirmed` pairs of subjects with the instant from which that was known, `denied` pairs, and by subject and
    namespace the instant up to which its assertions are `cut`, or its key is `flagged` as shared. A subject that is
    confirmed to be itself stands `alone`.
    """

    confirmed: dict[Pair, int] = field(default_factory=dict)
    alone: frozenset[str] = frozenset()
    denied: frozenset[Pair] = frozenset()
    cut: dict[Pair, int] = field(default_factory=dict)
    flagged: dict[Pair, int] = field(default_factory=dict)


def read_rulings(rulings: pl.DataFrame) -> Rulings:
    """The newest ruling on each pair or assertion counts; clearing withdraws it, the one before counts again."""
    pairs: dict[Pair, list[tuple[str, int]]] = {}
    cuts: dict[Pair, list[int]] = {}
    flags: dict[Pair, list[int]] = {}
    columns = (
        "kind",
        "one",
        "other",
        "ns",
        pl.col("occurred_at").to_physical(),
        pl.col("known_at").to_physical(),
    )
    for kind, one, other, ns, occurred_at, known_at in rulings.select(*columns).iter_rows():
        pair = (min(one, other), max(one, other)) if other is not None else (one, one)
        if kind == IdentifierFlagged.TOPIC:
            flags.setdefault((one, ns), []).append(occurred_at)
        elif kind == IdentifierCleared.TOPIC:
            _withdraw(flags, (one, ns))
        elif ns is not None and kind == LinkDenied.TOPIC:
            cuts.setdefault((one, ns), []).append(occurred_at)
        elif ns is not None and kind == LinkCleared.TOPIC:
            _withdraw(cuts, (one, ns))
        elif kind == LinkCleared.TOPIC:
            _withdraw(pairs, pair)
        elif other is not None:
            pairs.setdefault(pair, []).append((kind, known_at))
    ruled = {pair: stack[-1] for pair, stack in pairs.items() if stack}
    newest = {pair: ruling for pair, ruling in ruled.items() if pair[0] != pair[1]}
    return Rulings(
        confirmed={pair: at for pair, (kind, at) in newest.items() if kind == LinkConfirmed.TOPIC},
        alone=frozenset(
            one for (one, other), (kind, _) in ruled.items() if one == other and kind == LinkConfirmed.TOPIC
        ),
        denied=frozenset(pair for pair, (kind, _) in newest.items() if kind == LinkDenied.TOPIC),
        cut={key: stack[-1] for key, stack in cuts.items() if stack},
        flagged={key: stack[-1] for key, stack in flags.items() if stack},
    )


def _withdraw(stacks: dict[Pair, list[int]] | dict[Pair, list[tuple[str, int]]], key: Pair) -> None:
    if stacks.get(key):
        stacks[key].pop()
