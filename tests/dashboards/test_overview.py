"""The service overview over a demo home."""

import io
import zipfile
from typing import Any

from streamlit.testing.v1 import AppTest

from dashboards import periods
from dashboards.controls import Choice
from dashboards.panels import overview
from dashboards.sheet import current
from projections.reader import Reader
from tests.dashboards.conftest import Page, address

TILES = ["SLA attained", "Median first response", "Explained again", "Channel switching", "Contacts"]


def headings(at: AppTest) -> list[str]:
    return [heading.value.split(" :")[0] for heading in at.header]


def test_the_overview_draws_five_tiles_and_every_card(page: Page) -> None:
    at = page()
    assert not at.exception
    assert at.title[0].value == "Service overview :orange-badge[Demo: generated data]"
    assert at.caption[0].value.startswith("Data to 21\u202fNov 2026, ")
    assert "(Warsaw) · " in at.caption[0].value
    assert [metric.label for metric in at.metric] == TILES
    assert headings(at) == [
        "SLA attainment by channel",
        "Attainment against goal",
        "Channel switching",
        "SLA breaches",
        "Waiting now",
    ]
    assert len(at.get("plotly_chart")) == 3


def test_a_tile_says_what_the_reader_says(page: Page, shop: Any) -> None:
    from datetime import date

    told = shop.reader().kpi("contacts", start=date(2026, 10, 23), end=date(2026, 11, 22))
    assert page().metric[4].value == str(told["events"][0])


def test_the_page_speaks_the_browser_s_language(page: Page) -> None:
    at = page(locale="pl-PL")
    assert at.title[0].value.startswith("Przegląd obsługi")
    assert at.metric[0].label == "Dotrzymane SLA"
    assert "," in at.metric[0].value


def test_the_url_overrides_the_browser_s_language_and_keeps_it(page: Page) -> None:
    at = page(locale="pl-PL", lang="en")
    assert at.metric[0].label == "SLA attained"
    assert address(at) == {"lang": "en"}


def test_an_unknown_language_falls_back_to_english(page: Page) -> None:
    assert page(locale="fr-FR", lang="xx").metric[0].label == "SLA attained"


def test_the_url_decides_period_comparison_and_channels(page: Page) -> None:
    at = page(period="90d", compare="none", channels="phone,email")
    assert at.segmented_control(key="period").value == "90d"
    assert at.selectbox(key="compare").value == "none"
    assert at.pills(key="channels").value == ["phone", "email"]
    assert [metric.delta for metric in at.metric] == [""] * 5
    assert address(at) == {"period": "90d", "compare": "none", "channels": "phone,email"}


def test_a_choice_is_written_to_the_url_as_a_code(page: Page) -> None:
    at = page()
    assert address(at) == {}
    at.segmented_control(key="period").set_value("12m").run()
    assert address(at) == {"period": "12m"}
    at.selectbox(key="compare").set_value("year").run()
    assert address(at) == {"period": "12m", "compare": "year"}


def test_malformed_and_foreign_parameters_are_dropped(page: Page) -> None:
    at = page(period="7 dni", compare="'; drop", channels="fax,,<b>", customer="K-1", range="x..y")
    assert not at.exception
    assert at.segmented_control(key="period").value == "30d"
    assert address(at) == {}


def test_a_custom_range_is_two_days_in_the_url(page: Page) -> None:
    at = page(period="custom", range="2026-03-02..2026-03-31")
    assert [str(day) for day in at.date_input(key="range").value] == ["2026-03-02", "2026-03-31"]
    assert address(at) == {"period": "custom", "range": "2026-03-02..2026-03-31"}


def test_a_range_of_the_future_or_of_one_day_too_few_is_survived(page: Page) -> None:
    for days in ("2031-01-01..2031-02-01", "2026-03-02", "2026-03-31..2026-03-02"):
        assert not page(period="custom", range=days).exception


def test_a_filter_narrows_every_number(page: Page) -> None:
    at = page(channels="email", period="12m")
    whole = page(period="12m")
    assert int(at.metric[4].value.replace("\u202f", "")) < int(whole.metric[4].value.replace("\u202f", ""))


def test_back_is_followed_when_the_url_changes_from_outside(page: Page) -> None:
    at = page(period="7d")
    at.query_params = {"period": "90d"}
    at.run()
    assert at.segmented_control(key="period").value == "90d"


def test_selecting_a_breach_opens_that_customer(page: Page, shop: Any) -> None:
    from datetime import date

    at = page()
    newest = shop.reader().breaches(date(2026, 10, 23), date(2026, 11, 22))["person"][0]
    at.session_state["breach"] = {"selection": {"rows": [0], "columns": [], "cells": []}}
    at.run()
    assert at.title[0].value.startswith("Customer timeline")
    assert address(at)["customer"] == newest


def test_an_identical_rerun_asks_the_reader_nothing(page: Page, monkeypatch: Any) -> None:
    asked: list[str] = []
    at = page()
    for method in ("kpi", "series", "breaches", "waiting", "switches", "goals", "golives"):
        real = getattr(Reader, method)
        monkeypatch.setattr(
            Reader, method, lambda *a, _real=real, _name=method, **k: (asked.append(_name), _real(*a, **k))[1]
        )
    at.run()
    assert asked == []
    at.segmented_control(key="period").set_value("7d").run()
    assert "kpi" in asked


def test_coming_back_from_a_customer_shows_the_same_filters(page: Page) -> None:
    at = page(period="90d", compare="none")
    at.switch_page("pages/customer.py")
    at.query_params = {"customer": "K-1"}
    at.run()
    at.switch_page("pages/overview.py")
    at.query_params = {"customer": "K-1"}
    at.run()
    assert address(at) == {"period": "90d", "compare": "none"}


def test_the_export_holds_the_tables_of_the_screen_and_their_provenance(page: Page, shop: Any) -> None:
    at = page(period="90d", channels="email")
    packed = at.get("download_button")[0]
    assert packed.label == "Export"
    sheet = current().narrowed(("email",))
    span = periods.period("90d", sheet.newest)
    choice = Choice(period=span, before=None, code="90d", compare="none", channels=("email",))
    with zipfile.ZipFile(io.BytesIO(overview.packed(sheet, choice))) as archive:
        assert sorted(archive.namelist()) == [
            "breaches.csv",
            "kpis.csv",
            "provenance.txt",
            "sla_by_channel.csv",
        ]
        told = dict(line.split(": ", 1) for line in archive.read("provenance.txt").decode().splitlines())
        kpis = archive.read("kpis.csv").decode().splitlines()
    assert told["log_position"] == str(shop.reader().position)
    assert told["days"] == f"[{span.start}, {span.end}) in Europe/Warsaw"
    assert told["channels"] == "email"
    assert "sla_attainment v1" in told["definitions"]
    assert len(kpis) == 1 + len(overview.TILES)
