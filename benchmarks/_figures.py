"""A figure is one printed line: what was measured, how it compares, and what is wanted of it."""

import os
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

Times = dict[str, list[float]]
"""Seconds of every round, by the way that was measured; all ways take turns in each round."""


def seconds(work: Callable[[], Any]) -> float:
    """How long a call takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def ratio(times: Times, way: str, other: str) -> float:
    """How many times as fast as another a way is: the median of the rounds' own ratios."""
    return statistics.median(b / a for a, b in zip(times[way], times[other], strict=True))


def rate(times: Times, way: str, count: int) -> float:
    """Thousands a second, in the median round."""
    return count / statistics.median(times[way]) / 1000


def quantile(times: Sequence[float], share: float) -> float:
    """The time that this share of all times does not exceed."""
    return sorted(times)[min(int(len(times) * share), len(times) - 1)]


def told(text: str) -> None:
    """A line without a figure, with the load of the machine."""
    print(f"{text}   [load {os.getloadavg()[0]:.1f}]", flush=True)


def figure(name: str, value: float, *, least: float | None = None, most: float | None = None) -> None:
    """One figure and, where a bound is set for it, whether it is met."""
    wanted = ""
    if least is not None:
        wanted = f"  wanted >= {least:<8g}{'' if value >= least else 'MISSED'}"
    if most is not None:
        wanted = f"  wanted <= {most:<8g}{'' if value <= most else 'MISSED'}"
    print(f"  {name:<64}{value:>10.2f}{wanted}".rstrip(), flush=True)
