"""A signed log for the tests of tamper evidence, and the ways to forge it behind its back."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import psycopg

from domain.log import Log, open_log
from domain.log.checkpoints import sign
from domain.log.held import origin_of
from domain.log.notes import Note, PublicKey
from domain.log.signing import create_key, read_key
from domain.log.verification import Report, verify
from tests.domain.log.making import NOW, append, mail

COLUMNS = (
    "originator_id, originator_version, topic, state, sealed, event_id, occurred_at, known_at, recorded_at, run_id,"
    " payload_hash, metadata, chain"
)


@dataclass
class Signed:
    """A log with its signing key and the copy of its checkpoints."""

    log: Log
    folder: Path
    public: PublicKey

    @property
    def copy(self) -> Path:
        return self.folder / "outside" / "checkpoints.txt"

    @property
    def key(self) -> Path:
        return self.folder / "signing.key"

    @property
    def position(self) -> str:
        """The column that holds positions."""
        return "rowid" if self.log.dialect == "sqlite" else "notification_id"

    def grow(self, first: int, end: int) -> None:
        """Store the mails from one number up to another."""
        append(self.log, *(mail(number) for number in range(first, end)))

    def sign(self, now: datetime = NOW) -> list[Note]:
        return sign(self.log, key=read_key(self.key), copy=self.copy, now=now)

    def verify(self, *, since: int | None = None, copies: Sequence[Path] | None = None) -> Report:
        places = [self.copy] if copies is None else copies
        return verify(self.log, keys=[self.public], copies=places, since=since)

    def found(self) -> list[tuple[str, int, int]]:
        return [(one.kind, one.first, one.last) for one in self.verify().findings]

    def cut(self, keep: int, *before: str) -> None:
        """Delete the newest rows, and all traces that the database itself keeps of them."""
        forget = {
            "sqlite": "UPDATE sqlite_sequence SET seq = # WHERE name = 'stored_events'",
            "postgresql": "SELECT setval('stored_events_notification_id_seq', #)",
        }
        delete = "DELETE FROM stored_events WHERE @ > #"
        self.forge(*before, *(text.replace("#", str(keep)) for text in (delete, forget[self.log.dialect])))

    def forge(self, *statements: str) -> None:
        """Run statements on the database with the log closed; @ stands for the column of positions."""
        self.log.close()
        texts = [statement.replace("@", self.position) for statement in statements]
        if self.log.dialect == "sqlite":
            with closing(sqlite3.connect(self.folder / "log.db", isolation_level=None)) as connection:
                for text in texts:
                    connection.execute(text)
        else:
            with psycopg.connect(self.log.url, autocommit=True) as connection:
                for text in texts:
                    connection.execute(text.encode())
        self.log = open_log(self.log.url, keys=self.folder / "keys.db")


def signed(log: Log, folder: Path, *, events: int) -> Signed:
    """A log of so many mails, signed once."""
    public = create_key(folder / "signing.key", origin=origin_of(log))
    made = Signed(log, folder, public)
    if events:
        made.grow(0, events)
        made.sign()
    return made
