"""A backup put back, and one put back for trial: restored where nothing else lies, then verified as a log.

A backup of a SQLite log can also be put on PostgreSQL: so a log moves there, with every position and every proof.
"""

import secrets
import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import quote, urlencode

import psycopg
from psycopg import Cursor
from psycopg.conninfo import conninfo_to_dict
from psycopg.sql import SQL, Composed, Identifier

from domain.keys import KeysError, Master
from domain.keys.copying import left_behind, restore_keys
from domain.keys.master import appearing
from domain.log.address import Address, parse
from domain.log.backup import opened
from domain.log.checks import Finding
from domain.log.errors import LogError, told
from domain.log.manifest import (
    CHECKPOINTS,
    EVENTS,
    KEYS,
    SCHEMA,
    SERIALS,
    Manifest,
    contents_of,
    read_manifest,
    saved,
)
from domain.log.notes import PublicKey
from domain.log.opening import open_log
from domain.log.postgres import PostgresSession
from domain.log.scan import POSITION
from domain.log.verification import Report, verify

BLOCK = 1 << 20
UNPROVEN = "unproven"

_TYPES = """SELECT column_name, udt_name FROM information_schema.columns
    WHERE table_schema = current_schema() AND table_name = ? ORDER BY ordinal_position"""
_ISSUE = "SELECT setval(pg_get_serial_sequence(?, ?), ?)"


@dataclass(frozen=True, kw_only=True)
class Checked:
    """One backup put back for trial: what it says of itself, what its verification said, and all that is wrong."""

    manifest: Manifest
    report: Report | None
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """Whether the backup can be relied on."""
        return not self.findings

    def lines(self) -> list[str]:
        """The result for people."""
        made = f"{self.manifest.made_at:%Y-%m-%d %H:%M} UTC"
        first = f"Backup of {made}: {self.manifest.events:,} events up to position {self.manifest.contents.head:,}."
        read = self.report.lines()[:1] if self.report else []
        unproven = (
            [one.message for one in self.report.findings if one.kind == UNPROVEN] if self.report else []
        )
        last = ["Restored, opened with its keys and verified: it can be relied on."] * self.ok
        return [first, *read, *unproven, *(one.message for one in self.findings), *last]


def restore(folder: Path, url: str, *, keys: Path | str | None) -> Manifest:
    """Put a backup where no log lies, and its keys where none lie; None: the keys outlived the log and stay."""
    manifest, address = read_manifest(folder), parse(url)
    if address.dialect == "sqlite" and manifest.dialect != "sqlite":
        raise LogError(
            f"The backup {folder} is of a log on PostgreSQL: name a PostgreSQL address to restore it to."
        )
    if address.dialect == "sqlite":
        _check_free(address)
    if keys is not None:
        restore_keys(folder / KEYS, keys)
    with told(address.shown):
        if address.dialect == "sqlite":
            _to_file(folder / EVENTS, address)
        else:
            _to_server(folder, manifest, address)
    return manifest


def restore_check(
    folder: Path, *, master: Master, keys: Sequence[PublicKey] = (), scratch: str | None = None
) -> Checked:
    """Restore a backup for trial, open it with its keys, verify it and hold it against its manifest.

    `scratch` is a folder with enough room, or for a log on PostgreSQL a database where a schema may be made; all that
    was put there goes again.
    """
    manifest = read_manifest(folder)
    findings, report = _changed(folder, manifest), None
    with _scratch(manifest, scratch) as (url, beside):
        try:
            restore(folder, url, keys=beside)
            with closing(open_log(url, keys=beside, master=master)) as log:
                with log.session() as session:
                    found = contents_of(session, log.dialect)
                if found != manifest.contents:
                    message = f"Restored, it holds {found}, but its manifest says {manifest.contents}."
                    findings.append(Finding("manifest", 0, 0, message))
                copy = folder / CHECKPOINTS
                report = verify(log, keys=keys, copies=[copy] if copy.exists() else [])
                findings += [one for one in report.findings if one.kind != UNPROVEN]
        except (LogError, KeysError) as error:
            findings.append(Finding("unusable", 0, 0, f"It cannot be restored: {error}"))
    return Checked(manifest=manifest, report=report, findings=tuple(findings))


def _changed(folder: Path, manifest: Manifest) -> list[Finding]:
    """The files that are not as they were written."""
    findings = []
    for name, wanted in manifest.files.items():
        try:
            what = "" if saved(folder / name) == wanted else "is not as it was written"
        except OSError as error:
            what = f"cannot be read ({error.strerror})"
        if what:
            findings.append(Finding("file", 0, 0, f"{folder / name} {what}: take another backup."))
    return findings


