"""What pages show when there is little or nothing to show, or when something failed."""

import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from dashboards import context, web
from domain.log import open_log
from projections.engine import Engine
from projections.reader import Freshness, Reader
from tests.dashboards.conftest import Shop, visit

PAGES = ("overview", "customer", "rollout", "glossary")


class Told(Reader):
    """The shop's reader, telling another freshness."""

    def __init__(self, shop: Shop, **freshness: Any) -> None:
        super().__init__(shop.engine, shop.until)
        self.told = freshness

    def freshness(self) -> Freshness:
        return replace(super().freshness(), **self.told)


def over(reader: Any, home: str = "/srv/home", *, name: str = "overview", demo: bool = False) -> AppTest:
    st.cache_data.clear()
    st.cache_resource.clear()
    context.use(context.Context(readers=lambda _: reader, home=home, demo=demo))
    return visit(name)


@pytest.fixture
def empty(tmp_path: Path, shop: Shop) -> Iterator[Reader]:
    """A reader over a home into which nothing came yet."""
    log = open_log(f"sqlite:///{tmp_path}/log.db", keys=tmp_path / "keys.db", create=True)
    engine = Engine(log, f"sqlite:///{tmp_path}/views.db")
    yield Reader(engine, shop.until)
    engine.close()
    log.close()


@pytest.mark.parametrize("name", PAGES)
def test_an_empty_home_says_which_command_to_run(empty: Reader, name: str) -> None:
    at = over(empty, name=name)
    assert not at.exception
    assert [info.value for info in at.info] == ["Nothing has been recorded in `/srv/home` yet."]
    assert [code.value.split()[1] for code in at.code] == ["ingest", "demo"]
    assert not at.metric


def test_without_the_demo_no_page_says_demo(shop: Shop) -> None:
    assert over(Told(shop)).title[0].value == "Service overview"


@pytest.mark.parametrize("name", PAGES)
def test_a_late_view_is_told_and_its_numbers_stay(shop: Shop, name: str) -> None:
    at = over(Told(shop, lag=2500), name=name)
    assert [warning.value.split(":")[0] for warning in at.warning] == [
        "The numbers are 2\u202f500 events behind the log"
    ]


def test_a_few_events_behind_is_nothing_to_tell(shop: Shop) -> None:
    at = over(Told(shop, lag=3))
    assert not at.warning
    assert not at.error


def test_a_failed_and_a_missing_view_are_named_with_the_command_that_helps(shop: Shop) -> None:
    at = over(
        Told(
            shop,
            states={"clocks": "failed", "contacts": "missing", "cases": "missing", "orders": "ok"},
            lag=99_999,
        )
    )
    assert [error.value.split(";")[0] for error in at.error] == [
        "The view clocks failed",
        "The views cases, contacts are not built in this version yet",
    ]
    assert "`omniline rebuild`" in at.error[0].value
    assert "`omniline project`" in at.error[1].value
    assert len(at.metric) == 5


def test_views_that_are_still_being_built_are_waited_for(shop: Shop) -> None:
    at = over(Told(shop, newest_occurred_at=None))
    assert at.info[0].value.startswith("The log holds ")
    assert not at.metric


def test_an_error_is_one_sentence_with_a_reference_and_the_rest_is_logged(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("secret path /srv/home/log.db")

    monkeypatch.setattr(Reader, "waiting", broken)
    at = over(Told(shop))
    assert len(at.exception) == 1
    assert "secret" not in at.exception[0].message
    with caplog.at_level(logging.ERROR, logger="omniline.dashboards"):
        assert web.troubled(RuntimeError("secret path /srv/home/log.db")) is True
    assert "secret path" in caplog.text
    assert any("reference" in record.message for record in caplog.records)


def test_views_that_are_refused_are_told_in_their_own_sentence() -> None:
    def page() -> None:
        from dashboards import web
        from projections.engine import ViewsRefused

        web.troubled(ViewsRefused("The views follow another log: run `omniline rebuild`."))

    (told,) = AppTest.from_function(page).run().error
    assert told.value == "The views follow another log: run `omniline rebuild`."


def test_no_data_connected_is_told_to_whoever_starts_it_wrongly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(context, "_slot", [])
    with pytest.raises(LookupError, match="omniline serve"):
        context.current()
