"""One call reads the small file of a `[[join]]`, or looks its columns up for rows."""

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from ingestion.language import Join, SourceMapping
from ingestion.opening import open_rows
from ingestion.source import ROW, IngestError


def look_up(frame: pl.DataFrame, lookup: pl.DataFrame, join: Join) -> pl.DataFrame:
    """The rows with the looked-up columns, empty where nothing is found."""
    keys = [pl.col(name).cast(pl.String).str.strip_chars().alias(f"@on.{name}") for name in join.on]
    names = [f"@on.{name}" for name in join.on]
    found = frame.with_columns(keys).join(lookup, on=names, how="left", maintain_order="left")
    return found.drop(names)


def read_lookup(join: Join, mapping: SourceMapping, folder: Path) -> pl.DataFrame:
    """The file's columns by its keys; it lies beside the file that is ingested, or beside the mapping."""
    places = [folder, *([mapping.folder] if mapping.folder else [])]
    path = next((place / join.file for place in places if (place / join.file).is_file()), None)
    if path is None:
        looked = " and ".join(str(place) for place in places)
        raise IngestError(f"{mapping.where} joins {join.file}, which is not in {looked}; put it there.")
    frame = _read(path, (*join.on, *join.columns), mapping)
    keys = [pl.col(name).cast(pl.String).str.strip_chars().alias(f"@on.{name}") for name in join.on]
    frame = frame.select(*keys, *join.columns)
    twice = frame.filter(pl.struct(keys_of(join)).is_duplicated())
    if twice.height:
        key = ", ".join(str(twice[name][0]) for name in keys_of(join))
        raise IngestError(f"{path} has {key} more than once, so {mapping.where} cannot join it.")
    return frame


def keys_of(join: Join) -> list[str]:
    """The lookup's key columns."""
    return [f"@on.{name}" for name in join.on]


def _read(path: Path, wanted: Sequence[str], mapping: SourceMapping) -> pl.DataFrame:
    table = open_rows(path, path.name.removesuffix(".gz").rpartition(".")[2], mapping.separator)
    missing = [name for name in wanted if table.header is not None and name not in table.header]
    if missing:
        raise IngestError(f'{path} lacks the column "{missing[0]}", which {mapping.where} joins.')
    parts = list(table.rows(list(wanted)))
    bad = next((one for part in parts for one in part.bad), None)
    if bad is not None:
        raise IngestError(f"{path}, line {bad.line}: {bad.detail}; mend it, the whole file is needed.")
    return pl.concat(part.frame for part in parts).drop(ROW)
