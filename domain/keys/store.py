"""The key store: a key per stream and retention class, minted once, read in bulk, destroyed for good."""

import os
from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from domain.keys.database import Database
from domain.keys.errors import KeysError
from domain.keys.sealing import CLASSES, NONCE, Pair, Sealed, open_with
from domain.keys.tables import DESTROYED, KEYS, NOTHING, SECRETS, TOMBSTONES
from domain.keys.tokens import mark
from domain.keys.wrapping import KEYS_SIZE, SLOTS, Wraps

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PAGE = 10_000


class KeyStore:
    """One key store; threads may share it. It keeps no stream's keys in memory."""

    def __init__(self, database: Database, wraps: Wraps, secrets: dict[str, bytes]) -> None:
        self.shown = database.shown
        self._database = database
        self._wraps = wraps
        self._secrets = secrets

    def __repr__(self) -> str:
        return f"KeyStore({self.shown!r})"

    def secret(self, name: str) -> bytes:
        """`log` stands behind fingerprints and surrogates, `pepper` behind the blind index."""
        return self._secrets[name]

    def mark(self, epoch: str) -> str:
        """What a log remembers of its key store, so that another one is recognised."""
        return mark(self._secrets["log"], epoch)

    def fetch(self, wanted: Collection[Pair]) -> dict[Pair, bytes | None]:
        """The keys of these pairs; None where destroyed; absent ones are left out."""
        return _of(wanted, self._read({stream for stream, _ in wanted}))

    def lacking(self, streams: Collection[str]) -> set[str]:
        """Those of these streams that have no keys, or none any more."""
        rows = self._database.rows(self._database.sql.read, streams) if streams else []
        return set(streams) - {stream for stream, master, _ in rows if master != DESTROYED}

    def destroyed(self) -> set[str]:
        """Every stream whose keys were destroyed."""
        with self._database.reading() as connection:
            return set(connection.execute(sa.select(TOMBSTONES.c.stream)).scalars())

    def open(self, events: Sequence[Sealed], *, unfit: list[str]) -> list[bytes]:
        """The JSON fragments of a batch, one per event, empty where nothing opens; all keys in one look.

        Event ids of what does not open with its key, because that or the event was altered, are put into `unfit`.
        """
        altered: set[str] = set()
        keys = self._read({stream for stream, _, _, column in events if column}, altered)

        def key_of(stream: str, code: int) -> bytes | None:
            if stream in altered:
                raise KeysError(f"The key of {stream} was altered.")
            whole = keys.get(stream)
            return None if whole is None else whole[SLOTS[code]]

        return open_with(events, key_of, unfit=unfit)

    def provide(self, wanted: Collection[Pair]) -> dict[Pair, bytes | None]:
        """The keys of these pairs, None where destroyed; what was absent is minted, and safely stored."""
        streams = {stream for stream, _ in wanted}
        keys = self._read(streams)
        if absent := sorted(streams - keys.keys()):
            rows, minted = self._wraps.mint(absent, os.urandom((KEYS_SIZE + NONCE) * len(absent)))
            with self._database.writing() as connection:
                stored = self._database.many(connection, self._database.sql.insert, rows)
            keys.update(minted if stored == len(absent) else self._read(absent))
        return _of(wanted, keys)

    def destroy(self, streams: Collection[str], *, now: datetime) -> int:
        """Destroy all keys of these streams for good, known or not; how many streams were not destroyed before.

        Told to be busy, the keys are destroyed, but their wrapped bytes may still lie in the files: destroy again.
        PostgreSQL keeps such bytes in free space, write-ahead log and backups until they are written over: there a
        new master key, `rewrap` and the end of the old one make them worthless.
        """
        sql, named = self._database.sql, self._database.listed(sorted(set(streams)))
        at = (now - _EPOCH) // timedelta(microseconds=1)
        with self._database.writing() as connection:
            self._alone(connection)
            connection.exec_driver_sql(sql.bury, (named, at))
            count = connection.exec_driver_sql(sql.destroy, (named, DESTROYED, NOTHING)).rowcount
        self._database.scrub(KEYS.name)
        return count

    def rewrap(self) -> int:
        """Wrap everything under the newest master key; how many streams' keys and secrets were not.

        Begin it when no process mints under the old master key any more.
        """
        with self._database.writing() as connection:
            self._alone(connection)
            count = self._rewrap_secrets(connection)
        last = 0
        while True:
            with self._database.writing() as connection:
                self._alone(connection)
                rows = self._outdated(connection, last)
                if not rows:
                    break
                count += self._database.many(connection, self._database.sql.rewrap, self._anew(rows))
            last = rows[-1].id
        self._database.scrub(KEYS.name)
        return count

    def close(self) -> None:
        """Give back the connections."""
        self._database.close()

    def _read(self, streams: Collection[str], altered: set[str] | None = None) -> dict[str, bytes | None]:
        """All keys of these streams, as far as they are stored; altered ones are refused, or left out and told."""
        if not streams:
            return {}
        rows = self._database.rows(self._database.sql.read, streams)
        dead = {row[0]: None for row in rows if row[1] == DESTROYED}
        return dead | self._wraps.unwrap(
            [row for row in rows if row[0] not in dead] if dead else rows, altered
        )

    def _outdated(self, connection: Connection, last: int) -> list[Any]:
        old = KEYS.c.master.not_in([self._wraps.newest, DESTROYED]) & (KEYS.c.id > last)
        return list(connection.execute(sa.select(KEYS).where(old).order_by(KEYS.c.id).limit(_PAGE)))

    def _anew(self, rows: list[Any]) -> list[tuple[str, bytes, int]]:
        random, anew = os.urandom(NONCE * len(rows)), []
        keys = self._wraps.unwrap(row[1:] for row in rows)
        for at, (number, stream, _, _) in enumerate(rows):
            again = self._wraps.wrap(keys[stream], stream, nonce=random[at * NONCE : (at + 1) * NONCE])
            anew.append((self._wraps.newest, again, number))
        return anew

    def _rewrap_secrets(self, connection: Connection) -> int:
        wraps = self._wraps
        old = connection.execute(sa.select(SECRETS).where(SECRETS.c.master != wraps.newest)).all()
        for name, secret in wraps.unwrap(old).items():
            anew = wraps.wrap(secret, name, nonce=os.urandom(NONCE))
            put = sa.update(SECRETS).where(SECRETS.c.name == name).values(master=wraps.newest, wrapped=anew)
            connection.execute(put)
        return len(old)

    def _alone(self, connection: Connection) -> None:
        """Keep others from destroying and wrapping anew at the same time."""
        if self._database.sql.alone:
            connection.exec_driver_sql(self._database.sql.alone)


def _of(wanted: Collection[Pair], keys: dict[str, bytes | None]) -> dict[Pair, bytes | None]:
    """The keys of these pairs out of all keys of their streams."""
    found: dict[Pair, bytes | None] = {}
    try:
        for pair in wanted:
            stream, code = pair
            if stream in keys:
                whole = keys[stream]
                found[pair] = None if whole is None else whole[SLOTS[code]]
    except KeyError as error:
        raise KeysError(
            f"The retention class {error} is none of {', '.join(map(str, CLASSES))}: update Omniline."
        ) from error
    return found
