"""The choices at the head of a page: period, comparison, channels; the URL holds them as codes."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import cast

import streamlit as st

from dashboards import address
from dashboards.address import Field
from dashboards.periods import CODES, COMPARISONS, Period, compared, period
from dashboards.sheet import Sheet

FIRST = date(1990, 1, 1)
FIELDS: Mapping[str, Field] = {
    "period": address.choice(CODES, "30d"),
    "range": address.span(),
    "compare": address.choice(COMPARISONS, "previous"),
    "channels": address.several(),
}


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What the reader asked for."""

    period: Period
    before: Period | None
    code: str
    compare: str
    channels: tuple[str, ...]

    def said(self, sheet: Sheet) -> str:
        """The period in words, for titles and exports."""
        if self.code != "custom":
            return sheet.words.t(f"period.{self.code}")
        return f"{sheet.words.day(self.period.start)} – {sheet.words.day(self.period.last)}"

    def against(self, sheet: Sheet) -> str:
        return sheet.words.t(f"against.{self.compare}")


def period_controls(sheet: Sheet) -> Choice:
    """Draws the controls in the current row and returns what they say."""
    w = sheet.words
    code = st.segmented_control(
        w.t("control.period"),
        CODES,
        key="period",
        required=True,
        format_func=lambda code: w.t(f"period.{code}"),
        label_visibility="collapsed",
    )
    days = _custom(sheet) if code == "custom" else None
    compare = st.selectbox(
        w.t("control.compare"),
        COMPARISONS,
        key="compare",
        format_func=lambda code: w.t(f"compare.{code}"),
        label_visibility="collapsed",
        width=190,
    )
    channels = channel_filter(sheet)
    shown = "30d" if code is None or (code == "custom" and days is None) else code
    current = period(shown, sheet.newest, days)
    return Choice(
        period=current,
        before=compared(current, compare or "none"),
        code=shown,
        compare=compare or "none",
        channels=channels,
    )


def _custom(sheet: Sheet) -> tuple[date, date] | None:
    """The two days of a custom range: the last 30 at first, none while one of them is missing."""
    last = period("30d", sheet.newest)
    asked = st.session_state.get("range") or (last.start, last.last)
    st.session_state["range"] = tuple(sorted(min(max(day, FIRST), sheet.newest) for day in asked))
    days = st.date_input(
        sheet.words.t("control.range"),
        key="range",
        min_value=FIRST,
        max_value=sheet.newest,
        format="YYYY-MM-DD",
        label_visibility="collapsed",
        width=220,
    )
    both = cast(tuple[date, ...], days)
    return (both[0], both[1]) if len(both) == 2 else None


def channel_filter(sheet: Sheet) -> tuple[str, ...]:
    """The filters in one popover; none chosen means all."""
    w, labels = sheet.words, sheet.channels
    chosen = [code for code in st.session_state.get("channels") or [] if code in labels]
    st.session_state["channels"] = chosen
    label = w.t("control.filters") + (f" · {len(chosen)}" if chosen else "")
    with st.popover(label, icon=":material/tune:"):
        st.pills(
            w.t("control.channels"),
            list(labels),
            key="channels",
            selection_mode="multi",
            format_func=lambda code: labels[code],
        )
        st.button(w.t("control.reset"), key="reset", type="tertiary", disabled=not chosen, on_click=_reset)
    return tuple(sorted(st.session_state["channels"] or []))


def _reset() -> None:
    st.session_state["channels"] = []
