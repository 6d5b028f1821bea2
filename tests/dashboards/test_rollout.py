"""The roll-out and the glossary over a demo home."""

from typing import Any

from projections.kpis import KPIS
from tests.dashboards.conftest import Page, address


def test_the_roll_out_shows_plan_goals_stages_and_differences(page: Page, shop: Any) -> None:
    at = page("rollout")
    assert not at.exception
    assert [heading.value.split(" :")[0] for heading in at.header][:4] == [
        "Go-lives",
        "Who was recognised",
        "Goals",
        "Before and after each go-live",
    ]
    goals = next(table.value for table in at.dataframe if "owner" in table.value)
    assert len(goals) == shop.reader().goals().height
    assert {state.split(" ", 1)[1] for state in goals["state"]} <= {
        "Reached",
        "On course",
        "Off course",
        "No data",
    }


def test_differences_are_never_called_effects(page: Page) -> None:
    for locale, word in (("en-GB", "not effects"), ("pl-PL", "nie skutki")):
        at = page("rollout", locale=locale)
        assert word in at.info[0].value


def test_a_parameter_of_another_page_is_dropped(page: Page) -> None:
    assert address(page("rollout", customer="K-1", period="7d")) == {}


def test_the_glossary_lists_every_kpi(page: Page) -> None:
    at = page("glossary")
    assert not at.exception
    keys = [caption.value.split("`")[1] for caption in at.caption if caption.value.startswith("`")]
    assert keys == [kpi.key for kpi in KPIS]
