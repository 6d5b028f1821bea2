"""A zip of what the screen shows: one CSV per table, and a text that says where the numbers come from."""

import io
import zipfile
from collections.abc import Mapping
from datetime import datetime

import polars as pl

DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""A text cell that begins like this would be run by a spreadsheet."""


def guarded(frame: pl.DataFrame) -> pl.DataFrame:
    """Text cells that could be formulas get an apostrophe; numbers stay numbers."""
    texts = [name for name, kind in frame.schema.items() if kind == pl.String]
    risky = {
        name: pl.any_horizontal([pl.col(name).str.starts_with(sign) for sign in DANGEROUS]) for name in texts
    }
    return frame.with_columns(
        pl.when(found).then(pl.concat_str(pl.lit("'"), pl.col(name))).otherwise(pl.col(name)).alias(name)
        for name, found in risky.items()
    )


def bundle(tables: Mapping[str, pl.DataFrame], provenance: Mapping[str, object], made_at: datetime) -> bytes:
    """`made_at` is in the reporting zone; it dates the files inside the zip."""
    stamp = made_at.timetuple()[:6]
    lines = "".join(f"{name}: {value}\n" for name, value in provenance.items())
    files = {f"{name}.csv": guarded(table).write_csv() for name, table in tables.items()}
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in {**files, "provenance.txt": lines}.items():
            entry = zipfile.ZipInfo(name, date_time=(stamp[0], stamp[1], stamp[2], *stamp[3:6]))
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content.encode())
    return packed.getvalue()
