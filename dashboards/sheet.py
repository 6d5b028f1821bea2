"""What every page opens with: words, shades, answers and freshness, and the states that end a page early."""

from dataclasses import dataclass, replace
from datetime import date
from typing import cast

import streamlit as st

from dashboards import address, context
from dashboards.cache import Answers, forget, newest
from dashboards.measures import Measure
from dashboards.palette import Shades, shades
from dashboards.texts import Words
from projections.reader import Freshness

STALE = 1000
"""Events behind the head from which a page says that it lags."""


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """One run of one page."""

    words: Words
    shades: Shades
    answers: Answers
    freshness: Freshness

    @property
    def channels(self) -> dict[str, str]:
        """Code to label of every channel of the policy, in its order."""
        known = sorted(self.answers.reader.channels(), key=lambda channel: channel.order)
        return {c.code: c.label.get(self.words.language, c.label.get("en", c.code)) for c in known}

    @property
    def newest(self) -> date:
        """The last local day that anything is known of."""
        assert self.freshness.newest_occurred_at is not None
        return self.words.local(self.freshness.newest_occurred_at).date()

    @property
    def today(self) -> date:
        return self.words.local(self.answers.reader.instant).date()

    def measure(self, key: str) -> Measure:
        kpi = next(kpi for kpi in self.answers.reader.catalogue() if kpi.key == key)
        return Measure(kpi=kpi, words=self.words)

    def narrowed(self, channels: tuple[str, ...]) -> "Sheet":
        """The same sheet, asking about these channels only; none means all."""
        return replace(self, answers=replace(self.answers, channels=channels or None))


def words() -> Words:
    return Words(language=address.language(), zone=newest()[0].zone)


def current() -> Sheet:
    """A sheet at the newest position; every page run and every fragment takes its own."""
    reader, freshness = newest()
    return Sheet(
        words=Words(language=address.language(), zone=reader.zone),
        shades=shades(cast(str | None, st.context.theme.type)),
        answers=Answers(home=context.current().home, reader=reader),
        freshness=freshness,
    )


def opened(title: str) -> Sheet:
    """A sheet whose heading is drawn; an empty home or missing views end the page here."""
    sheet = current()
    w = sheet.words
    demo = f" :orange-badge[{w.t('sheet.demo')}]" if context.current().demo else ""
    st.title(w.t(title) + demo, anchor=False)
    if not sheet.freshness.events:
        _empty(w)
        st.stop()
    if sheet.freshness.newest_occurred_at is None:
        broken(sheet)
        _building(sheet.freshness.position)
        st.stop()
    told = w.t(
        "sheet.freshness",
        moment=w.moment(sheet.freshness.newest_occurred_at),
        place=w.place,
        events=w.n("sheet.events", sheet.freshness.events),
    )
    st.caption(told)
    return sheet


def broken(sheet: Sheet) -> bool:
    """Name the views that failed or are missing, and the command that helps."""
    found = False
    for state in ("failed", "missing"):
        names = sorted(name for name, told in sheet.freshness.states.items() if told == state)
        if names:
            said = sheet.words.n(f"sheet.view_{state}", len(names), views=", ".join(names))
            st.error(said, icon=":material/error:")
            found = True
    return found


def banners(sheet: Sheet) -> None:
    """What stands between the numbers and the newest event: a failed, missing or late view."""
    w, fresh = sheet.words, sheet.freshness
    if not broken(sheet) and fresh.lag >= STALE:
        told = {"lag": w.n("sheet.events", fresh.lag), "position": w.number(fresh.position)}
        st.warning(w.t("sheet.lagging", **told), icon=":material/schedule:")


@st.fragment(run_every=3)
def _building(position: int) -> None:
    """The log holds events that no view shows yet: wait for them, and draw the page once they are there."""
    forget()
    fresh = newest()[1]
    if fresh.newest_occurred_at is not None and fresh.position != position:
        st.rerun()
    w = words()
    st.info(w.t("sheet.building", events=w.n("sheet.events", fresh.events)), icon=":material/hourglass_top:")


def _empty(w: Words) -> None:
    """Nothing is in this home yet: say so, and which command changes it."""
    st.info(w.t("empty.title", home=f"`{context.current().home}`"), icon=":material/inbox:")
    st.text(w.t("empty.ingest"))
    st.code("omniline ingest contacts.csv --source helpdesk --mapping helpdesk.toml", language="bash")
    st.text(w.t("empty.demo"))
    st.code("omniline demo", language="bash")
