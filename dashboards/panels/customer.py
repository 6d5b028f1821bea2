"""The cards of one customer's timeline: who it is, five figures, the lanes, the events."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import cast

import polars as pl
import streamlit as st

from dashboards import address, export, persons, tables
from dashboards.address import Field
from dashboards.cards import card, picture
from dashboards.figures.lanes import Line, lanes, placed
from dashboards.sheet import Sheet
from dashboards.tiles import card as figure_card
from projections.lines import PersonLine

WINDOWS = {"30d": 30, "90d": 90, "1y": 365, "all": None}
FIELDS: Mapping[str, Field] = {"customer": address.text(), "show": address.choice(WINDOWS, "all")}
MAIN = ("email", "chat", "messenger", "phone", "web_form")
SHOWN = 12


def search(sheet: Sheet) -> str | None:
    """Draws the search box; the one person that it names, if it names one."""
    w = sheet.words
    asked = st.text_input(
        w.t("customer.search"),
        key="customer",
        icon=":material/search:",
        placeholder=w.t("customer.placeholder"),
    )
    if not asked:
        st.info(w.t("customer.ask"), icon=":material/person_search:")
        return None
    found = cast(list[str], sheet.answers.ask("find", text=asked))
    if not found:
        st.warning(w.t("customer.unknown"), icon=":material/person_off:")
        return None
    if len(found) == 1:
        return found[0]
    st.info(w.n("customer.several", len(found)), icon=":material/group:")
    return st.selectbox(w.t("customer.choose"), found, index=None, key="choose", format_func=persons.label)


def heading(sheet: Sheet, line: PersonLine) -> None:
    """Name, identifiers, and what everybody must know before they speak to this person."""
    w = sheet.words
    st.header(w.t("customer.heading", name=persons.label(line.person)), anchor=False)
    if line.identifiers.height:
        told = line.identifiers["value"].fill_null(w.t("events.erased"))
        st.text(" · ".join(told.unique(maintain_order=True)))
    with st.container(horizontal=True, gap="small"):
        if line.identified:
            st.badge(w.t("chip.identified"), icon=":material/verified_user:", color="green")
        else:
            st.badge(w.t("chip.anonymous"), icon=":material/help:", color="gray")
        waiting = line.cases.filter(pl.col("resolved_at").is_null()).sort("opened_at")
        if waiting.height:
            since = w.day(w.local(waiting["opened_at"][0]).date())
            st.badge(w.t("chip.open_case", day=since), icon=":material/support_agent:", color="orange")
        st.badge(w.t("chip.shown"), icon=":material/visibility:", color="gray")


def figures(sheet: Sheet, line: PersonLine) -> None:
    w, mine = sheet.words, pl.col("person") == line.person
    contacts = sheet.answers.reader.facts("contacts").filter(mine, pl.col("direction") == "inbound")
    handovers = sheet.answers.reader.facts("handovers").filter(mine)
    judged = line.entries.filter(pl.col("verdict").is_in(["met", "breached"]))
    late = judged.filter(pl.col("verdict") == "breached").height
    due = line.follow_ups.filter(pl.col("done_at").is_null() & (pl.col("state") != "cancelled"))[
        "due_at"
    ].min()
    used = contacts["channel"].drop_nulls().n_unique()
    with st.grid(5, min_column_width=190, gap="small"):
        figure_card(w.t("card.contacts"), w.number(contacts.height), w)
        figure_card(
            w.t("card.channels"), w.t("card.of", part=used, whole=len(shown_channels(sheet, line))), w
        )
        figure_card(w.t("card.late"), w.t("card.of", part=late, whole=judged.height), w, "card.late_help")
        figure_card(
            w.t("card.again"),
            w.t("card.of", part=line.repeats.height, whole=handovers.height),
            w,
            "card.again_help",
        )
        figure_card(
            w.t("card.next"), w.moment(cast(datetime, due), year=False) if due else w.t("card.no_next"), w
        )


def shown_channels(sheet: Sheet, line: PersonLine) -> dict[str, str]:
    """The five main channels, and any other that this person used."""
    used = set(placed(line.entries, sheet.channels)["lane"])
    return {code: label for code, label in sheet.channels.items() if code in MAIN or code in used}


def window(sheet: Sheet, line: PersonLine, code: str) -> tuple[datetime, datetime]:
    """From when to when: all of this person's time, or the last days before the newest event."""
    days, newest = WINDOWS[code], sheet.freshness.newest_occurred_at
    assert newest is not None
    if days is not None:
        return newest - timedelta(days=days), newest
    drawn = placed(line.entries, sheet.channels)["occurred_at"]
    if drawn.is_empty():
        return newest - timedelta(days=30), newest
    first, last = cast(datetime, drawn.min()), cast(datetime, drawn.max())
    last = max([last, *line.cases["resolved_at"].drop_nulls()])
    still = line.cases.filter(pl.col("resolved_at").is_null()).height
    return first, max(newest if still else last, first + timedelta(days=14))


def timeline(sheet: Sheet, line: PersonLine, code: str) -> None:
    w, (start, end) = sheet.words, window(sheet, line, code)
    asked = Line(
        entries=line.entries,
        cases=line.cases.filter(
            (pl.col("opened_at") <= end) & (pl.col("resolved_at").fill_null(end) >= start)
        ),
        switches=line.switches,
        channels=shown_channels(sheet, line),
        start=start,
        end=end,
    )
    with card(w.t("timeline.title"), w.t("timeline.remark"), w, key="timeline"):
        picture(lanes(asked, sheet.shades, w), w, key="figure_timeline", alt=w.t("timeline.alt"))
        drawn = placed(line.entries, asked.channels).filter(pl.col("occurred_at").is_between(start, end))
        st.caption(w.n("timeline.drawn", drawn.height))


def events(sheet: Sheet, line: PersonLine, code: str) -> None:
    w, (start, end) = sheet.words, window(sheet, line, code)
    inside = (
        line.entries.filter(pl.col("occurred_at").is_between(start, end)) if code != "all" else line.entries
    )
    remark = w.t("events.remark", count=w.n("sheet.events", inside.height))
    with card(w.t("events.title"), remark, w, key="events"):
        st.dataframe(
            tables.event_rows(inside, line.clocks, sheet.channels, w),
            column_config=tables.event_columns(w),
            height=tables.height(inside.height, SHOWN),
            row_height=tables.ROW,
            hide_index=True,
            placeholder="–",
            key="events_table",
            alt=w.t("events.alt"),
        )


def packed(sheet: Sheet, line: PersonLine) -> bytes:
    """The export of one line: every event with its position and full digest."""
    reader = sheet.answers.reader
    told = {
        "product": "Omniline, customer timeline",
        "person": line.person,
        "zone": reader.zone.key,
        "as_of": reader.instant.isoformat(),
        "log_position": reader.position,
    }
    entries = line.entries.with_columns(pl.selectors.datetime().dt.convert_time_zone(reader.zone.key))
    return export.bundle({"events": entries, "cases": line.cases}, told, sheet.words.local(reader.instant))
