"""Appending while others append, and while connections are lost: judged without the lock, decided under it."""

import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import monotonic
from typing import Any

import psycopg
import pytest

from domain.log import EVERY, Log, LogBusy, Outcome, Receipt, open_log
from domain.log.append import Batch
from domain.log.mapper import drafts_of
from tests.domain.log.cutting import Cut, Wire, wired
from tests.domain.log.making import NOW, append, columns, conflict, duplicate, mail, rows, stored
from tests.domain.log.test_quarantine import REFUSED

PATIENCE = 60.0


@pytest.fixture
def two(log_url: str, keys: Path) -> Iterator[tuple[Log, Log]]:
    """One log, opened twice."""
    first, second = open_log(log_url, keys=keys, create=True), open_log(log_url, keys=keys, patience=1)
    yield first, second
    second.close()
    first.close()


def test_what_is_here_already_needs_no_lock(two: tuple[Log, Log]) -> None:
    holder, log = two
    append(holder, mail(1), mail(2))
    with holder.session(commit=True):
        assert append(log, mail(2), mail(1)) == [duplicate("crm1|2|1", 2), duplicate("crm1|1|1", 1)]
        for batch in ([mail(3)], [mail(1, text="other")]):
            with pytest.raises(LogBusy):
                append(log, *batch)
        with pytest.raises(LogBusy):
            log.append_batch([mail(1)], run=1, now=NOW, refused=[REFUSED])
    assert (log.head(), log.quarantine_counts()) == (2, {})


def overtaken(holder: Log, log: Log, mine: list[Any], theirs: list[Any], changed: Any) -> list[Receipt]:
    """The receipts of `mine`, judged before `theirs` was committed and written after."""
    told: list[list[Receipt]] = []
    writer = threading.Thread(target=lambda: told.append(append(log, *mine, changed=changed)))
    batch = Batch(drafts_of(theirs, holder.keys.secret("log")), holder.keys, changed=changed)
    with holder.session(commit=True) as session:
        writer.start()
        until = monotonic() + PATIENCE
        while not holder.keys.fetch({("contact:crm1:judged", 2)}):
            assert monotonic() < until
        batch.judge(session, mint=True)
        batch.seal()
        batch.write(session, run=1, now=NOW)
    writer.join(PATIENCE)
    (receipts,) = told
    return receipts


def test_a_batch_that_was_overtaken_is_judged_again_and_sealed_for_what_it_became(
    log_url: str, keys: Path
) -> None:
    holder, log = open_log(log_url, keys=keys, create=True), open_log(log_url, keys=keys)
    marker = mail(9, subject="contact:judged")
    mine = [mail(1), mail(2, text="mine"), mail(3), mail(4, subject="contact:8"), marker]
    theirs = [mail(1), mail(2, text="theirs"), mail(4)]
    assert overtaken(holder, log, mine, theirs, "revise") == [
        duplicate("crm1|1|1", 1),
        stored("crm1|2|2", 4),
        stored("crm1|3|1", 5),
        conflict("crm1|4|1"),
        stored("crm1|9|1", 6),
    ]
    assert columns(log, "event_id") == [
        ("crm1|1|1",),
        ("crm1|2|1",),
        ("crm1|4|1",),
        ("crm1|2|2",),
        ("crm1|3|1",),
        ("crm1|9|1",),
    ]
    texts = [state.rpartition('"text":')[2] for state in log.arrow(opened=EVERY)["state"].to_pylist()]
    assert texts == ['"mail 1"}', '"theirs"}', '"mail 4"}', '"mine"}', '"mail 3"}', '"mail 9"}']
    assert rows(log, ["originator_version"]) == [(1,), (2,), (1,), (3,), (2,), (1,)]
    assert [(one.event_id, one.reason) for one in log.quarantined()] == [("crm1|4|1", "conflict")]
    log.close()
    holder.close()


