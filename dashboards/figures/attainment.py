"""The weekly attainment of each channel, with its goal, the go-lives and the chosen period."""

from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from dashboards.figures.canvas import Figure, axis, date_ticks, layout, line, note, safe, spread
from dashboards.measures import FEW
from dashboards.palette import Shades, faded
from dashboards.texts import Words

HEIGHT = 300


@dataclass(frozen=True, kw_only=True)
class Mark:
    """A thin upright line on a date axis: a go-live."""

    on: date
    label: str


def _percent_axis(values: list[float], shades: Shades, words: Words) -> tuple[float, float, dict[str, Any]]:
    """Bounds on whole 5 or 10 points around the values, with worded ticks."""
    floor, roof = min(values), max(values)
    step = 0.05 if roof - floor < 0.2 else 0.1
    low = max(-0.03, (floor - 0.015) // 0.05 * 0.05)
    high = min(1.0, roof) + 0.035
    ticks = [n * step for n in range(int(1 / step + 1e-9) + 1) if low <= n * step <= high]
    named = {"tickvals": ticks, "ticktext": [words.percent(tick, 0) + " " for tick in ticks]}
    return low, high, axis(shades, range=[low, high], **named)


def _channel_line(rows: pl.DataFrame, code: str, label: str, shades: Shades, words: Words) -> dict[str, Any]:
    enough = rows.with_columns(pl.when(pl.col("of") >= FEW).then("value").alias("drawn"))
    said = [
        f"<b>{safe(label)}</b> {words.percent(value)}  n = {words.number(of)}"
        for value, of in enough.select("value", "of").iter_rows()
    ]
    return {
        "type": "scatter",
        "mode": "lines",
        "x": [day.isoformat() for day in enough["period"]],
        "y": enough["drawn"].to_list(),
        "text": said,
        "hovertemplate": "%{text}<extra></extra>",
        "connectgaps": False,
        "line": {"color": shades.channel(code), "width": 2, "dash": shades.dash(code)},
    }


def _few_points(frame: pl.DataFrame, shades: Shades, words: Words) -> dict[str, Any]:
    """Weeks with too few promises to draw a line through: hollow and grey."""
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [day.isoformat() for day in frame["period"]],
        "y": frame["value"].to_list(),
        "text": [words.t("figure.few", n=of) for of in frame["of"]],
        "hovertemplate": "%{text}<extra></extra>",
        "marker": {
            "size": 5,
            "color": "rgba(0,0,0,0)",
            "line": {"color": faded(shades.muted, 0.45), "width": 1},
        },
    }


def _mark_notes(
    marks: list[Mark], days: tuple[date, date], bounds: tuple[float, float], shades: Shades
) -> list[Any]:
    """Labels of the go-lives at the foot, lifted where neighbours would touch on a narrow screen."""
    (first, last), (low, high) = days, bounds
    notes, ends = [], [date.min] * 4
    for mark in marks:
        level = next((n for n, end in enumerate(ends) if mark.on >= end), 0)
        width = (last - first) * (0.027 * len(mark.label) + 0.03)
        ends[level] = mark.on + width
        at: dict[str, Any] = {"xanchor": "left", "yanchor": "bottom", "xshift": 3}
        if mark.on + width > last:
            at |= {"xanchor": "right", "xshift": -3}
        height = low + level * (high - low) * 0.06
        notes.append(note(safe(mark.label), mark.on.isoformat(), height, shades.muted, **at))
    return notes


@dataclass(frozen=True, kw_only=True)
class Attainment:
    """What the picture shows. `weekly`: period, channel, of, value; `channels`: code to label, in order."""

    weekly: pl.DataFrame
    channels: dict[str, str]
    goal: float | None
    marks: list[Mark]
    chosen: tuple[date, date]


def attainment_lines(asked: Attainment, shades: Shades, words: Words) -> Figure | None:
    """None when no promise was due."""
    known = asked.weekly.filter(
        pl.col("value").is_not_null() & pl.col("channel").is_in(list(asked.channels))
    ).sort("period")
    if known.is_empty():
        return None
    first, last = known["period"][0], known["period"][-1]
    solid = known.filter(pl.col("of") >= FEW)
    basis = (solid if solid.height else known)["value"].to_list()
    low, high, y = _percent_axis(basis + ([asked.goal] if asked.goal else []), shades, words)
    few = known.filter((pl.col("of") < FEW) & (pl.col("value") >= low))
    traces = [_few_points(few, shades, words)] if few.height else []
    drawn = [code for code in asked.channels if code in set(solid["channel"])]
    for code in drawn:
        rows = known.filter(pl.col("channel") == code)
        traces.append(_channel_line(rows, code, asked.channels[code], shades, words))
    marks = sorted((mark for mark in asked.marks if first <= mark.on <= last), key=lambda mark: mark.on)
    notes = _end_labels(solid, {code: asked.channels[code] for code in drawn}, low, high, shades)
    notes += _mark_notes(marks, (first, last), (low, high), shades)
    shapes = [line(m.on.isoformat(), 0, m.on.isoformat(), 1, shades.rule, yref="paper") for m in marks]
    shapes += [_band(asked.chosen, last, shades)] if asked.chosen[0] > first else []
    if asked.goal is not None:
        shapes.append(line(0, asked.goal, 1, asked.goal, shades.text, xref="paper", dash="dot", width=1.2))
        notes.append(_goal_note(asked.goal, shades, words))
    axes = {"xaxis": axis(shades, showgrid=False, **date_ticks(first, last, words)), "yaxis": y}
    margin = {"l": 8, "r": 104, "t": 12, "b": 8}
    more = {"shapes": shapes, "annotations": notes, "margin": margin, "hovermode": "closest"}
    return {"data": traces, "layout": layout(shades, words, HEIGHT, **axes, **more)}


def _end_labels(
    solid: pl.DataFrame, drawn: dict[str, str], low: float, high: float, shades: Shades
) -> list[dict[str, Any]]:
    """Names at the lines' ends in text colour after a coloured dash, spread apart."""
    ends = [float(solid.filter(pl.col("channel") == code)["value"][-1]) for code in drawn]
    places = spread(ends, (high - low) * 0.066, low, high)
    at = {"xref": "paper", "xanchor": "left", "xshift": 6, "size": 13}
    names = {
        code: f"<span style='color:{shades.channel(code)}'><b>—</b></span> {safe(label)}"
        for code, label in drawn.items()
    }
    return [note(names[code], 1, place, shades.text, **at) for code, place in zip(drawn, places, strict=True)]


def _goal_note(goal: float, shades: Shades, words: Words) -> dict[str, Any]:
    said = words.t("figure.goal", goal=words.percent(goal, 0))
    at = {"xref": "paper", "xanchor": "left", "yanchor": "bottom", "bgcolor": shades.background}
    return note(said, 0, goal, shades.text, **at)


def _band(chosen: tuple[date, date], last: date, shades: Shades) -> dict[str, Any]:
    """The chosen period, faintly shaded."""
    return {
        "type": "rect",
        "layer": "below",
        "xref": "x",
        "yref": "paper",
        "x0": chosen[0].isoformat(),
        "x1": min(chosen[1], last).isoformat(),
        "y0": 0,
        "y1": 1,
        "fillcolor": faded(shades.accent, 0.07),
        "line": {"width": 0},
    }
