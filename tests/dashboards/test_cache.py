"""Cached answers: equal questions are asked once, and everything that could change the answer makes them unequal."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import streamlit as st

from dashboards.cache import Answers
from domain.events.envelope import Event
from projections.reader import Reader
from tests.given import FAR, asserted, event, given, local


@pytest.fixture(autouse=True)
def unanswered() -> Iterator[None]:
    """No answers of other tests."""
    st.cache_data.clear()
    yield
    st.cache_data.clear()


def came(id: str, at: str = "03-02 10:00", channel: str = "email") -> list[Event]:
    subject = f"contact:{id}"
    told: dict[str, Any] = {"channel": channel, "actor_kind": "customer", "direction": "inbound"}
    return [
        event("ContactReceived", id, local(at), subject, **told),
        asserted(subject, "email", f"{id}@example.com", local(at), "login"),
    ]


def contacts(answers: Answers, start: date = date(2026, 3, 1)) -> int:
    """How many contacts there were in March."""
    return int(answers.kpi("contacts", start=start, end=date(2026, 4, 1))["events"].item())


def test_a_new_position_is_asked_anew(tmp_path: Path) -> None:
    home = given(tmp_path, came("1"))
    assert contacts(Answers(home="a", reader=Reader(home.engine, FAR))) == 1
    home.more(came("2"))
    assert contacts(Answers(home="a", reader=Reader(home.engine, FAR))) == 2


def test_another_instant_is_asked_anew(tmp_path: Path) -> None:
    home = given(tmp_path, came("1"))
    waited = [
        Answers(home="a", reader=Reader(home.engine, local(at))).frame("waiting")["oldest_s"].to_list()
        for at in ("03-02 11:00", "03-02 12:30")
    ]
    assert waited == [[3_600.0], [9_000.0]]


def test_another_home_is_asked_anew(tmp_path: Path) -> None:
    one, other = given(tmp_path / "one", came("1")), given(tmp_path / "other", came("1", "04-02 10:00"))
    assert contacts(Answers(home="one", reader=Reader(one.engine, FAR))) == 1
    assert contacts(Answers(home="other", reader=Reader(other.engine, FAR))) == 0


def test_other_days_and_other_channels_are_asked_anew(tmp_path: Path) -> None:
    home = given(tmp_path, [*came("1"), *came("2", "03-20 10:00", channel="chat")])
    reader = Reader(home.engine, FAR)
    assert contacts(Answers(home="a", reader=reader)) == 2
    assert contacts(Answers(home="a", reader=reader), start=date(2026, 3, 10)) == 1
    assert contacts(Answers(home="a", reader=reader, channels=("email",))) == 1
    assert contacts(Answers(home="a", reader=reader, channels=("email", "chat"))) == 2
