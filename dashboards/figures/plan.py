"""The roll-out plan: when each unit was to go live (hollow) and when it did (filled)."""

from datetime import date
from typing import Any

import polars as pl

from dashboards.figures.canvas import Figure, axis, date_ticks, layout, line, note, safe
from dashboards.palette import Shades
from dashboards.texts import Words


def _dot(day: date, y: int, filled: bool, colours: tuple[str, str], words: Words) -> dict[str, Any]:
    colour, ground = colours
    said = words.t("plan.live" if filled else "plan.planned", day=words.day(day))
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [day.isoformat()],
        "y": [y],
        "text": [said],
        "hovertemplate": "%{text}<extra></extra>",
        "marker": {
            "size": 13,
            "color": colour if filled else ground,
            "line": {"color": colour, "width": 2},
        },
    }


def delay(row: dict[str, Any], today: date, words: Words) -> str:
    """Words for planned against actual."""
    planned, live = row["planned_on"], row["live_on"]
    if live is None:
        late = (today - planned).days
        return words.n("plan.overdue", late) if late > 0 else words.t("plan.to_come", day=words.day(planned))
    if planned is None or live == planned:
        return words.t("plan.on_day" if planned else "plan.unplanned")
    days = (live - planned).days
    return words.n("plan.late" if days > 0 else "plan.early", abs(days))


def ordered(golives: pl.DataFrame) -> pl.DataFrame:
    """Go-lives in the order in which they came or are to come."""
    return (
        golives.with_columns(due=pl.coalesce("live_on", "planned_on")).drop_nulls("due").sort("due", "unit")
    )


def _row(row: dict[str, Any], y: int, today: date, shades: Shades, words: Words) -> tuple[Any, Any, Any]:
    """Dots, delay line and words of one go-live."""
    days = {False: row["planned_on"], True: row["live_on"]}
    colours = shades.channel(row["unit"]), shades.background
    dots = [_dot(day, y, filled, colours, words) for filled, day in days.items() if day]
    lines = []
    if all(days.values()):
        ends = days[False].isoformat(), days[True].isoformat()
        lines.append(line(ends[0], y, ends[1], y, shades.rule, width=3, layer="between"))
    at = {"xref": "paper", "xanchor": "left", "xshift": 10, "size": 13}
    return dots, lines, note(delay(row, today, words), 1, y, shades.text, **at)


def plan(
    golives: pl.DataFrame, labels: dict[str, str], today: date, shades: Shades, words: Words
) -> Figure | None:
    """`golives`: unit, stage, planned_on, live_on. None when nothing is planned and nothing is live."""
    rows = list(ordered(golives).iter_rows(named=True))[::-1]
    if not rows:
        return None
    days = [today, *(row[name] for row in rows for name in ("planned_on", "live_on") if row[name])]
    first, last = min(days), max(days)
    room = (last - first) / 20 + (last.resolution * 5)
    traces: list[Any] = []
    shapes = [line(today.isoformat(), 0, today.isoformat(), 1, shades.rule, yref="paper", dash="dot")]
    notes = [note(words.t("plan.today"), today.isoformat(), 1, shades.muted, yref="paper", yanchor="bottom")]
    for y, row in enumerate(rows):
        dots, lines, said = _row(row, y, today, shades, words)
        traces, shapes, notes = traces + dots, shapes + lines, [*notes, said]
    several = len({row["stage"] for row in rows}) > 1
    names = [
        safe(labels.get(row["unit"], row["unit"]))
        + (f" · {words.known('stage.' + row['stage'], row['stage'])}" if several else "")
        + "  "
        for row in rows
    ]
    across = [(first - room).isoformat(), (last + room).isoformat()]
    spoken = {"size": 13, "color": shades.text}
    axes = {
        "xaxis": axis(shades, type="date", range=across, **date_ticks(first, last, words, 3)),
        "yaxis": axis(
            shades,
            range=[-0.6, len(rows) - 0.4],
            tickvals=list(range(len(rows))),
            ticktext=names,
            tickfont=spoken,
            showgrid=False,
        ),
    }
    more = {"shapes": shapes, "annotations": notes, "margin": {"l": 8, "r": 150, "t": 22, "b": 8}}
    return {"data": traces, "layout": layout(shades, words, max(300, 60 + 34 * len(rows)), **axes, **more)}
