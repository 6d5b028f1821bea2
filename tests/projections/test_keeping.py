"""The keeper: views as soon as the log grows, checkpoints in time, and every trouble told once."""

import select
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from domain.home import Home, home_at
from domain.log.copies import read_copy
from domain.log.signing import public_file
from projections import keeping
from projections.keeping import Keeper, keeper_of
from tests.domain.log.making import append, mail

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
SECONDS = 20.0


def waited(until: Callable[[], bool], seconds: float = SECONDS) -> bool:
    """Whether something came true within a bounded time."""
    end = time.monotonic() + seconds
    while not until():
        if time.monotonic() > end:
            return False
        select.select([], [], [], 0.02)
    return True


class Clock:
    """An instant that moves when told."""

    now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def home(log_url: str, tmp_path: Path, clock: Clock) -> Home:
    """A home whose log lies in either store."""
    return home_at(tmp_path / "home", {"OMNILINE_LOG_URL": log_url}, clock)


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def keeper(home: Home, told: list[str]) -> Iterator[Keeper]:
    with home.log(create=True, server=True):
        pass
    with keeper_of(home, told.append) as made:
        yield made


def store(keeper: Keeper, first: int, end: int) -> None:
    append(keeper.engine.log, *(mail(number) for number in range(first, end)))


def sizes(keeper: Keeper) -> list[int]:
    return [note.checkpoint.size for note in read_copy(keeper.home.notary.copies[0]).notes]


def forge(keeper: Keeper, metadata: str) -> None:
    """Change the second event behind everybody's back."""
    statement = "UPDATE stored_events SET metadata = ? WHERE event_id = 'crm1|1|1'"
    with keeper.engine.log.session(commit=True) as session:
        session.run(statement, [metadata])


def test_new_events_wake_whoever_follows(
    keeper: Keeper, told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With an hour between two looks of its own, only the log can have woken it."""
    monkeypatch.setattr(keeping, "PATIENCE", 3600.0)
    with keeper.following():
        for end in (1, 2, 3):
            store(keeper, end - 1, end)
            assert waited(lambda end=end: keeper.engine.position() == end)
        monkeypatch.setattr(keeping, "PATIENCE", 0.1)
        store(keeper, 3, 4)
    assert told == []


def test_a_thousand_events_are_signed_at_once_and_the_rest_after_a_minute(
    keeper: Keeper, clock: Clock
) -> None:
    store(keeper, 0, 3)
    keeper.refresh()
    assert sizes(keeper) == [3]
    store(keeper, 3, 1503)
    clock.now += timedelta(seconds=59)
    keeper.refresh()
    assert sizes(keeper) == [3, 1003]
    clock.now += timedelta(seconds=60)
    keeper.refresh()
    assert sizes(keeper) == [3, 1003, 1503]


def test_a_log_that_was_altered_is_told_once_and_the_views_go_on(
    keeper: Keeper, clock: Clock, told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "RETRY", 0.0)
    monkeypatch.setattr(keeping, "PATIENCE", 0.05)
    store(keeper, 0, 3)
    keeper.refresh()
    forge(keeper, "{ }")
    clock.now += timedelta(minutes=1)
    with keeper.following():
        for end in (4, 5, 6):
            store(keeper, end - 1, end)
            assert waited(lambda end=end: keeper.engine.position() == end)
    assert told == [
        "The row at position 2 does not continue the log's chain: nothing is signed; verify the log."
    ]
    assert sizes(keeper) == [3]


def test_a_trouble_that_passed_is_told_again_when_it_comes_back(
    keeper: Keeper, clock: Clock, told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "RETRY", 0.0)
    (copy,) = keeper.home.notary.copies
    for number in range(4):
        store(keeper, number, number + 1)
        keeper.refresh()
        clock.now += timedelta(minutes=1)
        if number % 2:
            copy.with_name("kept.txt").rename(copy)
        else:
            copy.rename(copy.with_name("kept.txt"))
    assert [sentence.partition(",")[0] for sentence in told] == ["The log has checkpoints"] * 2
    assert sizes(keeper) == [1, 3]


def test_the_whole_log_is_verified_once_a_day(keeper: Keeper, clock: Clock, told: list[str]) -> None:
    store(keeper, 0, 3)
    keeper.refresh()
    keeper.verify()
    forge(keeper, "{ }")
    clock.now += timedelta(hours=23, minutes=59)
    keeper.verify()
    assert told == []
    for _ in range(2):
        clock.now += timedelta(days=1)
        keeper.verify()
    assert told == [
        "Positions 1 to 3 hold other content than was signed. Position 2 is the first that breaks the chain."
    ]
    forge(keeper, "{}")
    clock.now += timedelta(days=1)
    keeper.verify()
    last = keeper.home.notary.last()
    assert last is not None
    assert (last["ok"], last["at"]) == (True, clock.now.isoformat())


def test_a_host_without_the_public_key_verifies_nothing(keeper: Keeper, told: list[str]) -> None:
    public_file(keeper.home.notary.key).unlink()
    keeper.verify()
    assert (told, keeper.home.notary.last()) == ([], None)
