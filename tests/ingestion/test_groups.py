"""Folding: rows of one record, wherever they stand; sums, lines, and what a broken row does to its record."""

from pathlib import Path

import polars as pl
import pytest

from domain.log import Log
from ingestion import files, translate
from ingestion.intake import ingest
from ingestion.mapping import parse_mapping
from tests.ingestion.taking import NOW, SAMPLES, counted, refusals, stored, taken

ORDERS = """
[source]
format = "csv"
zone = "UTC"
time = ["%Y-%m-%d %H:%M"]
subject = "order:{order}"
[columns]
order = {type="text", required=true}
at = {type="time", required=true}
pieces = "int"
price = "decimal"
[group]
by = "order"
at = "at"
lines = {sku="sku", quantity="pieces", price="price"}
sum = {total=["pieces", "price"], pieces="pieces"}
[[ignore]]
reason = "empty_order"
when = {"@total".max=0}
[[event]]
type = "OrderPlaced"
id = "{order}"
at = "at"
channel = "web"
set = {total="@total", lines="@lines", currency="EUR"}
[[identifier]]
ns = "customer"
value = "customer"
obtained = "issued"
"""
HEADER = "order,at,sku,pieces,price,customer\n"
ROWS = (
    "A,2026-01-05 10:02,s1,2,1.50,7\n"
    "B,2026-01-05 09:00,s2,1,0.10,\n"
    "A,2026-01-05 10:00,s3,1,0.25,7\n"
    "B,2026-01-05 09:00,s2,2,0.10,8\n"
    "B,2026-01-05 09:00,s2,2,0.10,8\n"
    "C,2026-01-06 09:00,s4,-1,3,9\n"
)


def orders(log: Log) -> list[tuple[str, str, str, list[dict[str, str]]]]:
    """Id, instant, total and lines of every order stored."""
    return [
        (event["event_id"], event["occurred_at"], event["total"], event["lines"])
        for event in stored(log)
        if event["topic"] == "order.placed"
    ]


FOLDED = [
    (
        "desk|A|1",
        "2026-01-05T10:00:00+00:00",
        "3.25",
        [{"sku": "s1", "quantity": "2", "price": "1.5"}, {"sku": "s3", "quantity": "1", "price": "0.25"}],
    ),
    (
        "desk|B|1",
        "2026-01-05T09:00:00+00:00",
        "0.5",
        [
            {"sku": "s2", "quantity": "1", "price": "0.1"},
            {"sku": "s2", "quantity": "2", "price": "0.1"},
            {"sku": "s2", "quantity": "2", "price": "0.1"},
        ],
    ),
]


@pytest.mark.parametrize(("block", "records"), [(1 << 20, 4_000), (40, 1)])
def test_rows_are_one_record_at_its_earliest_time_wherever_they_stand(
    store: Log, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block: int, records: int
) -> None:
    monkeypatch.setattr(files, "BLOCK", block)
    monkeypatch.setattr(translate, "RECORDS", records)
    monkeypatch.setattr(translate, "DRAFTED", records)
    balance = taken(store, tmp_path, HEADER + ROWS, mapping=ORDERS)
    assert counted(balance) == {"read": 3, "stored": 2, "ignored": 1}
    assert (balance.rows, balance.reasons) == (6, {"empty_order": 1})
    assert orders(store) == FOLDED
    assert [event["value"] for event in stored(store) if "value" in event] == ["7", "8"]
    again = taken(store, tmp_path, HEADER + ROWS, mapping=ORDERS)
    assert counted(again) == {"read": 3, "duplicate": 2, "ignored": 1}


def test_no_record_is_stored_without_one_of_its_rows(store: Log, tmp_path: Path) -> None:
    broken = ROWS.replace("s3,1,0.25,7", "s3,one,0.25,7").replace("s2,2,0.10,8\nC", "s2\nC")
    balance = taken(store, tmp_path, HEADER + broken, mapping=ORDERS)
    assert counted(balance) == {"read": 3, "ignored": 1, "quarantined": 2}
    assert balance.rows == 6
    assert refusals(store) == [
        (4, "bad_number", 'pieces "one" is no whole number'),
        (6, "truncated", "the row has 3 of 6 cells"),
    ]
    assert counted(taken(store, tmp_path, HEADER + ROWS, mapping=ORDERS)) == {
        "read": 3,
        "stored": 2,
        "ignored": 1,
    }


def test_a_row_cut_inside_its_key_is_a_record_of_its_own(store: Log, tmp_path: Path) -> None:
    balance = taken(store, tmp_path, HEADER + ROWS + "A", mapping=ORDERS)
    assert counted(balance) == {"read": 4, "stored": 2, "ignored": 1, "quarantined": 1}
    assert refusals(store) == [(8, "truncated", "the row has 1 of 6 cells")]


def test_the_same_content_in_another_format_is_a_duplicate(store: Log, tmp_path: Path) -> None:
    taken(store, tmp_path, HEADER + ROWS, mapping=ORDERS)
    frame = pl.read_csv((HEADER + ROWS).encode())
    path = tmp_path / "orders.parquet"
    frame.with_columns(pl.col("customer").cast(pl.Float64)).write_parquet(path)
    text = ORDERS.replace('"csv"', '"parquet"').replace("price = ", 'customer = "int"\nprice = ', 1)
    balance = ingest(store, [path], source="desk", mapping=parse_mapping(text, where="orders.toml"), now=NOW)
    assert counted(balance) == {"read": 3, "duplicate": 2, "ignored": 1}


def test_an_unknown_document_is_quarantined_before_anything_else(store: Log, tmp_path: Path) -> None:
    path = tmp_path / "in.parquet"
    pl.DataFrame(
        {
            "Invoice": ["A506401", "489438", "C489449"],
            "StockCode": ["B", "21329", "22087"],
            "Quantity": [1, 2, -12],
            "InvoiceDate": ["2010-04-29 13:36:00"] * 3,
            "Price": [-53594.36, 0.98, 2.95],
            "Customer ID": [None, 18102.0, 16321.0],
        }
    ).write_parquet(path)
    mapping = parse_mapping((SAMPLES / "online_retail.toml").read_text("utf-8"), where="online_retail.toml")
    balance = ingest(store, [path], source="shop", mapping=mapping, now=NOW)
    assert counted(balance) == {"read": 3, "stored": 2, "quarantined": 1}
    assert [(line, reason) for line, reason, _ in refusals(store)] == [(1, "unknown_document")]
    kept = [(event["topic"], event.get("total"), event.get("value")) for event in stored(store)]
    assert kept == [
        ("order.placed", "1.96", None),
        ("identifier.asserted", None, "18102"),
        ("order.cancelled", "-35.4", None),
        ("identifier.asserted", None, "16321"),
    ]
    assert balance.untrusted == ["shop: retail_customer.issued"]
