"""One call reads a Parquet file in batches; columns inside structs are named by dotted paths."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from ingestion.source import ROW, IngestError, Rows

BATCH = 50_000
DAMAGE = (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError)


@dataclass(frozen=True, kw_only=True)
class Columns:
    """A Parquet file whose columns are known; `places` says where each lies."""

    path: Path
    places: dict[str, pl.Expr]

    @property
    def header(self) -> tuple[str, ...]:
        """The columns, those inside structs by their dotted paths."""
        return tuple(self.places)

    def rows(self, wanted: Sequence[str]) -> Iterator[Rows]:
        """All rows, a batch at a time; what is inside damaged pages ends the reading, which must not go unseen."""
        scan = scanned(self.path).select(self.places[name].alias(name) for name in wanted)
        line = 1
        try:
            height = scanned(self.path).select(pl.len()).collect().item()
            yield Rows(frame=_numbered(scan.head(0).collect(), line), bad=[])
            for frame in scan.collect_batches(chunk_size=BATCH, maintain_order=True):
                yield Rows(frame=_numbered(frame, line), bad=[])
                line += frame.height
        except DAMAGE as error:
            raise broken(self.path) from error
        if line <= height:
            raise broken(self.path)


def _numbered(frame: pl.DataFrame, line: int) -> pl.DataFrame:
    places = pl.int_range(line, line + frame.height, dtype=pl.Int64, eager=True)
    return frame.with_columns(places.alias(ROW))


def open_parquet(path: Path) -> Columns:
    """A Parquet file with its columns found."""
    try:
        schema = scanned(path).collect_schema()
    except DAMAGE as error:
        raise broken(path) from error
    return Columns(path=path, places=dict(_places(schema)))


def scanned(path: Path) -> pl.LazyFrame:
    """The file, read when asked for."""
    return pl.scan_parquet(path, glob=False, hive_partitioning=False)


def broken(path: Path) -> IngestError:
    """The error about a file that is none, or was cut."""
    return IngestError(f"{path} is no whole Parquet file; fetch it again, or name its format in the mapping.")


def _places(schema: pl.Schema) -> Iterator[tuple[str, pl.Expr]]:
    for name, dtype in schema.items():
        yield from _inside(name, pl.col(name), dtype)


def _inside(name: str, place: pl.Expr, dtype: Any) -> Iterator[tuple[str, pl.Expr]]:
    yield name, place
    if isinstance(dtype, pl.Struct):
        for inner in dtype.fields:
            yield from _inside(f"{name}.{inner.name}", place.struct.field(inner.name), inner.dtype)
