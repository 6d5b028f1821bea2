"""The shipped mappings on the sample data beside the repository: the figures of the reference, and twice."""

from pathlib import Path

import polars as pl
import pytest

from domain.log import Log
from ingestion.intake import ingest
from ingestion.mapping import load_mapping
from tests.command import DATA
from tests.ingestion.taking import NOW, SAMPLES, counted, refusals, stored

UCI = DATA / "uci_incident" / "incident_event_log_dev.csv.gz"
RETAIL = DATA / "online_retail" / "online_retail_2009_2010_dev.parquet"
JOURNEY = DATA / "completejourney"

pytestmark = pytest.mark.skipif(
    not DATA.is_dir(), reason="the sample data is not here: ../shared/data beside the repository"
)


@pytest.mark.parametrize(
    "mapping", ["uci_incident", SAMPLES / "uci_incident.toml"], ids=["shipped", "reference"]
)
def test_the_incident_log_comes_in_whole_and_once(store: Log, mapping: str | Path) -> None:
    read = load_mapping(mapping)
    balance = ingest(store, [UCI], source="uci_incident", mapping=read, now=NOW)
    assert counted(balance) == {"read": 29_478, "stored": 29_478}
    assert balance.rows == 29_478
    assert balance.events == {"ContactReceived": 5_212, "StateReported": 29_478, "IdentifierAsserted": 5_210}
    assert (balance.untrusted, refusals(store), store.head()) == ([], [], 39_901)
    again = ingest(store, [UCI], source="uci_incident", mapping=read, now=NOW)
    assert counted(again) == {"read": 29_478, "duplicate": 29_478}
    assert (again.events, store.head()) == ({}, 39_901)


@pytest.mark.parametrize(
    "mapping", ["online_retail", SAMPLES / "online_retail.toml"], ids=["shipped", "reference"]
)
def test_the_orders_come_in_whole_and_once(store: Log, mapping: str | Path) -> None:
    read = load_mapping(mapping)
    balance = ingest(store, [RETAIL], source="online_retail", mapping=read, now=NOW)
    assert counted(balance) == {"read": 5_580, "stored": 4_925, "ignored": 655}
    assert (balance.rows, balance.reasons) == (108_429, {"stock_adjustment": 655})
    assert balance.events == {"OrderPlaced": 4_031, "OrderCancelled": 894, "IdentifierAsserted": 4_522}
    again = ingest(store, [RETAIL], source="online_retail", mapping=read, now=NOW)
    assert counted(again) == {"read": 5_580, "duplicate": 4_925, "ignored": 655}


def test_totals_and_lines_are_those_of_the_file(store: Log) -> None:
    ingest(store, [RETAIL], source="online_retail", mapping=load_mapping("online_retail"), now=NOW)
    orders = [event for event in stored(store) if event["topic"] in ("order.placed", "order.cancelled")]
    frame = pl.read_parquet(RETAIL).with_columns(value=pl.col("Quantity") * pl.col("Price"))
    expected = frame.group_by("Invoice").agg(pl.len(), pl.col("value").sum(), pl.col("InvoiceDate").min())
    figures = {name: (count, round(value, 2)) for name, count, value, _ in expected.rows()}
    kept = {
        event["event_id"].split("|")[1]: (len(event["lines"]), round(float(event["total"]), 2))
        for event in orders
    }
    assert len(kept) == 4_925
    assert kept == {name: figures[name] for name in kept}


def test_offers_get_their_dates_by_a_join_and_are_accepted_under_the_same_subject(store: Log) -> None:
    offers = ingest(
        store,
        [JOURNEY / "campaigns.parquet"],
        source="completejourney",
        mapping=load_mapping("completejourney_offers"),
        now=NOW,
    )
    assert counted(offers) == {"read": 6_589, "stored": 6_589}
    redemptions = load_mapping("completejourney_redemptions")
    path = JOURNEY / "coupon_redemptions.parquet"
    taken = ingest(store, [path], source="completejourney", mapping=redemptions, now=NOW)
    assert counted(taken) == {"read": 2_102, "stored": 2_102}
    assert taken.events["OfferAccepted"] == 2_102
    again = ingest(store, [path], source="completejourney", mapping=redemptions, now=NOW)
    assert counted(again) == {"read": 2_102, "duplicate": 2_102}
    events = stored(store)
    presented = {event["originator_id"] for event in events if event["topic"] == "offer.presented"}
    accepted = {event["originator_id"] for event in events if event["topic"] == "offer.accepted"}
    assert len(presented) == 6_589
    assert accepted <= presented
    first = next(event for event in events if event["event_id"] == "completejourney|1-105|1")
    assert (first["occurred_at"], first["precision"], first["product_class"]) == (
        "2017-03-03T00:00:00+00:00",
        "day",
        "Type B",
    )
    assert (first["valid_from"], first["valid_to"]) == ("2017-03-03T00:00:00Z", "2017-04-09T00:00:00Z")


def test_baskets_come_in_whole(store: Log) -> None:
    mapping = load_mapping("completejourney_transactions")
    path = JOURNEY / "transactions_dev.parquet"
    balance = ingest(store, [path], source="completejourney", mapping=mapping, now=NOW)
    assert counted(balance) == {"read": 16_553, "stored": 16_553}
    assert (balance.rows, balance.events["OrderPlaced"]) == (150_512, 16_553)