@contextmanager
def _scratch(manifest: Manifest, scratch: str | None) -> Iterator[tuple[str, Path]]:
    """Where a trial goes: the address of a log, and the path of its keys."""
    on_server = manifest.dialect == "postgresql"
    if on_server and scratch is None:
        raise LogError("The backup is of a log on PostgreSQL: name a database to restore it into for trial.")
    with (
        TemporaryDirectory(prefix="omniline-trial-", dir=None if on_server else scratch) as place,
        ExitStack() as made,
    ):
        url = made.enter_context(_schema(scratch)) if on_server and scratch else f"sqlite:///{place}/{EVENTS}"
        yield url, Path(place) / KEYS


@contextmanager
def _schema(url: str) -> Iterator[str]:
    """The address of a new, empty schema of a database, which is dropped afterwards."""
    address = parse(url)
    name = f"omniline_trial_{secrets.token_hex(8)}"
    parts = conninfo_to_dict(address.conninfo)
    parts["options"] = f"{parts.get('options') or ''} -c search_path={name}"
    with told(address.shown), psycopg.connect(address.conninfo, autocommit=True) as connection:
        connection.execute(SQL("CREATE SCHEMA {}").format(Identifier(name)))
        try:
            yield f"postgresql:///?{urlencode({key: str(value) for key, value in parts.items()}, quote_via=quote)}"
        finally:
            connection.execute(SQL("DROP SCHEMA {} CASCADE").format(Identifier(name)))


def _check_free(address: Address) -> None:
    """Refuse a place where a log lies, or where one left its journal."""
    if address.path.exists():
        raise LogError(f"There is a log at {address.shown} already: keep it, or name another place.")
    if journal := left_behind(address.path):
        raise LogError(
            f"{journal} is left of a log that was here, and SQLite would mix it in: move it away first."
        )


def _to_file(source: Path, address: Address) -> None:
    try:
        with appearing(address.path) as new:
            shutil.copyfile(source, new)
            with closing(sqlite3.connect(new, isolation_level=None)) as connection:
                connection.execute("PRAGMA journal_mode = WAL")
    except OSError as error:
        raise LogError(
            f"The log {address.shown} cannot be written ({error.strerror}): check the folder."
        ) from error


def _to_server(folder: Path, manifest: Manifest, address: Address) -> None:
    """All tables in one transaction; most indexes are made once the rows are there."""
    with psycopg.connect(address.conninfo) as connection, connection.cursor(binary=True) as cursor:
        session = PostgresSession(cursor, address.shown)
        if present := session.tables() & set(manifest.contents.rows):
            raise LogError(
                f"There is a log at {address.shown} already ({', '.join(sorted(present))}): name another place."
            )
        first = [statement for statement in SCHEMA["postgresql"] if statement.startswith("CREATE TABLE")]
        for statement in first:
            session.run(statement)
        for name in (name for name, rows in manifest.contents.rows.items() if rows):
            if manifest.dialect == "postgresql":
                _load(cursor, name, manifest.columns[name], folder / f"{name}.copy")
            else:
                _move(cursor, session, name, folder / EVENTS)
        for statement in SCHEMA["postgresql"]:
            session.run(statement)
        for name, column in SERIALS.items():
            if number := manifest.issued.get(name, 0):
                session.run(_ISSUE, [name, column, number])


def _load(cursor: Cursor[Any], name: str, columns: Sequence[str], file: Path) -> None:
    """A table as the server wrote it."""
    try:
        source = file.open("rb")
    except OSError as error:
        raise LogError(
            f"The backup's {file} cannot be read ({error.strerror}): name another backup."
        ) from error
    with source, cursor.copy(_into(name, columns)) as copy:
        while block := source.read(BLOCK):
            copy.write(block)


def _move(cursor: Cursor[Any], session: PostgresSession, name: str, file: Path) -> None:
    """A table of a SQLite log; only the column of positions has another name there."""
    columns, types = zip(*session.run(_TYPES, [name]), strict=True)
    there = [POSITION["sqlite"] if column == POSITION["postgresql"] else column for column in columns]
    with opened(file) as source, cursor.copy(_into(name, columns)) as copy:
        copy.set_types(types)
        for row in source.execute(f"SELECT {', '.join(there)} FROM {name} ORDER BY 1"):  # noqa: S608
            copy.write_row(row)


def _into(name: str, columns: Sequence[str]) -> Composed:
    listed = SQL(", ").join(map(Identifier, columns))
    return SQL("COPY {} ({}) FROM STDIN (FORMAT BINARY)").format(Identifier(name), listed)
