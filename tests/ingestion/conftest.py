"""A fresh SQLite log for most tests of ingestion; what depends on the store asks for `log`, once per store."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from domain.log import Log, open_log


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Log]:
    """An empty log in a SQLite file."""
    opened = open_log(f"sqlite:///{tmp_path}/log.db", keys=tmp_path / "keys.db", create=True)
    yield opened
    opened.close()
