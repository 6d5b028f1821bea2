"""The glossary: every KPI as it is declared, question first."""

import polars as pl
import streamlit as st

from dashboards import address, tables
from dashboards.measures import Measure
from dashboards.sheet import banners, opened


def render() -> None:
    address.read("glossary", {})
    with st.container(gap=None):
        sheet = opened("glossary.title")
    banners(sheet)
    w = sheet.words
    rows = []
    for kpi in sheet.answers.reader.catalogue():
        measure = Measure(kpi=kpi, words=w)
        rows.append(
            {
                "kpi": measure.title,
                "question": measure.question,
                "kind": w.known(f"kind_of.{kpi.kind}", kpi.kind),
                "better": w.t(f"better.{kpi.better or 'neutral'}"),
                "target": "–" if kpi.target is None else measure.target(kpi.target),
                "key": f"{kpi.key} v{kpi.version}",
                "definition": kpi.definition,
                "source": kpi.source,
            }
        )
    st.dataframe(
        pl.DataFrame(rows),
        column_config=tables.glossary_columns(w),
        height=tables.height(len(rows), 24),
        row_height=tables.ROW,
        hide_index=True,
        alt=w.t("glossary.alt"),
    )
    address.write("glossary", {})


if __name__ == "__main__":
    render()
