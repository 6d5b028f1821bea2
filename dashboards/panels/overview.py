"""The cards of the service overview, each drawn from the reader's answers."""

from typing import Any, cast

import polars as pl
import streamlit as st

from dashboards import export, persons, tables
from dashboards.cards import card, picture
from dashboards.controls import Choice
from dashboards.figures.attainment import Attainment, Mark, attainment_lines
from dashboards.figures.dumbbell import Row, dumbbell
from dashboards.figures.switching import sankey
from dashboards.measures import FEW, goal_for, goals_of, only
from dashboards.periods import Period, trend
from dashboards.sheet import Sheet
from dashboards.tiles import Tile, tile

TILES = ("sla_attainment", "frt_human", "repeat_explanation", "channel_switch", "contacts")
SLA = "sla_attainment"
SHOWN = 9


def _row(sheet: Sheet, key: str, span: Period | None) -> dict[str, Any] | None:
    return only(sheet.answers.kpi(key, start=span.start, end=span.end)) if span else None


def kpi_tile(sheet: Sheet, choice: Choice, key: str) -> None:
    measure, span = sheet.measure(key), choice.period
    now, then = _row(sheet, key, span) or {}, _row(sheet, key, choice.before)
    grain = span.grain if measure.size(now) >= FEW * span.days or span.days < 28 else span.coarse
    series = sheet.answers.series(key, every=grain, start=span.start, end=span.end)
    goal = goal_for(sheet.answers.frame("goals"), measure.kpi)
    against = choice.against(sheet)
    tile(Tile(measure=measure, now=now, then=then, series=series, goal=goal, against=against))


def marks(sheet: Sheet) -> list[Mark]:
    """The first day on which each unit was live."""
    live = sheet.answers.frame("golives").drop_nulls("live_on").group_by("unit").agg(pl.col("live_on").min())
    names = sheet.channels
    return [
        Mark(on=on, label=sheet.words.t("figure.live", unit=names.get(unit, unit)))
        for unit, on in live.sort("live_on").iter_rows()
    ]


def _with_promises(sheet: Sheet, frame: pl.DataFrame) -> dict[str, str]:
    """The channels that have any due promise, in the policy's order."""
    due = set(frame.filter(pl.col("of") > 0)["channel"])
    return {code: label for code, label in sheet.channels.items() if code in due}


def attainment(sheet: Sheet, choice: Choice) -> None:
    w, span = sheet.words, trend(choice.period)
    weekly = sheet.answers.series(SLA, every="1w", by=("channel",), start=span.start, end=span.end)
    asked = Attainment(
        weekly=weekly,
        channels=_with_promises(sheet, weekly),
        goal=goal_for(sheet.answers.frame("goals"), sheet.measure(SLA).kpi),
        marks=marks(sheet),
        chosen=(choice.period.start, choice.period.end),
    )
    table = weekly.select(
        week="period",
        channel=tables.named("channel", sheet.channels),
        due="of",
        kept="good",
        share=100 * pl.col("value"),
    )
    with card(
        w.t("attainment.title"),
        w.t("attainment.remark"),
        w,
        key="attainment",
        table=table,
        columns=tables.share_columns(w),
    ):
        picture(
            attainment_lines(asked, sheet.shades, w), w, key="figure_attainment", alt=w.t("attainment.alt")
        )


def against_goal(sheet: Sheet, choice: Choice) -> None:
    w, span, before = sheet.words, choice.period, choice.before
    now = sheet.answers.kpi(SLA, start=span.start, end=span.end, by=("channel",))
    then = sheet.answers.kpi(SLA, start=before.start, end=before.end, by=("channel",)) if before else None
    names = _with_promises(sheet, now)
    goals = goals_of(sheet.answers.frame("goals"), SLA, list(names)) or {}
    otherwise = sheet.measure(SLA).kpi.target
    past = dict(then.select("channel", "value").iter_rows()) if then is not None else {}
    values = {row["channel"]: row for row in now.iter_rows(named=True)}
    rows = [
        Row(
            code=code,
            label=label,
            now=values[code]["value"],
            of=values[code]["of"],
            then=past.get(code),
            goal=goals.get(code, otherwise),
        )
        for code, label in names.items()
    ]
    remark = f"● {choice.said(sheet)}" + (f"  ○ {choice.against(sheet)}" if before else "")
    table = now.select(
        channel=tables.named("channel", sheet.channels), due="of", kept="good", share=100 * pl.col("value")
    )
    with card(w.t("goal.title"), remark, w, key="goal", table=table, columns=tables.share_columns(w)):
        picture(dumbbell(rows, sheet.shades, w), w, key="figure_goal", alt=w.t("goal.alt"))


