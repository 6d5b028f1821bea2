"""A small demo home on a real store, and pages run over it as Streamlit runs them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from dashboards import context
from domain.events.identity import IdentifierAsserted
from domain.log import Log, Pending, open_log
from ingestion.demo import history
from projections.engine import Engine
from projections.reader import Reader

APP = Path(context.__file__).parent / "app.py"
Page = Callable[..., AppTest]


@dataclass(frozen=True, kw_only=True)
class Shop:
    """A filled home: its engine, its instant, and where it lies."""

    folder: Path
    log: Log
    engine: Engine
    until: datetime

    def reader(self, _: object = None) -> Reader:
        return Reader(self.engine, self.until)


@contextmanager
def opened(folder: Path, *, customers: int) -> Iterator[Shop]:
    """A log with the history of so many customers, and views at its head."""
    log = open_log(f"sqlite:///{folder}/log.db", keys=folder / "keys.db", create=True)
    demo = history(surrogate=log.surrogate, customers=customers)
    run = log.begin_run(source="demo", adapter="demo", now=demo.until)
    events = [event for record in demo.records for event in record]
    log.append_batch(
        [Pending(event=event, once=isinstance(event, IdentifierAsserted)) for event in events],
        run=run,
        now=demo.until,
    )
    engine = Engine(log, f"sqlite:///{folder}/views.db")
    engine.catch_up(now=demo.until)
    try:
        yield Shop(folder=folder, log=log, engine=engine, until=demo.until)
    finally:
        engine.close()
        log.close()


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with opened(tmp_path_factory.mktemp("shop"), customers=700) as made:
        yield made


@pytest.fixture
def page(shop: Shop) -> Page:
    """`page("customer", customer="…", locale="pl-PL")`: one page over the shop, run once."""

    def run(
        name: str = "overview", *, locale: str = "en-GB", theme: str = "light", **parameters: str
    ) -> AppTest:
        st.cache_data.clear()
        st.cache_resource.clear()
        context.use(context.Context(readers=shop.reader, home=str(shop.folder), demo=True))
        return visit(name, locale=locale, theme=theme, **parameters)

    return run


def visit(
    name: str = "overview", *, locale: str = "en-GB", theme: str = "light", **parameters: str
) -> AppTest:
    """A page of whatever context is in use."""
    at = AppTest.from_file(str(APP), default_timeout=60)
    at.context = {"locale": locale, "theme": theme}
    at.query_params = dict(parameters) if name == "overview" else {}
    at.run()
    if name != "overview":
        at.switch_page(f"pages/{name}.py")
        at.query_params = dict(parameters)
        at.run()
    return at


def address(at: AppTest) -> dict[str, str]:
    """The page's URL parameters, one value each."""
    return {name: value if isinstance(value, str) else value[-1] for name, value in at.query_params.items()}
