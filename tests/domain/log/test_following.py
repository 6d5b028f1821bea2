"""Following a log: every event once, whoever writes it and whenever, woken at once, and never held up."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from itertools import pairwise
from pathlib import Path

import psycopg
import pytest

from domain.log import Log, LogError, open_log
from domain.log.address import parse
from domain.log.follow import Follower, Listening
from tests.domain.log.making import append, mail
from tests.domain.log.processes import begun, ended
from tests.domain.log.serving import server

WRITERS, EACH, BATCH = 4, 10_000, 200
SELDOM = 30.0
"""Seconds between two looks: whoever returns sooner was woken."""
SOON = 5.0
_FOLLOWERS = (
    "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'omniline follower' AND query ~ %s"
)


class Following:
    """A thread that waits for a log to grow beyond a position, and how that went."""

    def __init__(self, wait: Callable[[], int]) -> None:
        self.head: int | None = None
        self.error: LogError | None = None
        self._wait = wait
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        try:
            self.head = self._wait()
        except LogError as error:
            self.error = error

    def ended(self, within: float) -> bool:
        """Whether it has come back so soon."""
        self._thread.join(within)
        return not self._thread.is_alive()


@pytest.fixture
def following() -> Iterator[Callable[[Callable[[], int]], Following]]:
    """Begins to wait; ends with the test."""
    begun: list[Following] = []

    def begin(wait: Callable[[], int]) -> Following:
        begun.append(Following(wait))
        return begun[-1]

    yield begin
    assert all(one.ended(2 * SELDOM) for one in begun)


def until(true: Callable[[], bool]) -> None:
    """Look again and again, a bounded time, whether something is true."""
    end = time.monotonic() + SELDOM
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


def followers(url: str, query: str = ".") -> int:
    """How many followers a server knows of, whose last statement is such."""
    with psycopg.connect(url) as connection:
        return int(connection.execute(_FOLLOWERS, [query]).fetchall()[0][0])


@contextmanager
def timed() -> Iterator[Callable[[], float]]:
    """How many seconds the block has taken so far."""
    start = time.monotonic()
    yield lambda: time.monotonic() - start


def read(log: Log, after: int, upto: int) -> list[tuple[int, str]]:
    """Positions and ids of a follower's pages."""
    return [
        row
        for page in log.batches(after=after, upto=upto)
        for row in zip(page["position"].to_pylist(), page["event_id"].to_pylist(), strict=True)
    ]


def follow(log: Log, count: int, seen: list[tuple[int, str]]) -> int:
    """Where a follower stands once it has seen so many events, from wait and pages alone."""
    at = 0
    while len(seen) < count:
        head = log.wait(at, timeout=SELDOM)
        assert head > at, f"nothing came after {at}, {len(seen)} of {count} seen"
        seen += read(log, at, head)
        at = head
    return at


def test_four_processes_write_and_a_follower_sees_every_event_once(
    log: Log, log_url: str, keys: Path
) -> None:
    writers = begun("pouring", log_url, keys, EACH, BATCH, *range(0, WRITERS * EACH, EACH))
    seen: list[tuple[int, str]] = []
    assert follow(log, WRITERS * EACH, seen) == log.head()
    assert ended(writers) == f"{EACH}\n" * WRITERS
    assert sorted(int(key.split("|")[1]) for _, key in seen) == list(range(WRITERS * EACH))
    assert all(one < next for (one, _), (next, _) in pairwise(seen))
    assert seen == read(log, 0, log.head())
    changes = sum(
        one // EACH != other // EACH for one, other in pairwise(int(key.split("|")[1]) for _, key in seen)
    )
    assert changes > WRITERS, "the writers wrote one after another: nothing was shown"


def test_who_is_behind_is_not_kept_waiting(log: Log) -> None:
    append(log, mail(1), mail(2))
    with timed() as seconds:
        assert [log.wait(after, timeout=SELDOM) for after in (0, 1)] == [2, 2]
        assert seconds() < SOON


@pytest.mark.parametrize("timeout", [0, 0.3, -1])
def test_a_wait_ends_when_its_time_is_up(log: Log, timeout: float) -> None:
    append(log, mail(1))
    for _ in range(2):
        with timed() as seconds:
            assert log.wait(1, timeout=timeout) == 1
            assert timeout <= seconds() < timeout + SOON


def test_a_file_is_looked_at_often(tmp_path: Path, keys: Path, following: Callable[..., Following]) -> None:
    url = f"sqlite:///{tmp_path}/log.db"
    log, other = open_log(url, keys=keys, create=True), open_log(url, keys=keys)
    waiting = following(lambda: log.wait(0, timeout=2 * SELDOM, poll=SELDOM))
    assert not waiting.ended(0.5)
    append(other, mail(1))
    assert waiting.ended(SOON)
    assert waiting.head == 1
    other.close()
    log.close()


