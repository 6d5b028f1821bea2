"""Tamper evidence: the leaf covers every column, the chain covers every row, both stores compute the same."""

from hashlib import sha256
from pathlib import Path

import pytest

from domain.log import Log, open_log
from domain.log.chain import COLUMNS, START, leaf, link
from tests.domain.log.making import append, mail, rows

ROW = (7, "contact:crm1:1", 2, "contact.received", b"{}", b"s", "crm1|1|1", 10, 20, 30, 4, b"h" * 16, "{}")


def test_the_leaf_is_the_digest_of_numbers_lengths_and_bytes_in_this_order() -> None:
    numbers = b"".join(number.to_bytes(8, "big") for number in (7, 2, 10, 20, 30, 4))
    texts = (b"contact:crm1:1", b"contact.received", b"{}", b"s", b"crm1|1|1", b"h" * 16, b"{}")
    lengths = b"".join(len(text).to_bytes(4, "big") for text in texts)
    assert leaf(ROW) == sha256(b"\0" + numbers + lengths + b"".join(texts)).digest()
    assert link(START, leaf(ROW)) == sha256(b"\1" + bytes(32) + leaf(ROW)).digest()


@pytest.mark.parametrize("column", range(len(COLUMNS)))
def test_a_change_of_any_column_changes_the_leaf(column: int) -> None:
    value = ROW[column]
    other = value + 1 if isinstance(value, int) else value + value[:1]  # type: ignore[operator]
    assert leaf((*ROW[:column], other, *ROW[column + 1 :])) != leaf(ROW)


def test_what_moves_from_one_column_to_the_next_changes_the_leaf() -> None:
    assert leaf((*ROW[:3], "contact.receive", b"d{}", *ROW[5:])) != leaf(ROW)
    assert leaf((*ROW[:4], b"{", b"}s", *ROW[6:])) != leaf(ROW)


def test_digests_are_the_leaves_of_what_is_stored(log: Log) -> None:
    append(log, mail(1), mail(2), mail(3))
    position = "rowid" if log.dialect == "sqlite" else "notification_id"
    leaves = {row[0]: leaf(tuple(row)).hex() for row in rows(log, [position, *COLUMNS[1:]])}
    assert log.digests([3, 1, 99]) == {1: leaves[1], 3: leaves[3]}
    assert log.digests([]) == {}


def test_the_chain_runs_through_batches_and_through_the_librarys_own_inserts(log: Log) -> None:
    from eventsourcing.persistence import StoredEvent

    append(log, mail(1), mail(2))
    log.recorder.insert_events([StoredEvent("goal:frt", 1, "goal.set", b"{}")])
    append(log, mail(3))
    position = "rowid" if log.dialect == "sqlite" else "notification_id"
    chain = START
    for *row, value in rows(log, [position, *COLUMNS[1:], "chain"]):
        chain = link(chain, leaf(tuple(row)))
        assert chain == value
    assert [key for (key,) in rows(log, ["event_id"])] == ["crm1|1|1", "crm1|2|1", "goal:frt|1", "crm1|3|1"]


def test_both_stores_give_the_same_digests_under_the_same_keys(
    tmp_path: Path, keys: Path, postgres_url: str
) -> None:
    digests = []
    for url in (f"sqlite:///{tmp_path}/log.db", postgres_url):
        log = open_log(url, keys=keys, create=True)
        append(log, mail(1, text=None), mail(2, text=None, actor="ż"))
        append(log, mail(1, text=None), mail(2, text=None, actor="z"), changed="revise")
        digests.append(log.digests([1, 2, 3]))
        log.close()
    assert digests[0] == digests[1]
    assert len(digests[0]) == 3
