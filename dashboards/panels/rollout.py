"""The cards of the roll-out: the plan, the goals, who was recognised, and before against after."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

import polars as pl
import streamlit as st

from dashboards import tables
from dashboards.cards import card, picture
from dashboards.figures.forest import Difference, forest
from dashboards.figures.plan import delay, ordered, plan
from dashboards.figures.stages import stage_bars
from dashboards.measures import Measure, goal_state, only
from dashboards.periods import period
from dashboards.sheet import Sheet

WEEKS = 8
COMPARED = (
    "sla_attainment",
    "frt_human",
    "repeat_explanation",
    "channel_switch",
    "context_available",
    "repeat_contact",
)
SIGNS: Mapping[str, str] = {"reached": "✓", "on_course": "↗", "off_course": "▼", "no_data": "–"}


def _unit(sheet: Sheet, unit: str) -> str:
    return sheet.channels.get(unit, unit)


def the_plan(sheet: Sheet) -> None:
    w, golives = sheet.words, sheet.answers.frame("golives")
    labels = sheet.channels
    rows = ordered(golives).select(
        unit=tables.named("unit", labels),
        stage=pl.col("stage").replace(
            {stage: w.known(f"stage.{stage}", stage) for stage in golives["stage"].unique()}
        ),
        planned="planned_on",
        live="live_on",
        kept=pl.Series(
            [delay(row, sheet.today, w) for row in ordered(golives).iter_rows(named=True)], dtype=pl.String
        ),
    )
    with card(
        w.t("plan.title"), w.t("plan.remark"), w, key="plan", table=rows, columns=tables.plan_columns(w)
    ):
        picture(
            plan(golives, labels, sheet.today, sheet.shades, w),
            w,
            key="figure_plan",
            alt=w.t("plan.alt"),
            nothing="plan.nothing",
        )


def _over(
    sheet: Sheet, measure: Measure, channel: str | None, start: date | None, end: date | None
) -> float | None:
    """The KPI's value between two days on one channel, or on all."""
    if start is None or end is None:
        return None
    asked = sheet.narrowed((channel,) if channel else ()).answers
    return measure.value(only(asked.kpi(measure.kpi.key, start=start, end=end)))


def _goal_rows(sheet: Sheet) -> Iterator[dict[str, Any]]:
    w, recent = sheet.words, period("90d", sheet.newest)
    known = {kpi.key for kpi in sheet.answers.reader.catalogue()}
    goals = sheet.answers.frame("goals").sort("primary", "due_on", descending=[True, False], nulls_last=True)
    for goal in goals.filter(pl.col("kpi").is_in(list(known))).iter_rows(named=True):
        measure = sheet.measure(goal["kpi"])
        baseline = _over(sheet, measure, goal["channel"], goal["baseline_from"], goal["baseline_to"])
        now = _over(sheet, measure, goal["channel"], recent.start, recent.end)
        state = goal_state(measure, goal, baseline, now, sheet.today)
        yield {
            "goal": measure.title + (" ★" if goal["primary"] else ""),
            "where": _unit(sheet, goal["channel"]) if goal["channel"] else w.t("goals.everywhere"),
            "baseline": measure.worded(baseline),
            "now": measure.worded(now),
            "target": measure.target(goal["target"]),
            "due": goal["due_on"],
            "owner": goal["owner"] or "–",
            "state": f"{SIGNS[state]} {w.t(f'goals.{state}')}",
        }


def the_goals(sheet: Sheet) -> None:
    w = sheet.words
    rows = list(_goal_rows(sheet))
    with card(w.t("goals.title"), w.t("goals.remark"), w, key="goals"):
        if not rows:
            st.caption(w.t("goals.none"))
            return
        st.dataframe(
            pl.DataFrame(rows, schema_overrides={"due": pl.Date}, infer_schema_length=None),
            column_config=tables.goal_columns(w),
            height=tables.height(len(rows), 12),
            row_height=tables.ROW,
            hide_index=True,
            placeholder="–",
            key="goals_table",
            alt=w.t("goals.alt"),
        )


def identified(sheet: Sheet) -> None:
    w, stages = sheet.words, sheet.answers.frame("stages")
    table = stages.select(
        month="month",
        stage=pl.col("stage").replace(
            {stage: w.known(f"stage.{stage}", stage) for stage in stages["stage"].unique()}
        ),
        then="then",
        now="now",
    )
    with card(
        w.t("stages.title"),
        w.t("stages.remark"),
        w,
        key="stages",
        table=table,
        columns=tables.stage_columns(w),
    ):
        picture(stage_bars(stages, sheet.shades, w), w, key="figure_stages", alt=w.t("stages.alt"))


def _differences(sheet: Sheet, key: str, lives: list[tuple[str, date]]) -> list[Difference]:
    rows = []
    for unit, live_on in lives:
        told = only(sheet.answers.frame("before_after", kpi=key, unit=unit, live_on=live_on, weeks=WEEKS))
        rows.append(
            Difference(
                unit=unit,
                label=_unit(sheet, unit),
                before=told.get("before_value"),
                before_n=int(told.get("before_n") or 0),
                after=told.get("after_value"),
                after_n=int(told.get("after_n") or 0),
                change=told.get("difference"),
                low=told.get("low"),
                high=told.get("high"),
            )
        )
    return rows


def difference_table(rows: list[Difference], measure: Measure) -> pl.DataFrame:
    w = measure.words
    said = [
        {
            "unit": row.label,
            "before": measure.worded(row.before),
            "n_before": row.before_n,
            "after": measure.worded(row.after),
            "n_after": row.after_n,
            "difference": "–" if row.change is None else measure.difference(row.change),
            "interval": w.t(
                "forest.range", low=measure.difference(row.low), high=measure.difference(row.high)
            )
            if row.low is not None and row.high is not None
            else "–",
        }
        for row in rows
    ]
    return pl.DataFrame(said)


def before_and_after(sheet: Sheet) -> None:
    w = sheet.words
    st.header(w.t("forest.title"), anchor=False)
    golives = sheet.answers.frame("golives").filter(pl.col("unit_kind") == "channel").drop_nulls("live_on")
    live = golives.group_by("unit").agg(pl.col("live_on").min())
    lives = [(unit, on) for unit, on in live.sort("live_on").iter_rows()]
    known = {kpi.key for kpi in sheet.answers.reader.catalogue()}
    if not lives:
        st.caption(w.t("forest.none"))
        return
    st.info(w.t("forest.caution", weeks=WEEKS), icon=":material/balance:")
    with st.grid(2, min_column_width=420, gap="small"):
        for key in (key for key in COMPARED if key in known):
            measure = sheet.measure(key)
            rows = _differences(sheet, key, lives)
            remark = w.t(f"forest.{measure.kpi.better or 'neutral'}")
            table = difference_table(rows, measure)
            with card(
                measure.title,
                remark,
                w,
                key=f"forest_{key}",
                table=table,
                columns=tables.difference_columns(w),
            ):
                picture(
                    forest(rows, measure, sheet.shades),
                    w,
                    key=f"figure_{key}",
                    alt=w.t("forest.alt", kpi=measure.title),
                )
