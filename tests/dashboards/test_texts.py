"""Words in two languages: equal keys and placeholders, plurals, numbers, durations, days."""

import string
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from dashboards.texts import LANGUAGES, MINUS, NARROW, Words, definitions, messages, plural
from domain.events import EVENTS
from projections.kpis import BY_KEY

WARSAW = ZoneInfo("Europe/Warsaw")
EN, PL = (Words(language=language, zone=WARSAW) for language in LANGUAGES)


def placeholders(text: Any) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(str(text)) if name}


def test_every_language_has_the_same_keys_and_placeholders() -> None:
    english, polish = messages("en"), messages("pl")
    assert set(english) == set(polish)
    differing = [key for key in english if placeholders(english[key]) != placeholders(polish[key])]
    assert differing == []


def test_every_event_has_a_word() -> None:
    missing = [topic for topic in EVENTS if f"kind.{topic}" not in messages("en")]
    assert all(
        topic.split(".")[0] in {"rollout", "goal", "link", "identifier", "source", "policy", "calendar"}
        for topic in missing
    ), missing


def test_translated_definitions_belong_to_declared_kpis() -> None:
    translated = {key.split(".")[0] for key in definitions("pl")}
    assert translated <= set(BY_KEY)
    parts = {key.split(".")[1] for key in definitions("pl")}
    assert parts == {"title", "question", "definition"}


@pytest.mark.parametrize(
    ("count", "english", "polish"),
    [
        (0, "many", "many"),
        (1, "one", "one"),
        (2, "many", "few"),
        (4, "many", "few"),
        (5, "many", "many"),
        (12, "many", "many"),
        (14, "many", "many"),
        (22, "many", "few"),
        (112, "many", "many"),
        (1002, "many", "few"),
    ],
)
def test_plurals(count: int, english: str, polish: str) -> None:
    assert (plural("en", count), plural("pl", count)) == (english, polish)


def test_counted_messages() -> None:
    assert PL.n("sheet.events", 1_000_000) == f"1{NARROW}000{NARROW}000 zdarzeń"
    assert [PL.n("sheet.events", n) for n in (1, 3, 13)] == ["1 zdarzenie", "3 zdarzenia", "13 zdarzeń"]
    assert EN.n("sheet.events", 1) == "1 event"


@pytest.mark.parametrize(
    ("value", "digits", "english", "polish"),
    [
        (1234567, 0, f"1{NARROW}234{NARROW}567", f"1{NARROW}234{NARROW}567"),
        (0.05, 1, "0.1", "0,1"),
        (-3.26, 1, f"{MINUS}3.3", f"{MINUS}3,3"),
        (-0.04, 1, "0.0", "0,0"),
    ],
)
def test_numbers(value: float, digits: int, english: str, polish: str) -> None:
    assert (EN.number(value, digits), PL.number(value, digits)) == (english, polish)


def test_shares_and_points() -> None:
    assert (EN.percent(0.8951), PL.percent(0.8951)) == (f"89.5{NARROW}%", f"89,5{NARROW}%")
    assert (EN.points(-0.0021), PL.points(0.0021)) == (f"0.2{NARROW}pp", f"0,2{NARROW}p.p.")


@pytest.mark.parametrize(
    ("seconds", "worded"),
    [
        (0, "0 s"),
        (119, "119 s"),
        (120, "2 min"),
        (1920, "32 min"),
        (21_600, "6 h"),
        (35_940, "599 min"),
        (36_060, "10 h"),
        (90_000, "25 h"),
    ],
)
def test_durations_take_the_unit_that_reads_best(seconds: float, worded: str) -> None:
    assert EN.duration(seconds) == worded.replace(" ", NARROW)


def test_instants_are_worded_in_the_reporting_zone() -> None:
    at = datetime(2026, 11, 21, 20, 0, tzinfo=UTC)
    assert EN.moment(at) == f"21{NARROW}Nov 2026, 21:00"
    assert PL.moment(at, year=False) == f"21{NARROW}lis, 21:00"
    assert (EN.place, PL.place) == ("Warsaw", "Warszawa")
    assert Words(language="en", zone=ZoneInfo("America/New_York")).place == "New York"
    assert PL.month(date(2026, 10, 1)) == "paź 26"