def switching(sheet: Sheet, choice: Choice) -> None:
    w, span = sheet.words, choice.period
    moved = sheet.answers.frame("switches", start=span.start, end=span.end, channels=sheet.answers.channels)
    table = moved.sort("switches", descending=True).select(
        start=tables.named("from_channel", sheet.channels),
        to=tables.named("to_channel", sheet.channels),
        switches="switches",
        cases="cases",
    )
    with card(
        w.t("switching.title"),
        w.t("switching.remark"),
        w,
        key="switching",
        table=table,
        columns=tables.switch_columns(w),
    ):
        picture(
            sankey(moved, sheet.channels, sheet.shades, w),
            w,
            key="figure_switching",
            alt=w.t("switching.alt"),
        )


def _breaches(sheet: Sheet, span: Period) -> pl.DataFrame:
    return sheet.answers.frame(
        "breaches", start=span.start, end=span.end, channels=sheet.answers.channels, limit=500
    )


def breaches(sheet: Sheet, choice: Choice) -> str | None:
    """Draws the newest broken promises; the person whose row was selected, if any."""
    w, found = sheet.words, _breaches(sheet, choice.period)
    with card(w.t("breaches.title"), w.t("breaches.remark"), w, key="breaches"):
        if found.is_empty():
            st.caption(w.t("breaches.none"))
            return None
        rows = tables.breach_rows(found, sheet.channels, w)
        selected = st.dataframe(
            rows,
            column_config=tables.breach_columns(
                w, max(rows["of_target"].head(SHOWN).to_list()), year=choice.period.days > 300
            ),
            height=tables.height(found.height, SHOWN),
            row_height=tables.ROW,
            hide_index=True,
            placeholder="–",
            on_select="rerun",
            selection_mode="single-row",
            key="breach",
            alt=w.t("breaches.alt"),
        )
        newest = found["person"].unique(maintain_order=True).head(SHOWN).to_list()
        by_key = st.menu_button(
            w.t("breaches.open"), newest, key="breach_person", format_func=persons.label, type="tertiary"
        )
    chosen = cast(dict[str, Any], selected)["selection"]["rows"]
    return str(found["person"][chosen[0]]) if chosen else by_key


def waiting(sheet: Sheet) -> None:
    w = sheet.words
    now = sheet.answers.frame("waiting", channels=sheet.answers.channels)
    live = w.t("waiting.live", clock=w.clock(sheet.answers.reader.instant))
    with card(w.t("waiting.title"), live, w, key="waiting"):
        if now.is_empty():
            st.caption(w.t("waiting.none"))
            return
        st.dataframe(
            tables.waiting_rows(now, sheet.channels, w),
            column_config=tables.waiting_columns(w),
            height=tables.height(now.height, 12),
            row_height=tables.ROW,
            hide_index=True,
            placeholder="–",
            key="waiting_table",
            alt=w.t("waiting.alt"),
        )


def packed(sheet: Sheet, choice: Choice) -> bytes:
    """The export: what the screen shows, under the same filters."""
    span, asked = choice.period, sheet.answers
    shown = [
        asked.kpi(key, start=span.start, end=span.end).select(pl.lit(key).alias("kpi"), pl.all())
        for key in TILES
    ]
    reader, policy = asked.reader, [sheet.measure(key).kpi for key in TILES]
    told = {
        "product": "Omniline, service overview",
        "days": f"[{span.start}, {span.end}) in {reader.zone.key}",
        "channels": ", ".join(choice.channels) or "all",
        "as_of": reader.instant.isoformat(),
        "log_position": reader.position,
        "newest_event": sheet.freshness.newest_occurred_at,
        "definitions": ", ".join(f"{kpi.key} v{kpi.version}" for kpi in policy),
    }
    found = {
        "kpis": pl.concat(shown, how="diagonal"),
        "sla_by_channel": asked.kpi(SLA, start=span.start, end=span.end, by=("channel",)),
        "breaches": _breaches(sheet, span),
    }
    return export.bundle(found, told, sheet.words.local(reader.instant))


def download(sheet: Sheet, choice: Choice) -> None:
    w, span = sheet.words, choice.period
    st.download_button(
        w.t("control.export"),
        data=lambda: packed(sheet, choice),
        file_name=f"omniline-{span.start}-{span.last}-at-{sheet.answers.reader.position}.zip",
        mime="application/zip",
        icon=":material/download:",
        on_click="ignore",
        help=w.t("control.export_help"),
        key="export",
    )
