"""Real data through the commands: figures that were computed elsewhere must come out of the command line."""

import os
from pathlib import Path
from typing import Any

import pytest

from tests.command import DATA, run

UCI = DATA / "uci_incident" / "incident_event_log_dev.csv.gz"
RETAIL = DATA / "online_retail" / "online_retail_2009_2010_dev.parquet"
COUPONS = DATA / "completejourney"


@pytest.fixture(scope="module", autouse=True)
def data() -> None:
    """The sample data lies beside the repository on the project's own machines only."""
    if not DATA.is_dir() and not os.environ.get("OMNILINE_NO_SKIP"):
        pytest.skip(f"the real sample data is not at {DATA}")
    assert DATA.is_dir(), f"the real sample data is not at {DATA}"


def ingested(home: Path, path: Path, source: str, mapping: str | None = None) -> dict[str, Any]:
    """The balance of one ingest."""
    words = ("ingest", str(path), "--source", source, "--mapping", mapping or source, "--json")
    document: dict[str, Any] = run(home, *words).json()
    return document


def asked(home: Path, key: str, *words: str) -> list[dict[str, Any]]:
    """The rows of one KPI."""
    rows: list[dict[str, Any]] = run(home, "kpi", key, *words, "--json").json()["rows"]
    return rows


@pytest.fixture(scope="module")
def incidents(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the incident log."""
    home = tmp_path_factory.mktemp("incidents") / "home"
    balance = ingested(home, UCI, "uci_incident")
    assert (balance["read"], balance["quarantined"], balance["conflict"]) == (29_478, 0, 0)
    assert balance["events"] == {
        "ContactReceived": 5_212, "StateReported": 29_478, "IdentifierAsserted": 5_210,
    }  # fmt: skip
    return home


@pytest.fixture(scope="module")
def orders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a year of web shop orders."""
    home = tmp_path_factory.mktemp("orders") / "home"
    balance = ingested(home, RETAIL, "online_retail")
    assert (balance["read"], balance["ignored"], balance["quarantined"]) == (5_580, 655, 0)
    assert balance["rows"] == 108_429
    assert balance["events"] == {"OrderPlaced": 4_031, "OrderCancelled": 894, "IdentifierAsserted": 4_522}
    return home


def test_repeat_contacts_of_the_incident_log(incidents: Path) -> None:
    (row,) = asked(incidents, "repeat_contact")
    assert (row["of"], row["bad"]) == (5_209, 1_265)
    assert row["value"] == pytest.approx(1_265 / 5_209)


def test_states_of_the_incidents_as_they_were_known_then(incidents: Path) -> None:
    rows = asked(incidents, "cases_known", "--as-of", "2016-04-01T00:00:00Z", "--by", "source_state")
    assert {row["source_state"]: row["cases"] for row in rows} == {
        "Closed": 1_321, "Resolved": 421, "Active": 118, "Awaiting User Info": 112, "New": 56, "Awaiting Problem": 12,
    }  # fmt: skip


def test_verdicts_that_the_source_gave_itself(incidents: Path) -> None:
    rows = asked(incidents, "cases_known", "--by", "source_verdict")
    assert sum(row["cases"] for row in rows) == 5_212
    assert {str(row["source_verdict"]).lower(): row["cases"] for row in rows}["true"] == 3_244


def test_reopened_incidents(incidents: Path) -> None:
    assert asked(incidents, "reopened")[0]["cases"] == 59


def test_callers_are_persons(incidents: Path) -> None:
    assert asked(incidents, "persons")[0]["persons"] == 1_067


def test_orders_by_kind(orders: Path) -> None:
    rows = asked(orders, "orders_known", "--by", "kind")
    assert {row["kind"].rpartition(".")[2]: row["events"] for row in rows} == {
        "placed": 4_031,
        "cancelled": 894,
    }


def test_customers_are_persons(orders: Path) -> None:
    assert asked(orders, "persons")[0]["persons"] == 818


def test_offers_and_redemptions_come_in_whole(tmp_path: Path) -> None:
    offers = ingested(tmp_path / "home", COUPONS / "campaigns.parquet", "cj", "completejourney_offers")
    assert (offers["read"], offers["events"]["OfferPresented"]) == (6_589, 6_589)
    taken = ingested(
        tmp_path / "home", COUPONS / "coupon_redemptions.parquet", "cj", "completejourney_redemptions"
    )
    assert (taken["read"], taken["quarantined"]) == (2_102, 0)


@pytest.mark.parametrize(("path", "source"), [(UCI, "uci_incident"), (RETAIL, "online_retail")])
def test_a_second_reading_stores_nothing_new(path: Path, source: str, request: pytest.FixtureRequest) -> None:
    home = request.getfixturevalue("incidents" if source == "uci_incident" else "orders")
    before = run(home, "status", "--json").json()["log"]
    again = ingested(home, path, source)
    assert again["stored"] == 0
    assert again["duplicate"] + again["ignored"] == again["read"]
    assert run(home, "status", "--json").json()["log"] == before


def test_a_replay_of_everything_equals_the_views(incidents: Path) -> None:
    head = run(incidents, "status", "--json").json()["log"]["position"]
    assert asked(incidents, "repeat_contact", "--position", str(head)) == asked(incidents, "repeat_contact")
