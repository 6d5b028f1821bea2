"""Where a case began and where the customer continued: a Sankey from channel to channel."""

from typing import Any

import polars as pl

from dashboards.figures.canvas import FONT, Figure, layout, safe
from dashboards.palette import Shades, faded
from dashboards.texts import Words

HEIGHT = 340
_GAP = 0.035


def _ends(switches: pl.DataFrame, column: str, channels: dict[str, str]) -> dict[str, int]:
    """Switches per channel at one side, in channel order, channels without any left out."""
    sums = dict(switches.group_by(column).agg(pl.col("switches").sum()).iter_rows())
    return {code: int(sums[code]) for code in channels if sums.get(code)}


def _heights(ends: dict[str, int]) -> list[float]:
    """Middle of each node from the top, gaps between them included."""
    total, room = sum(ends.values()), 1 - _GAP * (len(ends) - 1)
    middles, top = [], 0.0
    for size in ends.values():
        height = room * size / total
        middles.append(min(0.999, max(0.001, top + height / 2)))
        top += height + _GAP
    return middles


def _nodes(
    sides: list[dict[str, int]], channels: dict[str, str], shades: Shades, words: Words
) -> dict[str, Any]:
    codes = [code for side in sides for code in side]
    labels = [
        f"{safe(channels[code])} {words.percent(size / sum(side.values()), 0)}"
        for side in sides
        for code, size in side.items()
    ]
    return {
        "label": labels,
        "color": [shades.channel(code) for code in codes],
        "x": [0.001] * len(sides[0]) + [0.999] * len(sides[1]),
        "y": _heights(sides[0]) + _heights(sides[1]),
        "pad": HEIGHT * _GAP,
        "thickness": 12,
        "line": {"width": 0},
        "hoverinfo": "none",
    }


def sankey(switches: pl.DataFrame, channels: dict[str, str], shades: Shades, words: Words) -> Figure | None:
    """`switches`: from_channel, to_channel, switches, cases. None when nobody switched."""
    known = switches.filter(
        pl.col("from_channel").is_in(list(channels))
        & pl.col("to_channel").is_in(list(channels))
        & (pl.col("switches") > 0)
    )
    if known.is_empty():
        return None
    sides = [_ends(known, "from_channel", channels), _ends(known, "to_channel", channels)]
    left = {code: at for at, code in enumerate(sides[0])}
    right = {code: len(left) + at for at, code in enumerate(sides[1])}
    order = list(channels)
    rows = sorted(
        known.select("from_channel", "to_channel", "switches", "cases").iter_rows(),
        key=lambda row: (order.index(row[0]), order.index(row[1])),
    )
    link = {
        "source": [left[row[0]] for row in rows],
        "target": [right[row[1]] for row in rows],
        "value": [row[2] for row in rows],
        "color": [faded(shades.channel(row[0]), 0.28) for row in rows],
        "customdata": [
            f"<b>{safe(channels[a])} → {safe(channels[b])}</b><br>"
            f"{words.n('figure.switches', n)} · {words.n('figure.cases', cases)}"
            for a, b, n, cases in rows
        ],
        "hovertemplate": "%{customdata}<extra></extra>",
    }
    trace = {
        "type": "sankey",
        "arrangement": "fixed",
        "node": _nodes(sides, channels, shades, words),
        "link": link,
        "textfont": {"family": FONT, "size": 13, "color": shades.text, "shadow": "none"},
    }
    margin = {"l": 2, "r": 2, "t": 6, "b": 10}
    return {"data": [trace], "layout": layout(shades, words, HEIGHT, margin=margin)}
