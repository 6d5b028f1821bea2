"""A key store per database, under a master key in the test's folder."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from domain.keys import KeyStore, Master, create_master, open_keys


@pytest.fixture(params=["sqlite", "postgresql"])
def keys_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a key store yet to be made, once per database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/keys.db"
    return str(request.getfixturevalue("postgres_url"))


@pytest.fixture
def master_file(tmp_path: Path) -> Path:
    """Where the master key lies."""
    return tmp_path / "master.key"


@pytest.fixture
def master(master_file: Path) -> Master:
    """A master key in its file."""
    return create_master(master_file)


@pytest.fixture
def store(keys_url: str, master: Master) -> Iterator[KeyStore]:
    """A fresh key store, once per database."""
    opened = open_keys(keys_url, master=master, create=True, patience=5)
    yield opened
    opened.close()
