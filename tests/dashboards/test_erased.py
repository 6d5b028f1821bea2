"""What was erased of a customer is said in words, on the page and in a terminal."""

from pathlib import Path

import pytest
import streamlit as st

from dashboards import context, printed
from projections import answers
from tests.dashboards.conftest import visit
from tests.given import FAR, Given, given
from tests.golden_timeline import timeline

MAIL, OWN = "contact:shop:mail-1", "customer:shop:C1"


@pytest.fixture
def home(tmp_path: Path) -> Given:
    made = given(tmp_path, timeline())
    made.log.keys.destroy([MAIL, OWN], now=FAR)
    made.engine.rebuild(now=FAR)
    st.cache_data.clear()
    st.cache_resource.clear()
    context.use(context.Context(readers=lambda _: made.reader(), home=str(tmp_path), demo=False))
    return made


@pytest.mark.parametrize(("locale", "word"), [("en-GB", "erased"), ("pl-PL", "usunięto")])
def test_the_page_says_so_in_the_readers_language(home: Given, locale: str, word: str) -> None:
    at = visit("customer", locale=locale, customer=OWN)
    assert not at.exception
    assert [text.value for text in at.text] == [f"C1 · {word} · +48601234567"]
    table = at.dataframe[0].value
    said = dict(zip(table["position"], table["summary"], strict=True))
    line = home.reader().person(OWN)
    erased = line.entries.filter("erased")
    assert {said[row["position"]] for row in erased.to_dicts() if row["kind"] == "contact.received"} == {word}
    assert {said[row["position"]] for row in erased.to_dicts() if row["kind"] == "note.added"} == {word}
    assert {said[row["position"]] for row in erased.to_dicts() if row["kind"] == "identifier.asserted"} == {
        f"{ns} · {word}" for ns in ("account", "email", "phone")
    }
    assert not [text for text in said.values() if "Ekspres" in text or "piln" in text]
    assert [text for text in said.values() if "Nadal to samo" in text]


def test_the_terminal_says_so(home: Given, capsys: pytest.CaptureFixture[str]) -> None:
    reader = home.reader()
    document = answers.timeline(reader, OWN)
    assert {entry["event_id"]: entry["erased"] for entry in document["entries"]}["shop|1|1"]
    printed.timeline(document, reader.zone)
    shown = capsys.readouterr().out
    assert shown.splitlines()[0].split("  ")[1].split(", ") == [
        "account:C1", "account:erased", "email:erased", "phone:+48601234567", "phone:erased",
    ]  # fmt: skip
    assert [line.split()[-2] for line in shown.splitlines() if "contact.received" in line] == [
        "erased", "erased", "samo",
    ]  # fmt: skip
