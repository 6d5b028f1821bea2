"""One tile is one KPI: value, change, sparkline, and its definition and goal behind the question mark."""

from dataclasses import dataclass
from typing import Any, Literal

import polars as pl
import streamlit as st

from dashboards.measures import FEW, Measure
from dashboards.texts import Words

Colour = Literal["green", "orange", "gray"]
Arrow = Literal["up", "down", "off"]


def meaning(measure: Measure, goal: float | None, row: dict[str, Any], against: str) -> str:
    """The help text: the question, the definition, its goal and n."""
    w, kpi = measure.words, measure.kpi
    lines = [f"**{measure.question}**", measure.definition]
    if goal is not None:
        lines.append(w.t("tile.goal", goal=measure.target(goal)))
    size = w.t("tile.size", n=w.number(measure.size(row)))
    if row.get("low") is not None:
        size += w.t("tile.interval", low=w.percent(row["low"]), high=w.percent(row["high"]))
    if row.get("waiting"):
        size += w.n("tile.waiting", row["waiting"])
    if row.get("provisional"):
        size += w.n("tile.provisional", row["provisional"])
    compared = w.t("tile.against", against=against) if against else ""
    lines += [size, compared, f"`{kpi.key}` v{kpi.version}"]
    return "\n\n".join(line for line in lines if line)


def mark(measure: Measure, now: float, then: float) -> tuple[Colour, Arrow]:
    """Colour and arrow of a change: grey without arrow while it is too small to matter."""
    if not measure.material(now, then):
        return "gray", "off"
    arrow: Arrow = "up" if now > then else "down"
    colours: dict[str, Colour] = {"better": "green", "worse": "orange", "same": "gray"}
    return colours[measure.sense(now, then)], arrow


def spark(measure: Measure, series: pl.DataFrame) -> list[float] | None:
    """The values that there are; a line needs two."""
    if measure.column not in series.columns:
        return None
    values = [float(value) for value in series[measure.column].drop_nulls()]
    return values if len(values) > 1 else None


@dataclass(frozen=True, kw_only=True)
class Tile:
    """What one tile shows: the KPI's row now and in the comparison, its series, and its goal."""

    measure: Measure
    now: dict[str, Any]
    then: dict[str, Any] | None
    series: pl.DataFrame
    goal: float | None
    against: str

    @property
    def remark(self) -> str:
        """Beside the change: too few rows to judge, else the goal, else what it is compared with."""
        w, size = self.measure.words, self.measure.size(self.now)
        if size < FEW or self.measure.value(self.now) is None:
            return w.t("tile.few", n=size) if 0 < size < FEW else ""
        return (
            self.against if self.goal is None else w.t("tile.goal_only", goal=self.measure.target(self.goal))
        )


def tile(shown: Tile) -> None:
    measure = shown.measure
    value = measure.value(shown.now)
    before = measure.value(shown.then) if shown.then else None
    colour: Colour = "gray"
    arrow: Arrow = "off"
    change = None
    if value is not None and before is not None:
        change = measure.change(value, before)
        colour, arrow = mark(measure, value, before)
    st.metric(
        measure.title,
        measure.worded(value),
        change,
        delta_color=colour,
        delta_arrow=arrow,
        delta_description=shown.remark or None,
        chart_data=spark(measure, shown.series),
        chart_type="line" if measure.kpi.kind in ("share", "duration") else "bar",
        border=True,
        height="stretch",
        help=meaning(measure, shown.goal, shown.now, shown.against),
    )


def card(label: str, value: str, w: Words, help_key: str | None = None) -> None:
    """A tile without a chart: one figure about one customer."""
    st.metric(label, value, border=True, height="stretch", help=w.t(help_key) if help_key else None)
