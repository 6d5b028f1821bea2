"""Whatever bytes a file holds: one sentence, or a balance in which every record is accounted for."""

import os
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.log import Log, open_log
from ingestion.intake import ingest
from ingestion.mapping import parse_mapping
from ingestion.source import IngestError
from tests.ingestion.taking import CALLS, GOOD, NOW, OTHER, canonical, counted, jsonl, table
from tests.ingestion.test_groups import HEADER, ORDERS, ROWS

relaxed = settings(deadline=None, max_examples=4 * int(os.environ.get("OMNILINE_EXAMPLES", "15")))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where this module's files lie."""
    return tmp_path_factory.mktemp("bytes")


@pytest.fixture(scope="module")
def shared(folder: Path) -> Iterator[Log]:
    """One log, of which nothing but dry runs are asked."""
    opened = open_log(f"sqlite:///{folder}/log.db", keys=folder / "keys.db", create=True)
    yield opened
    opened.close()


def parquet(folder: Path) -> bytes:
    """A small file of orders."""
    pl.read_csv((HEADER + ROWS).encode(), infer_schema=False).write_parquet(folder / "whole.parquet")
    return (folder / "whole.parquet").read_bytes()


WHOLE = {
    "csv": (table(GOOD, OTHER, '3,2026-03-01 09:00:00,Mail,,"one\ntwo",1').encode(), CALLS),
    "orders": ((HEADER + ROWS).encode(), ORDERS),
    "jsonl": (jsonl(canonical("1", data={"length": 3}), canonical("2", text="Zażółć")).encode(), None),
}
SIGNS = st.sampled_from(
    [b'"', b"\n", b"\r", b",", b"\0", b"\xff", b"\\", b"{", b"}", b"9", b"", b"\xef\xbb\xbf", b"\xc5"]
)


@st.composite
def damaged(draw: st.DrawFn, whole: bytes) -> bytes:
    """A file in which a few places were overwritten, and which may have been cut."""
    data = whole
    for _ in range(draw(st.integers(0, 6))):
        place = draw(st.integers(0, len(data)))
        data = data[:place] + draw(SIGNS) + data[place + draw(st.integers(0, 2)) :]
    return data[: draw(st.integers(0, len(data)))] if draw(st.booleans()) else data


def accounted(log: Log, path: Path, mapping: str | None) -> None:
    """The file is told in one sentence, or its balance holds."""
    read = parse_mapping(mapping, where="desk.toml") if mapping else None
    try:
        parts = counted(ingest(log, [path], source="desk", mapping=read, now=NOW, dry_run=True))
    except IngestError as error:
        parts, sentence = {}, str(error)
    else:
        sentence = "It was read."
    assert parts.pop("read", 0) == sum(parts.values())
    assert sentence.endswith(".")
    assert "\n" not in sentence


@pytest.mark.parametrize("kind", WHOLE)
@given(data=st.data())
@relaxed
def test_damaged_files_are_accounted_for(shared: Log, folder: Path, kind: str, data: st.DataObject) -> None:
    whole, mapping = WHOLE[kind]
    path = folder / f"in.{kind}"
    path.write_bytes(data.draw(damaged(whole)))
    accounted(shared, path, mapping)


@given(content=st.binary(max_size=400), mapping=st.sampled_from([CALLS, ORDERS, None]))
@relaxed
def test_any_bytes_are_accounted_for(shared: Log, folder: Path, content: bytes, mapping: str | None) -> None:
    path = folder / "in.any"
    path.write_bytes(content)
    accounted(shared, path, mapping)


@given(data=st.data())
@relaxed
def test_a_damaged_parquet_file_is_accounted_for(shared: Log, folder: Path, data: st.DataObject) -> None:
    path = folder / "in.parquet"
    path.write_bytes(data.draw(damaged(parquet(folder))))
    accounted(shared, path, ORDERS.replace('"csv"', '"parquet"'))
