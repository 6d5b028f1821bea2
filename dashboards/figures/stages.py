"""How far contacts were identified, month by month: as seen at the contact, and as known now."""

from typing import Any

import polars as pl

from dashboards.figures.canvas import Figure, axis, layout, note, spread
from dashboards.palette import Shades
from dashboards.texts import Words

STAGES = ("anonymous", "transactional", "profile", "omnichannel")
HEIGHT = 300


def _bars(rows: pl.DataFrame, view: str, stage: str, shades: Shades, words: Words) -> dict[str, Any]:
    name = words.t(f"stage.{stage}")
    seen = words.t(f"stages.{view}")
    said = [
        f"<b>{words.month(month)}</b> · {seen}<br>{name}: {words.percent(count / total if total else 0, 0)} "
        f"({words.n('figure.contacts', count)})"
        for month, count, total in rows.select("month", view, f"{view}_all").iter_rows()
    ]
    second = "2" if view == "now" else ""
    return {
        "type": "bar",
        "x": [month.isoformat() for month in rows["month"]],
        "y": [
            count / total if total else None for count, total in rows.select(view, f"{view}_all").iter_rows()
        ],
        "text": said,
        "textposition": "none",
        "hovertemplate": "%{text}<extra></extra>",
        "xaxis": f"x{second}",
        "yaxis": f"y{second}",
        "marker": {
            "color": shades.stages[STAGES.index(stage)],
            "line": {"color": shades.background, "width": 1},
        },
    }


def _stage_labels(rows: pl.DataFrame, shades: Shades, words: Words) -> list[dict[str, Any]]:
    """Each stage's name beside its part of the last bar on the right."""
    last = rows.filter(pl.col("month") == rows["month"].max())
    share = dict(last.select("stage", pl.col("now") / pl.col("now_all")).iter_rows())
    counts = dict(rows.group_by("stage").agg(pl.col("then").sum() + pl.col("now").sum()).iter_rows())
    seen = [stage for stage in STAGES if counts.get(stage)]
    middles, base = [], 0.0
    for stage in seen:
        part = share.get(stage) or 0.0
        middles.append(base + part / 2)
        base += part
    at = {"xref": "paper", "yref": "y", "xanchor": "left", "xshift": 6, "size": 13}
    colours = dict(zip(STAGES, shades.stages, strict=True))
    names = {s: f"<span style='color:{colours[s]}'>■</span> {words.t('stage.' + s)}" for s in seen}
    places = spread(middles, 0.08, 0.03, 0.97)
    return [
        note(names[stage], 1, place, shades.text, **at) for stage, place in zip(seen, places, strict=True)
    ]


def stage_bars(stages: pl.DataFrame, shades: Shades, words: Words) -> Figure | None:
    """`stages`: month, stage, then, now (contacts). None without contacts."""
    if stages.is_empty():
        return None
    rows = stages.with_columns(
        then_all=pl.col("then").sum().over("month"), now_all=pl.col("now").sum().over("month")
    ).sort("month")
    traces = [
        _bars(rows.filter(pl.col("stage") == stage), view, stage, shades, words)
        for view in ("then", "now")
        for stage in STAGES
    ]
    months = rows["month"].unique().sort().to_list()
    named = [months[len(months) // 4], months[3 * len(months) // 4]] if len(months) > 3 else months[:1]
    ticks = {
        "tickvals": [month.isoformat() for month in named],
        "ticktext": [words.month(month) for month in named],
    }
    heads = [
        note(f"<b>{words.t('stages.' + view)}</b>", x, 1, shades.text, **_head)
        for view, x in (("then", 0.0), ("now", 0.53))
    ]
    per_cent = {"tickvals": [0, 0.5, 1], "ticktext": [words.percent(n, 0) + " " for n in (0, 0.5, 1)]}
    axes = {
        "xaxis": axis(shades, domain=[0, 0.47], showgrid=False, **ticks),
        "xaxis2": axis(shades, domain=[0.53, 1], showgrid=False, anchor="y2", **ticks),
        "yaxis": axis(shades, range=[0, 1], **per_cent),
        "yaxis2": axis(shades, range=[0, 1], anchor="x2", showticklabels=False, tickvals=[0, 0.5, 1]),
    }
    more = {
        "barmode": "stack",
        "bargap": 0.18,
        "annotations": heads + _stage_labels(rows, shades, words),
        "margin": {"l": 8, "r": 118, "t": 28, "b": 8},
    }
    return {"data": traces, "layout": layout(shades, words, HEIGHT, **axes, **more)}


_head: dict[str, Any] = {
    "xref": "paper",
    "yref": "paper",
    "xanchor": "left",
    "yanchor": "bottom",
    "size": 13,
}
