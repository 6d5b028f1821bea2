"""The glossary: every KPI as its row declares it, question first."""

import streamlit as st

from dashboards import address
from dashboards.measures import Measure
from dashboards.sheet import Sheet, banners, opened


def entry(sheet: Sheet, measure: Measure) -> None:
    w, kpi = sheet.words, measure.kpi
    facts = [w.known(f"kind_of.{kpi.kind}", kpi.kind), w.t(f"glossary.better_{kpi.better or 'neutral'}")]
    if kpi.target is not None:
        facts.append(w.t("tile.goal", goal=measure.target(kpi.target)))
    with st.container(border=True, height="stretch", gap="xsmall"):
        st.header(f"{measure.name} :gray[:small[{measure.question}]]", anchor=False)
        st.text(measure.definition)
        st.caption(f"`{kpi.key}` v{kpi.version} · " + " · ".join(facts))


def render() -> None:
    address.read("glossary", {})
    with st.container(gap=None):
        sheet = opened("glossary.title")
    banners(sheet)
    with st.grid(2, min_column_width=340, gap="small"):
        for kpi in sheet.answers.reader.catalogue():
            entry(sheet, Measure(kpi=kpi, words=sheet.words))
    address.write("glossary", {})


if __name__ == "__main__":
    render()
