"""One customer's line: cases, every channel, offers, orders and notes as lanes over time."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import polars as pl

from dashboards.figures.canvas import Figure, axis, date_ticks, layout, line, note, safe, wall
from dashboards.palette import Shades, faded
from dashboards.texts import Words

LANE = 38
FOOT = 58
THINGS = {"offer": "offers", "order": "orders", "note": "notes"}


@dataclass(frozen=True, kw_only=True)
class Line:
    """What the picture shows of one person between two instants."""

    entries: pl.DataFrame
    cases: pl.DataFrame
    switches: pl.DataFrame
    channels: dict[str, str]
    start: datetime
    end: datetime

    def lanes(self, words: Words) -> dict[str, str]:
        """Lane codes to labels, from the top."""
        things = {code: words.t(f"lane.{code}") for code in THINGS.values()}
        return {"case": words.t("lane.case"), **self.channels, **things}


def placed(entries: pl.DataFrame, channels: dict[str, str]) -> pl.DataFrame:
    """Entries that have a lane, with it, and whether the customer, late or told again."""
    family = pl.col("kind").str.split(".").list.first()
    contact = family.is_in(["contact", "bot"]) & pl.col("channel").is_in(list(channels))
    thing = family.replace_strict(THINGS, default=None, return_dtype=pl.String)
    from_customer = pl.col("kind").is_in(["contact.received", "contact.missed"])
    return (
        entries.with_columns(
            lane=pl.coalesce(thing, pl.when(contact).then("channel")),
            customer=from_customer | (pl.col("actor_kind") == "customer").fill_null(False),
            late=(pl.col("verdict") == "breached").fill_null(False),
        )
        .filter(pl.col("lane").is_not_null())
        .sort("occurred_at")
    )


def _said(rows: pl.DataFrame, words: Words) -> list[str]:
    """Hover text of each entry; never what people wrote."""
    texts = []
    for row in rows.iter_rows(named=True):
        parts = [
            f"<b>{words.moment(row['occurred_at'])}</b>",
            safe(words.known(f"kind.{row['kind']}", row["kind"])),
        ]
        if row["topic"]:
            parts.append(safe(words.known(f"topic.{row['topic']}", row["topic"])))
        if row["late"] and row["elapsed_s"] is not None and row["target_s"] is not None:
            spent = words.duration(row["elapsed_s"]), words.duration(row["target_s"])
            parts.append("◆ " + words.t("timeline.late_by", elapsed=spent[0], target=spent[1]))
        if row["repeated"]:
            parts.append("✚ " + words.t("timeline.repeated"))
        texts.append("<br>".join(parts))
    return texts


def _points(
    rows: pl.DataFrame, heights: dict[str, int], words: Words, marker: dict[str, Any]
) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [wall(at, words) for at in rows["occurred_at"]],
        "y": [heights[lane] for lane in rows["lane"]],
        "text": _said(rows, words),
        "hovertemplate": "%{text}<extra></extra>",
        "marker": marker,
    }


def _channel_points(rows: pl.DataFrame, heights: dict[str, int], shades: Shades, words: Words) -> list[Any]:
    traces = []
    for code in rows["lane"].unique(maintain_order=True):
        colour = shades.channel(code)
        mine = rows.filter((pl.col("lane") == code) & ~pl.col("late"))
        ours = mine.filter(~pl.col("customer"))
        ring = {"size": 11, "color": shades.background, "line": {"color": colour, "width": 2}}
        traces.append(_points(ours, heights, words, ring))
        dot = {"size": 11, "color": colour, "line": {"color": shades.background, "width": 1}}
        traces.append(_points(mine.filter("customer"), heights, words, dot))
    diamond = {
        "size": 14,
        "symbol": "diamond",
        "color": shades.bad,
        "line": {"color": shades.background, "width": 1},
    }
    traces.append(_points(rows.filter("late"), heights, words, diamond))
    again = _points(
        rows.filter("repeated"), heights, words, {"size": 9, "symbol": "cross", "color": shades.bad}
    )
    return [
        *traces,
        again | {"y": [y + 0.36 for y in again["y"]], "hoverinfo": "skip", "hovertemplate": None},
    ]


def _thing_points(rows: pl.DataFrame, heights: dict[str, int], shades: Shades, words: Words) -> list[Any]:
    colour = shades.deals
    markers = {
        "offers": {
            "size": 11,
            "symbol": "square",
            "color": shades.background,
            "line": {"color": colour, "width": 2},
        },
        "orders": {"size": 11, "symbol": "square", "color": colour},
        "notes": {"size": 10, "symbol": "triangle-up", "color": shades.muted},
    }
    return [
        _points(rows.filter(pl.col("lane") == lane), heights, words, look) for lane, look in markers.items()
    ]


def _case_bars(asked: Line, y: int, shades: Shades, words: Words) -> list[dict[str, Any]]:
    """One bar per case; a broken promise shows as a hatch and a diamond, not by colour alone."""
    bars, least = [], (asked.end - asked.start) / 140
    for case in asked.cases.iter_rows(named=True):
        start = max(case["opened_at"], asked.start)
        end = max(min(case["resolved_at"] or asked.end, asked.end), start + least)
        bad = bool(case["breached"])
        colour = shades.bad if bad else shades.muted
        said = words.t("timeline.case_open" if case["resolved_at"] is None else "timeline.case_solved")
        lines = [f"<b>{safe(case['case'])}</b>", f"{words.moment(case['opened_at'])} · {said}"]
        lines += ["◆ " + words.t("timeline.case_late")] if bad else []
        bars.append(
            {
                "type": "bar",
                "orientation": "h",
                "base": [wall(start, words)],
                "x": [(end - start) / timedelta(milliseconds=1)],
                "y": [y],
                "width": 0.44,
                "text": "<br>".join(lines),
                "textposition": "none",
                "hovertemplate": "%{text}<extra></extra>",
                "marker": {
                    "color": faded(colour, 0.22),
                    "line": {"color": colour, "width": 1},
                    "pattern": {"shape": "/" if bad else "", "fgcolor": colour, "size": 5, "solidity": 0.25},
                },
            }
        )
        if case["resolved_at"] is None:
            bars.append(_open_end(end, y, colour, words))
    return bars


def _open_end(at: datetime, y: int, colour: str, words: Words) -> dict[str, Any]:
    """An open case points on to the right."""
    marker = {"size": 10, "symbol": "triangle-right", "color": colour}
    at_end = {"x": [wall(at, words)], "y": [y], "hoverinfo": "skip"}
    return {"type": "scatter", "mode": "markers", "marker": marker, **at_end}


def _moves(asked: Line, heights: dict[str, int], shades: Shades, words: Words) -> list[dict[str, Any]]:
    inside = asked.switches.filter((pl.col("from_at") >= asked.start) & (pl.col("to_at") <= asked.end))
    return [
        line(
            wall(row["from_at"], words),
            heights[row["from_channel"]],
            wall(row["to_at"], words),
            heights[row["to_channel"]],
            faded(shades.muted, 0.55),
            layer="below",
            width=1.2,
        )
        for row in inside.iter_rows(named=True)
        if row["from_channel"] in heights and row["to_channel"] in heights
    ]


def lanes(asked: Line, shades: Shades, words: Words) -> Figure:
    """The picture is drawn even without entries: empty lanes are an answer."""
    named = asked.lanes(words)
    heights = {code: len(named) - 1 - at for at, code in enumerate(named)}
    window = asked.entries.filter(pl.col("occurred_at").is_between(asked.start, asked.end))
    rows = placed(window, asked.channels)
    contacts = rows.filter(pl.col("lane").is_in(list(asked.channels)))
    traces = _case_bars(asked, heights["case"], shades, words)
    traces += _channel_points(contacts, heights, shades, words) + _thing_points(rows, heights, shades, words)
    edges = (heights["case"] - 0.5, heights["offers"] + 0.5)
    shapes = [line(0, edge, 1, edge, shades.rule, xref="paper") for edge in edges]
    first, last = words.local(asked.start), words.local(asked.end)
    room = (last - first) * 0.03
    x_axis = axis(
        shades,
        type="date",
        range=[wall(first - room, words), wall(last + room, words)],
        **date_ticks(first.date(), last.date(), words),
    )
    y_axis = axis(
        shades,
        range=[-0.6, len(named) - 0.4],
        tickvals=list(heights.values()),
        ticktext=[f"{safe(label)}  " for label in named.values()],
        tickfont={"size": 13, "color": shades.text},
    )
    more = {
        "shapes": shapes + _moves(asked, heights, shades, words),
        "annotations": []
        if rows.height
        else [note(words.t("timeline.quiet"), 0.5, 0.5, shades.muted, xref="paper", yref="paper")],
        "margin": {"l": 8, "r": 8, "t": 4, "b": 8},
        "hovermode": "closest",
        "barmode": "overlay",
    }
    height = LANE * len(named) + FOOT
    return {"data": traces, "layout": layout(shades, words, height, xaxis=x_axis, yaxis=y_axis, **more)}