class OnPostgres:
    """A log on a server, opened twice: by who follows and by who writes."""

    @pytest.fixture(autouse=True)
    def _opened(self, postgres_url: str, keys: Path) -> Iterator[None]:
        self.url = postgres_url
        self.log, self.writer = (
            open_log(postgres_url, keys=keys, create=True),
            open_log(postgres_url, keys=keys),
        )
        yield
        self.log.close()
        self.writer.close()
        until(lambda: followers(self.url) == 0)

    def at_rest(self, number: int = 1) -> None:
        """So many followers have looked, and rest."""
        until(lambda: followers(self.url, "max") == number)


class TestWaking(OnPostgres):
    """A commit ends a wait at once."""

    def test_a_commit_wakes_a_follower_that_looks_seldom(self, following: Callable[..., Following]) -> None:
        waiting = following(lambda: self.log.wait(0, timeout=2 * SELDOM, poll=SELDOM))
        self.at_rest()
        append(self.writer, mail(1))
        assert waiting.ended(SOON)
        assert waiting.head == 1

    def test_what_is_committed_right_after_a_look_wakes_too(
        self, following: Callable[..., Following]
    ) -> None:
        writer, due = self.writer, list[int]()

        class Overtaken(Listening):
            def look(self) -> int:
                found = super().look()
                append(writer, *(mail(due.pop()) for _ in due[:]))
                return found

        with closing(Follower(lambda within: Overtaken(parse(self.url).conninfo, within))) as follower:
            for number in (1, 2):
                due.append(number)
                before = number - 1
                waiting = following(lambda: follower.wait(before, timeout=2 * SELDOM, poll=SELDOM))  # noqa: B023
                assert waiting.ended(SOON)
                assert waiting.head == number

    def test_every_thread_that_waits_is_woken(self, following: Callable[..., Following]) -> None:
        waiting = [following(lambda: self.log.wait(0, timeout=2 * SELDOM, poll=SELDOM)) for _ in range(3)]
        self.at_rest(3)
        append(self.writer, mail(1))
        assert all(one.ended(SOON) for one in waiting)
        assert [one.head for one in waiting] == [1, 1, 1]

    def test_old_news_wake_nobody(self) -> None:
        looks: list[int] = []

        class Counted(Listening):
            def look(self) -> int:
                looks.append(super().look())
                return looks[-1]

        with closing(Follower(lambda within: Counted(parse(self.url).conninfo, within))) as follower:
            follower.wait(0, timeout=0)
            for number in range(5):
                append(self.writer, mail(number))
            assert follower.wait(0, timeout=0) == 5
            assert follower.wait(5, timeout=0.5, poll=SELDOM) == 5
        assert looks == [0, 5, 5, 5]

    def test_a_commit_that_tells_nobody_is_found_by_looking(
        self, following: Callable[..., Following]
    ) -> None:
        append(self.writer, mail(1))
        waiting = following(lambda: self.log.wait(1, timeout=SELDOM, poll=0.2))
        self.at_rest()
        with psycopg.connect(self.url) as connection:
            connection.execute("UPDATE stored_events SET notification_id = notification_id + 1")
        assert waiting.ended(SOON)
        assert waiting.head == 2

    def test_closing_while_somebody_waits_leaves_no_connection(
        self, following: Callable[..., Following]
    ) -> None:
        waiting = following(lambda: self.log.wait(0, timeout=0.5))
        self.at_rest()
        self.log.close()
        assert waiting.ended(SOON)
        until(lambda: followers(self.url) == 0)


class TestLosingTheServer(OnPostgres):
    """A connection that was cut is opened anew."""

    def cut(self) -> None:
        """End every follower's session from outside."""
        with psycopg.connect(self.url) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                " WHERE application_name = 'omniline follower'"
            )

    def test_a_wait_goes_on_when_its_connection_is_cut(self, following: Callable[..., Following]) -> None:
        waiting = following(lambda: self.log.wait(0, timeout=2 * SELDOM, poll=SELDOM))
        self.at_rest()
        self.cut()
        self.at_rest()
        append(self.writer, mail(1))
        assert waiting.ended(SOON)
        assert waiting.head == 1

    def test_a_connection_cut_between_two_waits_does_not_fail_the_next(self) -> None:
        assert self.log.wait(0, timeout=0) == 0
        self.cut()
        assert self.log.wait(0, timeout=0) == 0


def test_a_follower_outlives_a_restart_of_the_server(keys: Path, following: Callable[..., Following]) -> None:
    with server() as running:
        log = open_log(running.get_uri(), keys=keys, create=True)
        writer = open_log(running.get_uri(), keys=keys)
        append(writer, mail(1))
        seen: list[tuple[int, str]] = []
        waiting = following(lambda: follow(log, 2, seen))
        until(lambda: len(seen) == 1)
        running.stop()
        with pytest.raises(LogError, match="cannot be used") as failure, timed() as seconds:
            log.wait(1, timeout=0.5)
        assert seconds() < SOON
        assert "\n" not in str(failure.value)
        running.ensure_postgres_running()
        writer.close()
        writer = open_log(running.get_uri(), keys=keys)
        append(writer, mail(2))
        assert waiting.ended(SELDOM)
        assert waiting.error is None
        assert [key for _, key in seen] == ["crm1|1|1", "crm1|2|1"]
        writer.close()
        log.close()
