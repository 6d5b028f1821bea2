"""One customer's line: search by any identifier, or arrive from a row that names the person."""

import streamlit as st

from dashboards import address
from dashboards.panels import customer as panels
from dashboards.sheet import Sheet, banners, opened
from projections.lines import PersonLine


def show_controls(sheet: Sheet, line: PersonLine) -> str:
    w = sheet.words
    code = st.segmented_control(
        w.t("control.show"),
        list(panels.WINDOWS),
        key="show",
        required=True,
        format_func=lambda code: w.t(f"show.{code}"),
    )
    st.download_button(
        w.t("control.export"),
        data=lambda: panels.packed(sheet, line),
        file_name=f"omniline-customer-at-{sheet.answers.reader.position}.zip",
        mime="application/zip",
        icon=":material/download:",
        on_click="ignore",
        key="export_line",
    )
    return code or "all"


def draw(sheet: Sheet, person: str) -> None:
    line: PersonLine = sheet.answers.ask("person", person=person)
    who, controls = st.columns([0.66, 0.34], vertical_alignment="bottom", gap="small")
    with who, st.container(gap="xsmall"):
        panels.heading(sheet, line)
    with controls, st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="right"):
        code = show_controls(sheet, line)
    panels.figures(sheet, line)
    panels.timeline(sheet, line, code)
    panels.events(sheet, line, code)


def render() -> None:
    address.read("customer", panels.FIELDS)
    with st.container(gap=None):
        sheet = opened("customer.title")
    banners(sheet)
    person = panels.search(sheet)
    if person is not None:
        draw(sheet, person)
    address.write("customer", panels.FIELDS, customer=person)


if __name__ == "__main__":
    render()
