"""The library's own conformance suites against our recorders, on both stores."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from eventsourcing.tests import persistence

from domain.log import open_log


class OnSQLite:
    """Recorders over a fresh log in a file."""

    @pytest.fixture(autouse=True)
    def _fresh_log(self, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[None]:
        log = open_log(self.address(tmp_path, request), keys=tmp_path / "keys.db", create=True)
        self.recorder = log.recorder
        self.number = 0
        yield
        log.close()

    def address(self, tmp_path: Path, request: pytest.FixtureRequest) -> str:  # noqa: ARG002
        """Where the log lies."""
        return f"sqlite:///{tmp_path}/log.db"

    def create_recorder(self) -> Any:
        return self.recorder

    def new_originator_id(self) -> str:
        self.number += 1
        return f"suite:{self.number}:{id(object())}"


class OnPostgres(OnSQLite):
    """Recorders over a fresh log in a database."""

    EXPECT_CONTIGUOUS_NOTIFICATION_IDS = False

    def address(self, tmp_path: Path, request: pytest.FixtureRequest) -> str:  # noqa: ARG002
        return str(request.getfixturevalue("postgres_url"))


class TestSQLiteApplicationRecorder(OnSQLite, persistence.ApplicationRecorderTestCase):  # type: ignore[type-arg]
    """Storing and selecting, many threads at once."""


class TestPostgresApplicationRecorder(OnPostgres, persistence.ApplicationRecorderTestCase):  # type: ignore[type-arg]
    """Storing and selecting, many threads at once."""

    def test_insert_subscribe(self) -> None:
        self.optional_test_insert_subscribe()


class TestSQLitePositions(OnSQLite, persistence.NonInterleavingNotificationIDsBaseCase):
    """Positions of two concurrent inserts do not interleave."""


class TestPostgresPositions(OnPostgres, persistence.NonInterleavingNotificationIDsBaseCase):
    """Positions of two concurrent inserts do not interleave."""
