"""One backup: a folder with a log as it stood at one instant, its keys, its checkpoints, and a manifest of all that.

The order makes it whole while others write: checkpoints are copied before the log that they were signed over, keys
after it, because a key is stored before the first event that it seals.
"""

import os
import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
from psycopg import Cursor, IsolationLevel
from psycopg.sql import SQL, Identifier

from domain.keys.copying import copy_keys
from domain.log.address import Address, parse
from domain.log.copies import append_copy, read_copy
from domain.log.errors import LogError, told
from domain.log.gate import gate_of
from domain.log.log import Log
from domain.log.manifest import (
    CHECKPOINTS,
    EVENTS,
    FORMAT,
    KEYS,
    LEFT_OUT,
    SERIALS,
    Contents,
    Manifest,
    contents_of,
    saved,
)
from domain.log.postgres import PostgresSession
from domain.log.sqlite import SQLiteSession

PATIENCE = 60

_COLUMNS = """SELECT column_name FROM information_schema.columns
    WHERE table_schema = current_schema() AND table_name = ? ORDER BY ordinal_position"""
_ISSUED = "SELECT coalesce(pg_sequence_last_value(pg_get_serial_sequence(?, ?)::regclass), 0)"


class Copied(NamedTuple):
    """What came along: the log's contents, the columns of each file, the numbers last given out per table."""

    contents: Contents
    columns: dict[str, list[str]]
    issued: dict[str, int]


def backup(log: Log, to: Path, *, copies: Sequence[Path] = (), now: datetime) -> Manifest:
    """Back up a log, in use or not, into a new folder, which is there whole or not at all.

    Of the copies of its checkpoints the fullest comes along.
    """
    address = parse(log.url)
    copy = _copy_sqlite if address.dialect == "sqlite" else _copy_postgres
    with _appearing(to) as folder:
        _copy_checkpoints(copies, folder)
        with told(f"{address.shown} or its backup {to}"):
            contents, columns, issued = copy(address, folder)
        copy_keys(log.keys, folder / KEYS)
        made = Manifest(
            format=FORMAT,
            made_at=now,
            dialect=address.dialect,
            contents=contents,
            columns=columns,
            issued=issued,
            files={file.name: saved(file) for file in sorted(folder.iterdir())},
            left_out=list(LEFT_OUT),
        )
        made.write(folder)
    return made


def _copy_checkpoints(copies: Sequence[Path], folder: Path) -> None:
    found = [read_copy(path).notes for path in copies]
    fullest = max(found, key=lambda notes: notes[-1].checkpoint.size if notes else 0, default=())
    append_copy(folder / CHECKPOINTS, fullest)


def _copy_sqlite(address: Address, folder: Path) -> Copied:
    """One statement copies what is committed, while others read and write; nothing deleted comes along."""
    file = folder / EVENTS
    with (
        gate_of(address.path).transaction(),
        closing(sqlite3.connect(address.uri(), uri=True, isolation_level=None, timeout=PATIENCE)) as source,
    ):
        source.execute("VACUUM INTO ?", (str(file),))
    with opened(file) as copy:
        session = SQLiteSession(copy.cursor(), file)
        issued = dict(session.run("SELECT name, seq FROM sqlite_sequence"))
        return Copied(contents_of(session, "sqlite"), {}, issued)


def _copy_postgres(address: Address, folder: Path) -> Copied:
    """Every table in one snapshot, as the server itself writes it; then the sequences, which know no snapshot."""
    with psycopg.connect(address.conninfo) as connection:
        connection.isolation_level, connection.read_only = IsolationLevel.REPEATABLE_READ, True
        with connection.cursor(binary=True) as cursor:
            session = PostgresSession(cursor, address.shown)
            contents = contents_of(session, "postgresql")
            filled = [name for name, rows in contents.rows.items() if rows]
            columns = {name: [column for (column,) in session.run(_COLUMNS, [name])] for name in filled}
            for name, listed in columns.items():
                _copy_table(cursor, name, listed, folder / f"{name}.copy")
            issued = {name: session.run(_ISSUED, [name, column])[0][0] for name, column in SERIALS.items()}
    return Copied(contents, columns, issued)


def _copy_table(cursor: Cursor[Any], name: str, columns: Sequence[str], file: Path) -> None:
    listed = SQL(", ").join(map(Identifier, columns))
    statement = SQL("COPY {} ({}) TO STDOUT (FORMAT BINARY)").format(Identifier(name), listed)
    with file.open("xb") as target, cursor.copy(statement) as blocks:
        for block in blocks:
            target.write(block)


@contextmanager
def opened(file: Path) -> Iterator[sqlite3.Connection]:
    """A log's file in a backup, where nobody writes and nothing is left behind."""
    address = f"{file.absolute().as_uri()}?mode=ro&immutable=1"
    with closing(sqlite3.connect(address, uri=True, isolation_level=None)) as connection:
        yield connection


@contextmanager
def _appearing(to: Path) -> Iterator[Path]:
    """A private folder to fill, which takes its name once all in it is safely stored."""
    partial = to.with_name(f"{to.name}.partial")
    if to.exists() or partial.exists():
        there = to if to.exists() else partial
        raise LogError(f"There is something at {there} already: delete it, or name a new folder.")
    try:
        partial.mkdir(mode=0o700, parents=True)
        try:
            yield partial
            for file in partial.iterdir():
                file.chmod(0o600)
                _store(file)
            _store(partial)
            partial.rename(to)
            _store(to.parent)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    except OSError as error:
        raise LogError(f"The backup {to} cannot be written ({error.strerror}): check the folder.") from error


def _store(path: Path) -> None:
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