def test_a_change_told_twice_in_an_overtaken_batch_is_stored_once(log_url: str, keys: Path) -> None:
    holder, log = open_log(log_url, keys=keys, create=True), open_log(log_url, keys=keys)
    append(holder, mail(1, text=None))
    mine = [mail(1, text="said"), mail(1, text="said"), mail(9, subject="contact:judged")]
    assert overtaken(holder, log, mine, [mail(4)], "revise") == [
        stored("crm1|1|2", 3),
        duplicate("crm1|1|1", 3),
        stored("crm1|9|1", 4),
    ]
    log.close()
    holder.close()


def test_a_change_in_an_overtaken_batch_is_the_revision_after_theirs(log_url: str, keys: Path) -> None:
    holder, log = open_log(log_url, keys=keys, create=True), open_log(log_url, keys=keys)
    append(holder, mail(1), mail(2))
    mine = [mail(1, text="mine"), mail(2, text="same"), mail(9, subject="contact:judged")]
    theirs = [mail(1, text="theirs"), mail(2, text="same")]
    assert overtaken(holder, log, mine, theirs, "revise") == [
        stored("crm1|1|3", 5),
        duplicate("crm1|2|1", 4),
        stored("crm1|9|1", 6),
    ]
    log.close()
    holder.close()


@pytest.mark.parametrize("revision", [1, 2])
@pytest.mark.parametrize("together", [True, False])
def test_a_revision_under_another_subject_is_a_conflict(log: Log, together: bool, revision: int) -> None:
    first = mail(1, revision=revision, text="a")
    moved = mail(1, revision=revision + (revision > 1), text="b", subject="contact:9")
    outcome: list[Outcome] = ["stored", "conflict", "stored"]
    batch = [first, moved, mail(5)]
    if together:
        assert [one.outcome for one in append(log, *batch, changed="revise")] == outcome
    else:
        append(log, first)
        assert [one.outcome for one in append(log, *batch[1:], changed="revise")] == outcome[1:]
    assert columns(log, "originator_id") == [("contact:crm1:0",), ("contact:crm1:1",)]
    assert [one.reason for one in log.quarantined()] == ["conflict"]


@pytest.fixture
def wire(postgres_url: str) -> Iterator[Wire]:
    """A wire to the test's database."""
    with (
        tempfile.TemporaryDirectory(prefix="omni", dir="/tmp") as folder,
        wired(Path(folder), postgres_url) as made,
    ):
        yield made


@pytest.mark.parametrize("cut", ["before", "after", "late"])
def test_a_batch_whose_commit_was_lost_on_the_way_is_stored_once_and_told_as_stored(
    wire: Wire, keys: Path, postgres_url: str, cut: Cut
) -> None:
    open_log(postgres_url, keys=keys, create=True).close()
    log = open_log(wire.url, keys=keys)
    append(log, mail(0))
    wire.cut = cut
    receipts = log.append_batch([mail(1), mail(2), mail(0)], run=1, now=NOW, refused=[REFUSED])
    first = receipts[0].position or 0
    assert receipts == [
        stored("crm1|1|1", first),
        stored("crm1|2|1", first + 1),
        duplicate("crm1|0|1", 1),
    ]
    assert wire.lost == 1
    assert columns(log, "event_id") == [("crm1|0|1",), ("crm1|1|1",), ("crm1|2|1",)]
    assert [one.count for one in log.quarantined()] == [1]
    log.close()


def test_connections_that_died_with_their_server_are_replaced(postgres_url: str, keys: Path) -> None:
    log = open_log(postgres_url, keys=keys, create=True)
    append(log, mail(1))
    with ThreadPoolExecutor(4) as readers:
        list(readers.map(lambda _: log.counts(), range(20)))
    for number in (2, 3):
        with psycopg.connect(postgres_url, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        assert [one.outcome for one in append(log, mail(number))] == ["stored"]
    assert log.counts() == {"crm1": 3}
    log.close()
