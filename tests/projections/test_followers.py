"""Several processes follow one log into the same views: one wins each run, the others yield and go on later."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from domain.log import Log
from projections.views import Views
from tests.given import FAR, append
from tests.projections.homes import Home, bears, said

ROOT = Path(__file__).parents[2]
SECONDS = 120


@pytest.fixture
def made(log: Log, keys: Path, tmp_path: Path) -> Home:
    """A log on either store; on PostgreSQL the views lie beside it."""
    views = log.url if log.dialect == "postgresql" else f"sqlite:///{tmp_path}/views.db"
    return Home(folder=keys.parent, log=log, views=views)


@contextmanager
def followers(made: Home, *patience: int) -> Iterator[list[subprocess.Popen[str]]]:
    """Processes that follow, once each has looked for the first time; none is left behind."""
    words = [made.log.url, str(made.folder / "keys.db"), made.views]
    begun = [
        subprocess.Popen(
            [sys.executable, "-W", "error", "-m", "tests.projections.follower", *words, str(seconds)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for seconds in patience
    ]
    try:
        for process in begun:
            assert process.stdout is not None
            assert process.stdout.readline() in ("0\n", "yielded\n")
        yield begun
    finally:
        for process in begun:
            process.kill()
            process.communicate()


def ended(process: subprocess.Popen[str]) -> list[str]:
    """What it told, once its input has ended and it has left well."""
    out, errors = process.communicate(timeout=SECONDS)
    assert (process.returncode, errors) == (0, "")
    return out.split()


def test_followers_in_processes_bring_every_event_in_once_and_leave_the_views_of_one(made: Home) -> None:
    made.engine.catch_up(now=FAR)
    with followers(made, 0, 0, 60) as begun:
        for number in range(25):
            subject = f"shop:{number % 7}"
            contacts = [said("ContactReceived", subject, number + part / 10) for part in range(8)]
            append(made.log, [*contacts, bears(subject, "email", f"{number % 3}@example.com", number)])
        told = [word for process in begun for word in ended(process)]
    assert sum(int(word) for word in told if word != "yielded") == made.log.head()
    assert made.engine.position() == made.log.head()
    assert made.rows() == made.whole()
    assert {one.outcome for one in made.engine.rebuild(now=FAR)} == {"same"}


def test_one_that_yielded_goes_on_once_the_other_has_ended(made: Home) -> None:
    made.engine.catch_up(now=FAR)
    with followers(made, 0) as (process,), closing(Views(made.views, patience=60)) as other:
        assert process.stdout is not None
        with other.writing():
            append(made.log, [said("ContactReceived", "shop:mail", 1)])
            assert any(line == "yielded\n" for line in process.stdout)
            assert made.engine.position() == 0
        assert ended(process).count("1") == 1
    assert len(made.rows()) == 1
    assert made.rows() == made.whole()
