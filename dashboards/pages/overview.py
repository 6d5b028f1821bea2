"""Service overview: five figures, attainment, switching, broken promises, and who waits now."""

import streamlit as st

from dashboards import address, controls
from dashboards.panels import overview as panels
from dashboards.sheet import banners, current, opened


@st.fragment(run_every=30)
def waiting_now(channels: tuple[str, ...]) -> None:
    panels.waiting(current().narrowed(channels))


def render() -> None:
    address.read("overview", controls.FIELDS)
    head = st.container(horizontal=True, vertical_alignment="bottom", gap="small")
    with head, st.container(width="stretch", gap=None):
        whole = opened("overview.title")
    with head:
        choice = controls.period_controls(whole)
        sheet = whole.narrowed(choice.channels)
        panels.download(sheet, choice)
    banners(sheet)
    with st.grid(len(panels.TILES), min_column_width=190, gap="small"):
        for key in panels.TILES:
            panels.kpi_tile(sheet, choice, key)
    wide, narrow = st.columns([0.58, 0.42], gap="small")
    with wide:
        panels.attainment(sheet, choice)
    with narrow:
        panels.against_goal(sheet, choice)
    narrow, wide = st.columns([0.42, 0.58], gap="small")
    with narrow:
        panels.switching(sheet, choice)
    with wide:
        person = panels.breaches(sheet, choice)
    waiting_now(choice.channels)
    address.write("overview", controls.FIELDS)
    if person is not None:
        st.switch_page("pages/customer.py", query_params={"customer": person})


if __name__ == "__main__":
    render()
