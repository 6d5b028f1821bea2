"""The year's programme: which course each matter of a channel takes, and in which order they happen."""

from collections.abc import Callable
from random import Random

from ingestion.demo import calls, cases, followups, redirects, sales
from ingestion.demo.channels import plain, portal
from ingestion.demo.draft import World
from ingestion.demo.seasons import starts

Plot = Callable[[World, int, str], bool]
"""One course of things: it happens to somebody at an instant on a channel, or it does not fit."""

VOLUMES = {
    "email": 3_300, "chat": 2_450, "messenger": 1_950, "phone": 2_000, "web_form": 1_900, "portal": 260,
    "missed": 1_950, "sales": 520,
}  # fmt: skip
"""Matters of the history for 6,000 customers."""
ORDINARY: dict[str, Plot] = {"portal": portal, "missed": calls.missed, "sales": sales.offered}
LEAST = 4
WRITTEN: tuple[tuple[Plot, float], ...] = (
    (cases.switched, 0.055), (cases.reopened_within, 0.03), (cases.reopened_after, 0.015),
    (cases.reopened_by_us, 0.008), (cases.handed_over, 0.05), (cases.awaiting, 0.06), (cases.again, 0.03),
    (cases.open_topic, 0.02), (followups.kept, 0.012), (followups.preempted, 0.012),
)  # fmt: skip
SPOKEN: tuple[tuple[Plot, float], ...] = (
    (cases.switched, 0.095), (cases.reopened_within, 0.025), (cases.reopened_after, 0.01), (cases.again, 0.03),
)  # fmt: skip
TYPED: tuple[tuple[Plot, float], ...] = (
    *SPOKEN, (cases.handed_over, 0.05), (redirects.bounced, 0.03), (redirects.bounced_late, 0.006),
    (redirects.excused, 0.004), (redirects.lost, 0.01),
)  # fmt: skip
PLOTS: dict[str, tuple[tuple[Plot, float], ...]] = {
    "email": WRITTEN,
    "web_form": WRITTEN,
    "chat": (*TYPED, (cases.order_only, 0.05)),
    "messenger": TYPED,
    "phone": (
        *SPOKEN, (followups.kept, 0.07), (followups.late, 0.012), (followups.forgotten, 0.012),
        (followups.withdrawn, 0.008),
    ),
    "portal": (),
    "missed": ((calls.self_recovered, 0.03), (calls.insisted, 0.04), (calls.too_short, 0.03)),
    "sales": ((sales.conflicting, 0.12), (sales.superseding, 0.05), (sales.sold_to_a_problem, 0.12)),
}  # fmt: skip


def deck(rng: Random, channel: str, number: int) -> list[Plot]:
    """As many plots as there are matters, the rare ones at least a few times, in random order."""
    cards: list[Plot] = []
    for plot, share in PLOTS[channel]:
        cards += [plot] * max(LEAST, round(share * number))
    ordinary = ORDINARY.get(channel, plain)
    cards += [ordinary] * max(0, number - len(cards))
    rng.shuffle(cards)
    return cards[:number]


def play(world: World, customers: int) -> None:
    """Everything in the order of time, so that nobody is in two stories at once."""
    programme: list[tuple[int, str, Plot]] = []
    for channel, volume in VOLUMES.items():
        times = starts(world.rng, channel, max(60, volume * customers // 6_000))
        plots = deck(world.rng, channel, len(times))
        programme += [(at, channel, plot) for at, plot in zip(times, plots, strict=True)]
    for at, channel, plot in sorted(programme, key=lambda card: (card[0], card[1])):
        ordinary = ORDINARY.get(channel, plain)
        if not plot(world, at, channel) and plot is not ordinary:
            ordinary(world, at, channel)
