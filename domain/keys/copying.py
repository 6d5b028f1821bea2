"""A copy of a key store: one SQLite file, made from either database, put back into either; all in it stays wrapped."""

import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from domain.keys.database import Database
from domain.keys.errors import KeysError
from domain.keys.master import appearing
from domain.keys.store import KeyStore
from domain.keys.tables import META, METADATA

PAGE, PATIENCE = 10_000, 60
_SEQUENCE = """SELECT setval(pg_get_serial_sequence('stream_keys', 'id'),
    (SELECT coalesce(max(id), 0) + 1 FROM stream_keys), false)"""
_SIZE = "SELECT pg_total_relation_size(%s::regclass)"


def copy_keys(store: KeyStore, file: Path) -> None:
    """Copy a store in use, as it is at one instant, into a new file; no bytes of destroyed keys come along."""
    with _new(file) as new:
        if store._database.path is not None:
            with store._database.alone() as connection:
                connection.exec_driver_sql("VACUUM INTO ?", (str(new),))
            return
        with _snapshot(store._database) as source, closing(_file(new)) as copy, copy.writing() as target:
            METADATA.create_all(target)
            _rows(source, target)


def restore_keys(file: Path, where: str | Path) -> None:
    """Put a copied store where there is none."""
    with closing(Database(where, patience=PATIENCE)) as database:
        if database.path is None:
            with closing(_file(file)) as copy, copy.reading() as source, database.writing() as target:
                if sa.inspect(target).has_table(META.name):
                    raise KeysError(
                        f"There is a key store at {database.shown} already: keep it, or name another place."
                    )
                METADATA.create_all(target)
                _rows(source, target)
                target.exec_driver_sql(_SEQUENCE)
            return
        if journal := left_behind(database.path):
            raise KeysError(
                f"{journal} is left of a key store that was here, and SQLite would mix it in: move it away first."
            )
        with _new(database.path) as new:
            shutil.copyfile(file, new)
            with closing(_file(new)) as copy, copy.alone() as connection:
                connection.exec_driver_sql("PRAGMA journal_mode = WAL")


def left_behind(file: Path) -> Path | None:
    """The journal of a database that is gone; SQLite would play it into the next file of that name."""
    journals = (file.with_name(f"{file.name}{ending}") for ending in ("-wal", "-journal"))
    return None if file.exists() else next(filter(Path.exists, journals), None)


def size_of(store: KeyStore) -> int:
    """The bytes that a store takes."""
    path = store._database.path
    if path is None:
        with store._database.reading() as connection:
            sizes = [connection.exec_driver_sql(_SIZE, (name,)).scalar_one() for name in METADATA.tables]
            return sum(sizes)
    files = (path, path.with_name(f"{path.name}-wal"))
    return sum(file.stat().st_size for file in files if file.exists())


def _rows(source: Connection, target: Connection) -> None:
    for table in METADATA.sorted_tables:
        found = source.execution_options(yield_per=PAGE).execute(sa.select(table))
        for rows in found.mappings().partitions():
            target.execute(sa.insert(table), [dict(row) for row in rows])


@contextmanager
def _snapshot(database: Database) -> Iterator[Connection]:
    """A transaction in which every statement sees the same instant."""
    engine = database._engine.execution_options(isolation_level="REPEATABLE READ")
    with database.told(), engine.begin() as connection:
        yield connection


def _file(path: Path) -> Database:
    return Database(path, patience=PATIENCE)


@contextmanager
def _new(file: Path) -> Iterator[Path]:
    """A private file that appears once it is whole."""
    try:
        with appearing(file) as new:
            yield new
    except FileExistsError as error:
        raise KeysError(f"There is a key store at {file} already: keep it, or name another place.") from error
    except OSError as error:
        raise KeysError(
            f"The key store {file} cannot be made ({error.strerror}): check the folder."
        ) from error
