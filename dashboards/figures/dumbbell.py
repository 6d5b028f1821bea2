"""Each channel's attainment against its goal: now (filled), the comparison (hollow), the goal (dashed)."""

from dataclasses import dataclass
from typing import Any

from dashboards.figures.canvas import Figure, axis, layout, line, note, safe
from dashboards.measures import FEW
from dashboards.palette import Shades
from dashboards.texts import NARROW, Words

HEIGHT = 300


@dataclass(frozen=True, kw_only=True)
class Row:
    """One channel of the picture."""

    code: str
    label: str
    now: float | None
    of: int
    then: float | None
    goal: float | None


def _verdict(row: Row, shades: Shades, words: Words) -> tuple[str, str]:
    """What stands at the row's end, and its colour: a sign and words, never colour alone."""
    if row.now is None:
        return words.t("value.none"), shades.muted
    value = f"<b>{words.percent(row.now)}</b>\u2002"
    if row.of < FEW:
        return f"{value}n{NARROW}={NARROW}{row.of}", shades.muted
    if row.goal is None:
        return value, shades.text
    gap = words.points(row.now - row.goal)
    met = row.now >= row.goal
    return f"{value}{'✓' if met else '▼'}{NARROW}{gap}", shades.good if met else shades.bad


def _dots(row: Row, y: int, shades: Shades, words: Words) -> list[dict[str, Any]]:
    colour = shades.channel(row.code) if row.of >= FEW else shades.muted
    dots: list[dict[str, Any]] = []
    for value, filled in ((row.then, False), (row.now, True)):
        if value is None:
            continue
        said = words.t("figure.now" if filled else "figure.then", value=words.percent(value))
        dots.append(
            {
                "type": "scatter",
                "mode": "markers",
                "x": [value],
                "y": [y],
                "text": [f"<b>{safe(row.label)}</b> {said}"],
                "hovertemplate": "%{text}<extra></extra>",
                "marker": {
                    "size": 12,
                    "color": colour if filled else shades.background,
                    "line": {"color": colour, "width": 2},
                },
            }
        )
    return dots


def _bounds(rows: list[Row]) -> tuple[float, float]:
    values = [value for row in rows for value in (row.now, row.then, row.goal) if value is not None]
    low, high = min(values), max(values)
    room = max(0.02, (high - low) * 0.12)
    return max(-0.01, low - room), min(1.02, high + room)


def dumbbell(rows: list[Row], shades: Shades, words: Words) -> Figure | None:
    """None when no channel has a value."""
    if all(row.now is None for row in rows):
        return None
    low, high = _bounds(rows)
    traces, shapes, notes = [], [], []
    for y, row in enumerate(reversed(rows)):
        if row.now is not None and row.then is not None:
            shapes.append(line(row.then, y, row.now, y, shades.rule, width=3, layer="between"))
        if row.goal is not None:
            shapes.append(line(row.goal, y - 0.5, row.goal, y + 0.5, shades.text, dash="dot", width=1.2))
        traces += _dots(row, y, shades, words)
        said, colour = _verdict(row, shades, words)
        notes.append(note(said, 1, y, colour, xref="paper", xanchor="left", xshift=12, size=13))
    step = next(s for s in (0.02, 0.05, 0.1, 0.2, 0.5) if (high - low) / s <= 4 or s == 0.5)
    ticks = [n * step for n in range(int(1 / step) + 1) if low <= n * step <= high]
    names = [safe(row.label) for row in reversed(rows)]
    axes = {
        "xaxis": axis(
            shades, range=[low, high], tickvals=ticks, ticktext=[words.percent(tick, 0) for tick in ticks]
        ),
        "yaxis": axis(
            shades,
            range=[-0.6, len(rows) - 0.4],
            tickvals=list(range(len(rows))),
            ticktext=[f"{name}  " for name in names],
            tickfont={"size": 13, "color": shades.text},
            showgrid=False,
        ),
    }
    goals = {row.goal for row in rows if row.goal is not None}
    if len(goals) == 1:
        goal = goals.pop()
        said = words.t("figure.goal", goal=words.percent(goal, 0))
        notes.append(note(said, goal, 1, shades.text, yref="paper", yanchor="bottom"))
    margin = {"l": 8, "r": 136, "t": 20, "b": 8}
    return {
        "data": traces,
        "layout": layout(shades, words, HEIGHT, shapes=shapes, annotations=notes, margin=margin, **axes),
    }
