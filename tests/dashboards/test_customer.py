"""The customer timeline over a demo home."""

from typing import Any

import pytest

from tests.dashboards.conftest import Page, address


@pytest.fixture
def busiest(shop: Any) -> str:
    """The person with the most contacts."""
    people = shop.reader().facts("contacts")["person"].value_counts(sort=True)
    return str(people["person"][0])


def test_without_a_customer_the_page_asks_for_one(page: Page) -> None:
    at = page("customer")
    assert [info.value for info in at.info] == [
        "Enter an e-mail address, a phone number in any spelling, an account, an order or a case number."
    ]
    assert not at.metric


def test_a_person_is_drawn_with_five_figures_lanes_and_events(page: Page, busiest: str, shop: Any) -> None:
    at = page("customer", customer=busiest)
    line = shop.reader().person(busiest)
    assert [metric.label for metric in at.metric] == [
        "Contacts",
        "Channels used",
        "Answered late",
        "Explained again",
        "Next follow-up",
    ]
    assert len(at.get("plotly_chart")) == 1
    table = at.dataframe[0].value
    assert len(table) == line.entries.height
    assert (
        list(table["position"]) == sorted(table["position"], reverse=True)
        or table["when"].is_monotonic_decreasing
    )
    assert {len(digest) for digest in table["digest"]} == {10}


def test_any_spelling_of_a_phone_finds_the_person(page: Page, busiest: str, shop: Any) -> None:
    told = shop.reader().person(busiest).identifiers
    phone = told.filter(told["ns"] == "phone")["value"][0]
    digits = "".join(sign for sign in phone if sign.isdigit())[-9:]
    for spelling in (
        f"+48{digits}",
        f"0048 {digits[:3]} {digits[3:6]} {digits[6:]}",
        f"{digits[:3]}-{digits[3:]}",
    ):
        at = page("customer", customer=spelling)
        assert not at.warning, spelling
        assert address(at)["customer"] == busiest


def test_the_url_holds_the_person_and_never_the_address_that_was_typed(
    page: Page, busiest: str, shop: Any
) -> None:
    told = shop.reader().person(busiest).identifiers
    email = told.filter(told["ns"] == "email")["value"][0]
    at = page("customer")
    at.text_input(key="customer").set_value(email.upper()).run()
    assert address(at) == {"customer": busiest}
    assert any(email in text.value for text in at.text)


@pytest.mark.parametrize(
    "asked", ["nobody@example.com", "' or 1=1 --", "<script>alert(1)</script>", "x" * 5000, "|||"]
)
def test_an_unknown_or_malformed_identifier_is_a_warning(page: Page, asked: str) -> None:
    at = page("customer", customer=asked)
    assert not at.exception
    assert [warning.value for warning in at.warning] == [
        "Nobody is known by that identifier. Check the spelling, or search by another one."
    ]


def test_an_open_case_warns_not_to_sell(page: Page, shop: Any) -> None:
    cases = shop.reader().facts("cases")
    person = cases.filter(cases["resolved_at"].is_null() & cases["person"].is_not_null())["person"][0]
    at = page("customer", customer=person)
    badges = " ".join(markdown.value for markdown in at.markdown)
    assert "do not sell" in badges


def test_a_shorter_window_shows_fewer_events(page: Page, busiest: str) -> None:
    whole = len(page("customer", customer=busiest).dataframe[0].value)
    at = page("customer", customer=busiest, show="30d")
    assert at.segmented_control(key="show").value == "30d"
    assert len(at.dataframe[0].value) < whole


def test_a_parameter_of_the_overview_is_dropped(page: Page, busiest: str) -> None:
    at = page("customer", customer=busiest, period="90d", channels="phone")
    assert address(at) == {"customer": busiest}


def test_what_customers_wrote_stands_in_tables_only(page: Page, busiest: str, shop: Any) -> None:
    texts = [text for text in shop.reader().person(busiest).entries["summary"] if len(text) > 20]
    assert texts
    at = page("customer", customer=busiest)
    drawn = [*at.markdown, *at.caption, *at.header, *at.title, *at.info]
    assert not [text for text in texts for element in drawn if text in element.value]
