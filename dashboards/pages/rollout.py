"""Roll-out: what went live when, the goals, who was recognised, and every KPI before and after."""

import streamlit as st

from dashboards import address
from dashboards.panels import rollout as panels
from dashboards.sheet import banners, opened


def render() -> None:
    address.read("rollout", {})
    with st.container(gap=None):
        sheet = opened("rollout.title")
    banners(sheet)
    plan, stages = st.columns([0.46, 0.54], gap="small")
    with plan:
        panels.the_plan(sheet)
    with stages:
        panels.identified(sheet)
    panels.the_goals(sheet)
    panels.before_and_after(sheet)
    address.write("rollout", {})


if __name__ == "__main__":
    render()
