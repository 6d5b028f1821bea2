"""Exports: whole tables, formulas neutralised, and where the numbers come from."""

import io
import zipfile
from datetime import datetime
from zoneinfo import ZoneInfo

import polars as pl
from polars.testing import assert_frame_equal

from dashboards.export import bundle, guarded

AT = datetime(2026, 11, 21, 21, 0, 2, tzinfo=ZoneInfo("Europe/Warsaw"))


def test_text_that_a_spreadsheet_would_run_gets_an_apostrophe_and_numbers_stay() -> None:
    given = pl.DataFrame(
        {"text": ["=1+1", "+48", "-x", "@a", "\tb", "\rc", "\nd", "＝e", "a=b", "", None], "n": [-1.5] * 11}
    )
    wanted = ["'=1+1", "'+48", "'-x", "'@a", "'\tb", "'\rc", "'\nd", "'＝e", "a=b", "", None]
    assert_frame_equal(guarded(given), pl.DataFrame({"text": wanted, "n": [-1.5] * 11}))


def test_a_table_without_texts_is_left_alone() -> None:
    assert_frame_equal(guarded(pl.DataFrame({"n": [1]})), pl.DataFrame({"n": [1]}))


def test_the_bundle_is_one_csv_per_table_and_its_provenance() -> None:
    packed = bundle(
        {"kpis": pl.DataFrame({"kpi": ["contacts"], "n": [3]})}, {"log_position": 17, "channels": "all"}, AT
    )
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        assert archive.namelist() == ["kpis.csv", "provenance.txt"]
        assert archive.read("kpis.csv") == b"kpi,n\ncontacts,3\n"
        assert archive.read("provenance.txt") == b"log_position: 17\nchannels: all\n"
        assert archive.getinfo("kpis.csv").date_time == (2026, 11, 21, 21, 0, 2)


def test_the_same_answers_make_the_same_file() -> None:
    tables = {"kpis": pl.DataFrame({"n": [3]})}
    assert bundle(tables, {"a": 1}, AT) == bundle(tables, {"a": 1}, AT)
