"""Where the fault runs of both stores take place."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.judging import Place
from tests.faults.server import Server


@pytest.fixture
def place(log_url: str, tmp_path: Path) -> Place:
    """A log yet to be made, once per store."""
    return Place(folder=tmp_path, log_url=log_url)


@pytest.fixture
def sqlite_place(tmp_path: Path) -> Place:
    """A log yet to be made, in a file."""
    return Place(folder=tmp_path, log_url=f"sqlite:///{tmp_path}/log.db")


@pytest.fixture(scope="session")
def server(postgres_server: str) -> Iterator[Server]:
    """A PostgreSQL that a test may restart, beside the common one."""
    assert postgres_server
    folder = Path(tempfile.mkdtemp(prefix="omni", dir="/tmp"))
    folder.chmod(0o755)
    begun = Server(folder / "data")
    try:
        yield begun
    finally:
        begun.stop()
        shutil.rmtree(folder, ignore_errors=True)
