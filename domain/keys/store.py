"""The key store: a key per stream and retention class, minted once, read in bulk, destroyed for good."""

import os
import secrets
from collections.abc import Collection, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from domain.keys import tables
from domain.keys.database import Database
from domain.keys.errors import KeysBusy, KeysError
from domain.keys.master import SIZE, Master, appearing
from domain.keys.sealing import NONCE, Pair
from domain.keys.tables import DESTROYED, KEYS, META, METADATA, POSTGRESQL, SECRETS, SQLITE
from domain.keys.tokens import mark
from domain.keys.wrapping import RANDOM, Wraps

SECRET_NAMES = ("log", "pepper")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PAGE = 10_000
_texts = msgspec.json.Encoder().encode


def open_keys(url: str, *, master: Master, create: bool = False, patience: int = 60) -> "KeyStore":
    """The key store at `url`, made with its secrets where there is none and `create` says so.

    `patience` bounds in seconds how long anyone waits for another process.
    """
    database = Database(url, patience=patience)
    wraps = Wraps(master, database.shown)
    try:
        if create:
            _create(database, wraps, patience)
        return KeyStore(database, wraps, _secrets(database, wraps))
    except BaseException:
        database.close()
        raise


def has_keys(url: str) -> bool:
    """Whether there is a key store at `url`."""
    database = Database(url, patience=10)
    try:
        if database.path is not None:
            return database.path.exists()
        with database.reading() as connection:
            return sa.inspect(connection).has_table(META.name)
    finally:
        database.close()


class KeyStore:
    """One key store; threads may share it. It keeps no key in memory."""

    def __init__(self, database: Database, wraps: Wraps, named: dict[str, bytes]) -> None:
        self.shown = database.shown
        self._database = database
        self._wraps = wraps
        self._secrets = named
        self._sqlite = database.path is not None
        self._sql = SQLITE if self._sqlite else POSTGRESQL

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
        if not wanted:
            return {}
        with self._database.reading() as connection:
            return self._found(connection, wanted)

    def provide(self, wanted: Collection[Pair]) -> dict[Pair, bytes | None]:
        """The keys of these pairs, None where destroyed; what was absent is minted, and safely stored."""
        found = self.fetch(wanted)
        absent = sorted({pair for pair in wanted if pair not in found})
        if absent:
            with self._database.writing() as connection:
                self._run(connection, self._sql.share)
                minted = self._mint(connection, absent)
            found.update(minted)
        return found

    def destroy(self, streams: Collection[str], *, now: datetime) -> int:
        """Destroy every key of these streams, for good and whether known or not; how many keys there were.

        Told to be busy, the keys are destroyed, but their bytes may still lie in the files: destroy again.
        """
        named = sorted(set(streams))
        at = (now - _EPOCH) // timedelta(microseconds=1)
        with self._database.writing() as connection:
            self._run(connection, self._sql.exclude)
            connection.exec_driver_sql(self._sql.bury, self._bury_values(named, at))
            done = connection.exec_driver_sql(self._sql.destroy, (DESTROYED, self._list(named), DESTROYED))
            count = done.rowcount
        self._scrub()
        return count

    def rewrap(self) -> int:
        """Wrap everything under the newest master key; how many keys and secrets were not."""
        count = 0
        with self._database.writing() as connection:
            self._run(connection, self._sql.exclude)
            count += self._rewrap_secrets(connection)
            while rows := self._outdated(connection):
                self._rewrap_keys(connection, rows)
                count += len(rows)
        if count:
            self._scrub()
        return count

    def close(self) -> None:
        """Give back the connections."""
        self._database.close()

    def _found(self, connection: Connection, wanted: Collection[Pair]) -> dict[Pair, bytes | None]:
        named = list({stream for stream, _ in wanted})
        asked, found, unwrap = set(wanted), dict[Pair, bytes | None](), self._wraps.unwrap
        for stream, code, master, wrapped in connection.exec_driver_sql(self._sql.read, (self._list(named),)):
            pair = stream, code
            if pair in asked:
                found[pair] = None if master == DESTROYED else unwrap(master, wrapped, f"{stream}\0{code}")
        if absent := {pair for pair in asked if pair not in found}:
            named = list({stream for stream, _ in absent})
            dead = {row[0] for row in connection.exec_driver_sql(self._sql.dead, (self._list(named),))}
            found.update((pair, None) for pair in absent if pair[0] in dead)
        return found

    def _mint(self, connection: Connection, absent: list[Pair]) -> dict[Pair, bytes | None]:
        """Look again, now that nobody can destroy; store what is still absent; believe what is stored."""
        found = self._found(connection, absent)
        new = [pair for pair in absent if pair not in found]
        if not new:
            return found
        minted = self._wraps.mint(new, os.urandom(RANDOM * len(new)))
        rows = [row[:4] for row in minted]
        values: Any = rows if self._sqlite else tuple(map(list, zip(*rows, strict=True)))
        if connection.exec_driver_sql(self._sql.insert, values).rowcount == len(rows):
            found.update(((stream, code), key) for stream, code, _, _, key in minted)
            return found
        return found | self._found(connection, new)

    def _outdated(self, connection: Connection) -> list[Any]:
        old = KEYS.c.master.not_in([self._wraps.newest, DESTROYED])
        return list(connection.execute(sa.select(KEYS).where(old).order_by(KEYS.c.id).limit(_PAGE)))

    def _rewrap_keys(self, connection: Connection, rows: list[Any]) -> None:
        random = os.urandom(NONCE * len(rows))
        anew = []
        for at, (number, stream, code, master, wrapped) in enumerate(rows):
            bound = f"{stream}\0{code}"
            key = self._wraps.unwrap(master, wrapped, bound)
            nonce = random[at * NONCE : (at + 1) * NONCE]
            anew.append((number, self._wraps.wrap(key, nonce, bound)))
        newest = self._wraps.newest
        values: Any = [(newest, wrapped, number) for number, wrapped in anew]
        if not self._sqlite:
            values = (newest, [number for number, _ in anew], [wrapped for _, wrapped in anew])
        connection.exec_driver_sql(self._sql.rewrap, values)

    def _rewrap_secrets(self, connection: Connection) -> int:
        old = list(connection.execute(sa.select(SECRETS).where(SECRETS.c.master != self._wraps.newest)))
        for name, master, wrapped in old:
            key = self._wraps.unwrap(master, wrapped, f"secret {name}")
            anew = self._wraps.wrap(key, os.urandom(NONCE), f"secret {name}")
            connection.execute(
                sa.update(SECRETS)
                .where(SECRETS.c.name == name)
                .values(master=self._wraps.newest, wrapped=anew)
            )
        return len(old)

    def _scrub(self) -> None:
        """Leave nothing of what was overwritten in the files."""
        with self._database.alone() as connection:
            if not self._sqlite:
                connection.exec_driver_sql(f"VACUUM {KEYS.name}")
                return
            busy, *_ = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()
        if busy:
            raise KeysBusy(
                f"The key store {self.shown} is being read by another process, so bytes of destroyed keys may "
                "still lie in its files: try again."
            )

    def _list(self, values: list[str]) -> Any:
        return _texts(values).decode() if self._sqlite else values

    def _bury_values(self, named: list[str], at: int) -> tuple[Any, ...]:
        return (at, self._list(named)) if self._sqlite else (named, at)

    @staticmethod
    def _run(connection: Connection, statements: Iterable[str]) -> None:
        for statement in statements:
            connection.exec_driver_sql(statement)


