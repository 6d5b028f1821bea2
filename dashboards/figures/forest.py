"""One KPI after each go-live minus before it: the difference with its 95 % interval against zero."""

from dataclasses import dataclass
from typing import Any

from dashboards.figures.canvas import Figure, axis, layout, line, note, safe
from dashboards.measures import FEW, Measure
from dashboards.palette import Shades


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One go-live: what the KPI was in the weeks before and after it."""

    unit: str
    label: str
    before: float | None
    before_n: int
    after: float | None
    after_n: int
    change: float | None
    low: float | None
    high: float | None

    @property
    def enough(self) -> bool:
        return self.change is not None and min(self.before_n, self.after_n) >= FEW


def _small(text: str, shades: Shades) -> str:
    return f"<br><span style='font-size:11px;color:{shades.muted}'>{text}</span>"


def said(row: Difference, measure: Measure, shades: Shades) -> str:
    """The difference and the two values it is of, or that there are too few rows."""
    if row.change is None or not row.enough:
        return measure.words.t("forest.few")
    values = f"{measure.worded(row.before)} → {measure.worded(row.after)}"
    return measure.difference(row.change) + _small(values, shades)


def _name(row: Difference, measure: Measure, shades: Shades) -> str:
    w = measure.words
    n = w.t("forest.n", before=w.number(row.before_n), after=w.number(row.after_n))
    return safe(row.label) + _small(n, shades)


def _hover(row: Difference, measure: Measure) -> str:
    w = measure.words
    lines = [
        f"<b>{safe(row.label)}</b>",
        w.t("forest.before", value=measure.worded(row.before), n=w.number(row.before_n)),
        w.t("forest.after", value=measure.worded(row.after), n=w.number(row.after_n)),
    ]
    if row.low is not None and row.high is not None:
        lines.append(
            w.t("forest.interval", low=measure.difference(row.low), high=measure.difference(row.high))
        )
    return "<br>".join(lines)


def _dot(row: Difference, y: int, measure: Measure, shades: Shades) -> dict[str, Any]:
    colour = shades.channel(row.unit)
    crosses = row.low is None or row.high is None or row.low <= 0 <= row.high
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [row.change],
        "y": [y],
        "text": [_hover(row, measure)],
        "hovertemplate": "%{text}<extra></extra>",
        "marker": {
            "size": 11,
            "color": shades.background if crosses else colour,
            "line": {"color": colour, "width": 2},
        },
    }


NICE: dict[str, list[float]] = {
    "share": [part * 10**power for power in (-3, -2, -1) for part in (1, 2, 5)],
    "duration": [5, 15, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 18000, 36000, 86400, 180000, 360000],
}
COUNTS: list[float] = [part * 10**power for power in range(7) for part in (1, 2, 5)]


def _ticks(reach: float, measure: Measure) -> dict[str, Any]:
    """Zero and one worded step on either side: more would touch on a phone."""
    steps = NICE.get(measure.kpi.kind, COUNTS)
    step = next((step for step in steps if reach / step < 2), steps[-1])
    ticks = [n * step for n in range(-1, 2) if abs(n * step) <= reach]
    return {"tickvals": ticks, "ticktext": [_tick(tick, measure) for tick in ticks]}


def _tick(tick: float, measure: Measure) -> str:
    """A share's whole points without their decimal; zero is just zero."""
    said = measure.difference(tick) if tick else "0"
    whole = measure.kpi.kind == "share" and abs(tick) >= 0.01
    return said.replace(measure.words.t("format.decimal") + "0\u202f", "\u202f") if whole else said


def forest(rows: list[Difference], measure: Measure, shades: Shades) -> Figure | None:
    """None when no go-live has rows enough on both sides."""
    drawn = [row for row in rows if row.enough]
    if not drawn:
        return None
    ends = [abs(end) for row in drawn for end in (row.low, row.high, row.change) if end is not None]
    reach = max(max(ends) * 1.12, NICE.get(measure.kpi.kind, COUNTS)[0])
    traces, shapes, notes = [], [line(0, 0, 0, 1, shades.muted, yref="paper")], []
    for y, row in enumerate(reversed(rows)):
        at = {"xref": "paper", "xanchor": "left", "xshift": 10, "size": 13, "align": "left"}
        notes.append(
            note(said(row, measure, shades), 1, y, shades.text if row.enough else shades.muted, **at)
        )
        if not row.enough:
            continue
        if row.low is not None and row.high is not None:
            shapes.append(line(row.low, y, row.high, y, shades.channel(row.unit), width=2, layer="between"))
        traces.append(_dot(row, y, measure, shades))
    axes = {
        "xaxis": axis(shades, range=[-reach, reach], **_ticks(reach, measure)),
        "yaxis": axis(
            shades,
            range=[-0.6, len(rows) - 0.4],
            tickvals=list(range(len(rows))),
            ticktext=[_name(row, measure, shades) for row in reversed(rows)],
            ticks="outside",
            ticklen=8,
            tickcolor="rgba(0,0,0,0)",
            tickfont={"size": 13, "color": shades.text},
            showgrid=False,
        ),
    }
    more = {"shapes": shapes, "annotations": notes, "margin": {"l": 8, "r": 118, "t": 4, "b": 8}}
    return {"data": traces, "layout": layout(shades, measure.words, 48 + 42 * len(rows), **axes, **more)}
