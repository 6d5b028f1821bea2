"""Beside the log of a test, a second place of either store: where something is put back, or moved to."""

import os
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest


@pytest.fixture
def other_postgres(postgres_server: str) -> Iterator[str]:
    """The address of one more fresh, empty PostgreSQL database."""
    name = f"omniline_{os.getpid()}_other"
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        yield postgres_server.replace("/postgres?", f"/{name}?")
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgresql"])
def other_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where nothing lies yet, once per store."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/other/log.db"
    return str(request.getfixturevalue("other_postgres"))
