"""Opening a key store: made whole where there is none and we are told to, recognised where there is one."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from secrets import token_bytes

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from domain.keys.database import Database
from domain.keys.errors import KeysError, MasterExists
from domain.keys.master import SIZE, Master, appearing, create_master, read_master
from domain.keys.sealing import NONCE
from domain.keys.store import KeyStore
from domain.keys.tables import META, METADATA, POSTGRESQL, SECRETS, VERSION
from domain.keys.wrapping import Wraps

SECRET_NAMES = ("log", "pepper")


def open_keys(where: str | Path, *, master: Master, create: bool = False, patience: int = 60) -> KeyStore:
    """The key store at a URL or path, made with its secrets where there is none and `create` says so.

    `patience` bounds in seconds how long anyone waits for another process.
    """
    database = Database(where, patience=patience)
    wraps = Wraps(master, database.shown)
    try:
        if create:
            _create(database, lambda connection: _fill(connection, wraps))
        return KeyStore(database, wraps, _secrets(database, wraps))
    except BaseException:
        database.close()
        raise


def has_keys(where: str | Path) -> bool:
    """Whether there is a key store at a URL or path."""
    database = Database(where, patience=10)
    try:
        if database.path is not None:
            return database.path.exists()
        with database.reading() as connection:
            return sa.inspect(connection).has_table(META.name)
    finally:
        database.close()


def master_beside(file: Path, *, keys: str | Path, create: bool = False) -> Master:
    """The master key in `file`, made first where neither it nor a key store that needs it is there."""
    if file.exists():
        return read_master(file)
    if has_keys(keys) and not file.exists():
        raise KeysError(
            f"There is no master key at {file}, and only the one made with the key store opens it: put it back."
        )
    if create and not file.exists():
        with suppress(MasterExists):
            return create_master(file)
    return read_master(file)


def _create(database: Database, fill: Callable[[Connection], None]) -> None:
    if database.path is None:
        with database.writing() as connection:
            connection.exec_driver_sql(POSTGRESQL.alone)
            fill(connection)
    elif not database.path.exists():
        try:
            with appearing(database.path) as new:
                _make(Database(new, patience=1), fill)
        except FileExistsError:
            return
        except OSError as error:
            raise KeysError(
                f"The key store {database.shown} cannot be made ({error.strerror}): check the folder."
            ) from error


def _make(database: Database, fill: Callable[[Connection], None]) -> None:
    try:
        with database.alone() as connection:
            connection.exec_driver_sql("PRAGMA journal_mode = WAL")
        with database.writing() as connection:
            fill(connection)
    finally:
        database.close()


def _fill(connection: Connection, wraps: Wraps) -> None:
    """Tables and secrets, where they are not there already."""
    METADATA.create_all(connection)
    if connection.execute(sa.select(META)).first() is None:
        connection.execute(sa.insert(META).values(name="version", value=VERSION))
        for name in SECRET_NAMES:
            wrapped = wraps.wrap(token_bytes(SIZE), name, nonce=token_bytes(NONCE))
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
        if version != VERSION:
            raise KeysError(
                f"The key store {database.shown} has tables of version {version}, this Omniline knows "
                f"{VERSION}: update Omniline."
            )
        return wraps.unwrap(connection.execute(sa.select(SECRETS)).all())
