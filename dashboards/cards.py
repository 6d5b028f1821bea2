"""A card: a bordered box with a heading, a remark beside it, and the same numbers as a table."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import polars as pl
import streamlit as st

from dashboards.figures.canvas import CONFIG, Figure
from dashboards.tables import ROW
from dashboards.texts import Words


@contextmanager
def card(
    title: str, remark: str, w: Words, *, key: str, table: pl.DataFrame | None = None, columns: Any = None
) -> Iterator[None]:
    """Draws the heading row; the body goes inside the `with`."""
    with st.container(border=True, height="stretch", gap="xsmall", key=f"card_{key}"):
        with st.container(horizontal=True, wrap=False, vertical_alignment="center", gap="small"):
            said = f" :gray[:small[{remark}]]" if remark else ""
            st.header(f"{title}{said}", anchor=False)
            if table is not None and table.height:
                with st.popover(w.t("card.table"), type="tertiary", key=f"table_{key}"):
                    st.dataframe(
                        table,
                        hide_index=True,
                        placeholder="–",
                        row_height=ROW,
                        column_config=columns,
                        alt=title,
                        key=f"data_{key}",
                    )
        yield


def picture(figure: Figure | None, w: Words, *, key: str, alt: str, nothing: str = "card.nothing") -> None:
    """The figure, or one line that says there is nothing to draw."""
    if figure is None:
        st.caption(w.t(nothing))
    else:
        st.plotly_chart(figure, theme=None, key=key, config=CONFIG, alt=alt)
