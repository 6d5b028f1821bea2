"""Which stored events count: known when, up to where, in which revision; and in what order they stand."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from domain.asof import AsOf
from domain.events.envelope import Event
from domain.log import Log, Pending, open_log
from projections.frames import decode, effective, with_case_key
from projections.trust import Trust
from tests.given import FAR, event, local, table

BELIEVED = Trust(known_at=frozenset({"shop"}))
NOW = AsOf(instant=FAR)


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    """A fresh log."""
    opened = open_log(f"sqlite:///{tmp_path}/log.db", keys=tmp_path / "keys.db", create=True)
    yield opened
    opened.close()


def mail(id: str, at: str, known: str | None, **fields: Any) -> Event:
    known_at = None if known is None else local(known)
    return event("ContactReceived", id, local(at), "contact:1", channel="email", known_at=known_at, **fields)


def recorded(log: Log, at: str, *events: Event) -> None:
    """Append at an instant of ours."""
    run = log.begin_run(source="given", adapter="test", now=local(at))
    log.append_batch([Pending(event=one) for one in events], run=run, now=local(at))


def admitted(log: Log, as_of: AsOf, trust: Trust = BELIEVED) -> list[tuple[str, datetime]]:
    """Which events count, and since when each was known."""
    found = effective(decode(log.arrow()), as_of, trust)
    return [(name, known) for name, known in table(found, "event_id", "known_at")]


def test_a_sources_own_recording_time_counts_where_it_is_trusted_and_ours_elsewhere(log: Log) -> None:
    told = [mail("1", "03-01 10:00", "03-01 12:00", source=source) for source in ("shop", "desk")]
    recorded(log, "03-05 09:00", *told, mail("2", "03-01 11:00", None))
    ours, theirs = local("03-05 09:00"), local("03-01 12:00")
    assert admitted(log, NOW) == [("desk|1|1", ours), ("shop|1|1", theirs), ("shop|2|1", ours)]
    assert admitted(log, NOW, Trust()) == [("desk|1|1", ours), ("shop|1|1", ours), ("shop|2|1", ours)]

    def then(moment: str, trust: Trust = BELIEVED) -> list[tuple[str, datetime]]:
        return admitted(log, AsOf(instant=local(moment), known=True), trust)

    assert then("03-01 11:59:59") == []
    assert then("03-01 12:00") == [("shop|1|1", theirs)]
    assert then("03-01 12:00", Trust()) == []
    assert then("03-05 08:59:59") == [("shop|1|1", theirs)]
    assert then("03-05 09:00") == admitted(log, NOW)


def test_the_highest_admitted_revision_of_a_record_counts_in_whatever_order_they_came(log: Log) -> None:
    known = {1: "03-01 10:00", 2: "03-02 10:00", 3: "03-03 10:00", 10: "03-04 10:00"}
    for revision in (2, 10, 1, 3):
        recorded(log, "03-05 09:00", mail("1", "03-01 10:00", known[revision], revision=revision))
    recorded(log, "03-05 09:00", mail("2", "03-01 11:00", "03-01 11:00"))
    other = ("shop|2|1", local("03-01 11:00"))
    assert admitted(log, NOW) == [("shop|1|10", local("03-04 10:00")), other]
    for moment, revision in (("03-02 09:59", 1), ("03-02 10:00", 2), ("03-03 12:00", 3), ("03-04 10:00", 10)):
        then = AsOf(instant=local(moment), known=True)
        assert admitted(log, then) == [(f"shop|1|{revision}", local(known[revision])), other]
    by_position = {upto: admitted(log, AsOf(instant=FAR, position=upto)) for upto in range(6)}
    highest = [("shop|1|10", local("03-04 10:00"))]
    assert by_position == {
        0: [],
        1: [("shop|1|2", local("03-02 10:00"))],
        **dict.fromkeys((2, 3, 4), highest),
        5: [*highest, other],
    }


def test_events_stand_by_when_they_happened_then_by_seq_then_by_id_and_without_a_seq_first(log: Log) -> None:
    recorded(
        log,
        "03-05 09:00",
        mail("a", "03-02 10:00", None, seq=2),
        mail("b", "03-02 10:00", None, seq=1),
        mail("d", "03-02 10:00", None),
        mail("c", "03-02 10:00", None),
        mail("e", "03-01 10:00", None, seq=9),
    )
    found = effective(decode(log.arrow()), NOW, BELIEVED)
    assert [name.split("|")[1] for name in found["event_id"]] == ["e", "c", "d", "b", "a"]


def test_a_case_key_is_the_newest_link_else_the_events_own_case_else_its_subject(log: Log) -> None:
    def link(id: str, at: str, case: str) -> Event:
        return event("CaseLinked", id, local(at), "contact:2", case=case)

    recorded(
        log,
        "03-05 09:00",
        mail("1", "03-01 10:00", None),
        mail("2", "03-01 11:00", None, case="A"),
        event("ContactReceived", "3", local("03-01 12:00"), "contact:2", channel="email", case="A"),
        link("4", "03-03 10:00", "C"),
        link("5", "03-02 10:00", "B"),
    )
    keyed = with_case_key(effective(decode(log.arrow()), NOW, BELIEVED))
    assert dict(keyed.select(pl.col("event_id").str.split("|").list.get(1), "case_key").iter_rows()) == {
        "1": "contact:shop:1",
        "2": "A",
        "3": "C",
        "4": "C",
        "5": "C",
    }
