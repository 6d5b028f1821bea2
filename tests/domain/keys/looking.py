"""What lies in a key store, seen past its own code: rows, and bytes of files."""

from pathlib import Path
from typing import Any

import sqlalchemy as sa

DRIVERS = {"sqlite": "sqlite", "postgresql": "postgresql+psycopg"}


def statement(url: str, sql: str) -> list[tuple[Any, ...]]:
    """The rows that a statement returns, or nothing, on a connection of its own."""
    address = sa.make_url(url)
    engine = sa.create_engine(address.set(drivername=DRIVERS[address.get_backend_name()]))
    try:
        with engine.begin() as connection:
            done = connection.exec_driver_sql(sql)
            return [tuple(row) for row in done] if done.returns_rows else []
    finally:
        engine.dispose()


def wraps(url: str) -> dict[str, bytes]:
    """The wrapped keys by stream."""
    return {
        stream: bytes(wrapped)
        for stream, wrapped in statement(url, "SELECT stream, wrapped FROM stream_keys")
    }


def file_bytes(url: str) -> bytes:
    """Everything in the files of a SQLite store: database, log and shared memory."""
    path = Path(str(sa.make_url(url).database))
    files = [path.with_name(f"{path.name}{suffix}") for suffix in ("", "-wal", "-shm")]
    return b"".join(file.read_bytes() for file in files if file.exists())