def _create(database: Database, wraps: Wraps, patience: int) -> None:
    if database.path is None:
        with database.writing() as connection:
            KeyStore._run(connection, POSTGRESQL.exclude)
            _fill(connection, wraps)
        return
    if database.path.exists():
        return
    try:
        with appearing(database.path) as new:
            made = Database(f"sqlite:///{new}", patience=patience)
            try:
                with made.alone() as connection:
                    connection.exec_driver_sql("PRAGMA journal_mode = WAL")
                with made.writing() as connection:
                    _fill(connection, wraps)
            finally:
                made.close()
    except FileExistsError:
        return
    except OSError as error:
        raise KeysError(
            f"The key store {database.shown} cannot be made ({error.strerror}): check the folder."
        ) from error


def _fill(connection: Connection, wraps: Wraps) -> None:
    """Tables and secrets, where they are not there already."""
    METADATA.create_all(connection)
    if connection.execute(sa.select(META)).first() is None:
        connection.execute(sa.insert(META).values(name="version", value=tables.VERSION))
        for name in SECRET_NAMES:
            wrapped = wraps.wrap(secrets.token_bytes(SIZE), secrets.token_bytes(NONCE), f"secret {name}")
            connection.execute(sa.insert(SECRETS).values(name=name, master=wraps.newest, wrapped=wrapped))


def _secrets(database: Database, wraps: Wraps) -> dict[str, bytes]:
    """The store's secrets, once it is found to be one of ours."""
    if database.path is not None and not database.path.exists():
        raise KeysError(
            f"The key store {database.shown} is missing: put back the one that was made with the log."
        )
    with database.reading() as connection:
        if not sa.inspect(connection).has_table(META.name):
            raise KeysError(
                f"{database.shown} is no key store of Omniline: put back the one that was made with the log."
            )
        version = connection.execute(sa.select(META.c.value).where(META.c.name == "version")).scalar()
        if version != tables.VERSION:
            raise KeysError(
                f"The key store {database.shown} has tables of version {version}, this Omniline knows "
                f"{tables.VERSION}: update Omniline."
            )
        rows = list(connection.execute(sa.select(SECRETS)))
    return {name: wraps.unwrap(master, wrapped, f"secret {name}") for name, master, wrapped in rows}
