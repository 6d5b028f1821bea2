"""Navigation, nothing else: one flat list of pages in the reader's language."""

from pathlib import Path

import streamlit as st

from dashboards import address
from dashboards.sheet import words

PAGES = (
    ("overview", "", ":material/monitoring:"),
    ("customer", "customer", ":material/timeline:"),
    ("rollout", "rollout", ":material/flag:"),
    ("glossary", "glossary", ":material/menu_book:"),
)
STYLE = """<style>
.stMainBlockContainer {padding: 2.4rem clamp(1rem, 2.2vw, 2.2rem) 2.5rem; max-width: 1360px;
  font-variant-numeric: tabular-nums;}
</style>"""

here = Path(__file__).resolve().parent
w = words()
st.set_page_config(page_title="Omniline", page_icon=str(here / "static" / "icon.png"), layout="wide")
st.html(STYLE)
page = st.navigation(
    [
        st.Page(
            here / "pages" / f"{name}.py",
            title=w.t(f"{name}.title"),
            icon=icon,
            url_path=path or None,
            default=not path,
        )
        for name, path, icon in PAGES
    ]
)
with st.sidebar:
    other = "en" if w.language == "pl" else "pl"
    st.button(
        w.t("sheet.other_language"),
        key="other_language",
        icon=":material/translate:",
        type="tertiary",
        on_click=address.speak,
        args=(other,),
    )
page.run()
