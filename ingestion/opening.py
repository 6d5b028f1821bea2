"""One call opens a file of rows in the format that a mapping names."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

from ingestion.csv_rows import open_csv
from ingestion.jsonl_rows import Lines
from ingestion.parquet_rows import open_parquet
from ingestion.source import IngestError, Rows


class Readable(Protocol):
    """A file of rows; `header` is None where the columns differ from row to row."""

    @property
    def header(self) -> tuple[str, ...] | None:
        """Its columns."""

    def rows(self, wanted: Sequence[str]) -> Iterator[Rows]:
        """Its rows, a batch at a time."""


def open_rows(path: Path, form: str, separator: str = ",") -> Readable:
    """The file, its columns known; IngestError if it is not of this form."""
    if form == "csv":
        return open_csv(path, separator)
    if form == "jsonl":
        return Lines(path=path)
    if form == "parquet":
        return open_parquet(path)
    raise IngestError(f"{path} is no .csv, .jsonl or .parquet file; name one that is.")
