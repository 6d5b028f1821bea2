"""Where the views of the engine's tests lie, and that all they opened is closed."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.projections.homes import OPENED


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    while OPENED:
        OPENED.pop().close()


@pytest.fixture(params=["sqlite", "postgresql"])
def views_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of views yet to be made, once per store."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/views.db"
    return str(request.getfixturevalue("postgres_url"))
