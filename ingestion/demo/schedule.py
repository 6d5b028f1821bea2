"""The year's programme: which course each matter of a channel takes, and in which order they happen."""

from collections.abc import Callable
from random import Random

from ingestion.demo.channels import plain, portal
from ingestion.demo.draft import World
from ingestion.demo.seasons import starts

Plot = Callable[[World, int, str], bool]
"""One course of things: it happens to somebody at an instant on a channel, or it does not fit."""

VOLUMES = {
    "email": 4_000,
    "chat": 2_900,
    "messenger": 2_300,
    "phone": 2_500,
    "web_form": 2_200,
    "portal": 260,
}
"""Matters of the history for 6,000 customers."""
PLOTS: dict[str, dict[str, tuple[Plot, float]]] = {channel: {} for channel in VOLUMES}
ORDINARY: dict[str, Plot] = {"portal": portal}
LEAST = 4


def deck(rng: Random, channel: str, number: int) -> list[Plot]:
    """As many plots as there are matters, the rare ones at least a few times, in random order."""
    cards: list[Plot] = []
    for plot, share in PLOTS[channel].values():
        cards += [plot] * max(LEAST, round(share * number))
    ordinary = ORDINARY.get(channel, plain)
    cards += [ordinary] * max(0, number - len(cards))
    rng.shuffle(cards)
    return cards[:number]


def play(world: World, customers: int) -> None:
    """Everything in the order of time, so that nobody is in two stories at once."""
    programme: list[tuple[int, str, Plot]] = []
    for channel, volume in VOLUMES.items():
        times = starts(world.rng, channel, max(12, volume * customers // 6_000))
        plots = deck(world.rng, channel, len(times))
        programme += [(at, channel, plot) for at, plot in zip(times, plots, strict=True)]
    for at, channel, plot in sorted(programme, key=lambda card: (card[0], card[1])):
        ordinary = ORDINARY.get(channel, plain)
        if not plot(world, at, channel) and plot is not ordinary:
            ordinary(world, at, channel)
