"""One manifest: what a backup of a log is, what it should turn out to hold, its files, and what is not in it."""

import re
from datetime import datetime
from hashlib import file_digest
from pathlib import Path

import msgspec

from domain.log import held, postgres, sqlite
from domain.log.address import Dialect
from domain.log.errors import LogError, LogMismatch
from domain.log.scan import POSITION
from domain.log.session import Session

FORMAT = 1
MANIFEST, EVENTS, KEYS, CHECKPOINTS = "manifest.json", "log.db", "keys.db", "checkpoints.txt"
LEFT_OUT = (
    "The master key: without it nobody opens the personal data in this backup; keep it in another place.",
    "The signing key: who holds it can sign a changed log; keep it in another place.",
)
SCHEMA = {
    "sqlite": (*sqlite.TABLES, held.TABLE["sqlite"]),
    "postgresql": (*postgres.TABLES, held.TABLE["postgresql"]),
}
"""What makes the tables of a log."""
TABLES = tuple(re.findall(r"CREATE TABLE IF NOT EXISTS (\w+)", "".join(SCHEMA["postgresql"])))
SERIALS = dict(
    re.findall(r"CREATE TABLE IF NOT EXISTS (\w+) \(\s*(\w+) bigserial", "".join(SCHEMA["postgresql"]))
)
"""The column of each table, where there is one, that a sequence numbers."""


class Contents(msgspec.Struct, frozen=True, kw_only=True):
    """What a log holds: what it tells of itself, its newest position and the chain value there, rows per table."""

    meta: dict[str, str]
    head: int
    chain: str
    rows: dict[str, int]


class Saved(msgspec.Struct, frozen=True, kw_only=True):
    """One file of a backup."""

    bytes: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """One backup; `columns` per table stand in the order of its file, `issued` are the numbers last given out."""

    format: int
    made_at: datetime
    dialect: Dialect
    contents: Contents
    columns: dict[str, list[str]]
    issued: dict[str, int]
    files: dict[str, Saved]
    left_out: list[str]

    @property
    def events(self) -> int:
        """How many events it holds."""
        return self.contents.rows["stored_events"]

    def write(self, folder: Path) -> None:
        """Put it beside its files."""
        text = msgspec.json.format(msgspec.json.encode(self), indent=2)
        (folder / MANIFEST).write_bytes(text + b"\n")


def read_manifest(folder: Path) -> Manifest:
    """The manifest of the backup in a folder."""
    try:
        text = (folder / MANIFEST).read_bytes()
        version = msgspec.json.decode(text, type=dict[str, msgspec.Raw]).get("format")
        if version is not None and version != msgspec.Raw(b"%d" % FORMAT):
            raise LogMismatch(
                f"The backup {folder} was made by another version of Omniline: update Omniline."
            )
        return msgspec.json.decode(text, type=Manifest)
    except OSError as error:
        raise LogError(
            f"There is no backup at {folder} ({error.strerror}): name the folder of one."
        ) from error
    except msgspec.MsgspecError as error:
        raise LogError(
            f"{folder / MANIFEST} is no manifest of a backup ({error}): name another backup."
        ) from error


def saved(file: Path) -> Saved:
    """Size and digest of a file as it lies there."""
    with file.open("rb") as opened:
        return Saved(bytes=file.stat().st_size, sha256=file_digest(opened, "sha256").hexdigest())


def contents_of(session: Session, dialect: Dialect) -> Contents:
    """What the log holds in the eyes of one transaction."""
    at = POSITION[dialect]
    newest = session.run(f"SELECT {at}, chain FROM stored_events ORDER BY {at} DESC LIMIT 1")  # noqa: S608
    present = session.tables()
    return Contents(
        meta=dict(session.run("SELECT name, value FROM log_meta")),
        head=newest[0][0] if newest else 0,
        chain=bytes(newest[0][1]).hex() if newest else "",
        rows={name: _count(session, name) if name in present else 0 for name in TABLES},
    )


def _count(session: Session, table: str) -> int:
    return int(session.run(f"SELECT count(*) FROM {table}")[0][0])  # noqa: S608
