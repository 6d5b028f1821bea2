"""Bulk reading: the same rows by position, by page, by topic and by stream, on both stores."""

import threading
from pathlib import Path

import psycopg
import pyarrow as pa
import pytest
from eventsourcing.persistence import StoredEvent

from domain.events import EVENTS
from domain.events.cases import CaseResolved
from domain.log import EVERY, Log, Pending, open_log
from domain.log.arrow import SCHEMA
from domain.log.records import microseconds
from tests.domain.log.making import LATER, NOW, append, mail


def resolved(number: int) -> Pending:
    """The end of a matter."""
    return Pending(
        event=CaseResolved(source="crm1", id=f"r{number}", subject=f"contact:{number}", occurred_at=NOW)
    )


def positions(table: pa.Table) -> list[int]:
    """The positions of a table's rows, once its columns are the promised ones."""
    assert table.schema == SCHEMA
    return [int(position) for position in table["position"].to_pylist()]


def test_a_row_bears_its_columns_and_the_rest_of_its_event_as_json(log: Log) -> None:
    append(log, mail(1, text='ąć "q" \n', known_at=LATER))
    assert log.arrow().to_pylist() == [
        {
            "position": 1,
            "originator_id": "contact:crm1:0",
            "topic": "contact.received",
            "event_id": "crm1|1|1",
            "occurred_at": microseconds(NOW) - 86_400_000_000 + 60_000_000,
            "known_at": microseconds(LATER),
            "recorded_at": microseconds(NOW),
            "state": '{"channel":"email","direction":"inbound"}',
        }
    ]
    for opened in (EVERY, ["contact.received"]):
        assert log.arrow(opened=opened)["state"].to_pylist() == [
            '{"channel":"email","direction":"inbound","text":"ąć \\"q\\" \\n"}'
        ]
    assert log.arrow(opened=["case.resolved"]) == log.arrow()


def test_an_empty_log_and_an_empty_range_have_the_same_columns(log: Log) -> None:
    assert positions(log.arrow()) == []
    assert list(log.batches()) == []
    append(log, mail(1))
    assert positions(log.arrow(after=1)) == []
    assert positions(log.arrow(after=7)) == []
    assert positions(log.arrow(upto=0)) == []
    assert positions(log.arrow_of([])) == []
    assert positions(log.arrow_of(["contact:crm1:77"])) == []


def test_a_range_excludes_where_it_starts_and_includes_where_it_ends(log: Log) -> None:
    append(log, *(mail(number) for number in range(6)))
    assert positions(log.arrow()) == [1, 2, 3, 4, 5, 6]
    assert positions(log.arrow(after=2)) == [3, 4, 5, 6]
    assert positions(log.arrow(upto=2)) == [1, 2]
    assert positions(log.arrow(after=2, upto=4)) == [3, 4]
    assert positions(log.arrow(upto=999)) == [1, 2, 3, 4, 5, 6]


def test_pages_follow_one_another_without_gap_or_overlap(log: Log) -> None:
    append(log, *(mail(number) for number in range(7)))
    assert [positions(page) for page in log.batches(size=3)] == [[1, 2, 3], [4, 5, 6], [7]]
    assert [positions(page) for page in log.batches(after=1, upto=5, size=3)] == [[2, 3, 4], [5]]


def test_topics_select_rows(log: Log) -> None:
    append(log, mail(1), resolved(1), mail(2), resolved(2))
    assert positions(log.arrow(topics=["case.resolved"])) == [2, 4]
    assert positions(log.arrow(after=2, topics=["case.resolved", "contact.received"])) == [3, 4]
    assert positions(log.arrow(topics=[])) == []
    assert positions(log.arrow(topics=["it's"])) == []


def test_streams_select_rows_whatever_their_number(log: Log) -> None:
    append(log, *(mail(number) for number in range(30)))
    assert positions(log.arrow_of(["contact:crm1:3", "contact:crm1:0", "contact:crm1:3"])) == [
        1,
        2,
        3,
        10,
        11,
        12,
    ]
    assert positions(log.arrow_of(["contact:crm1:3"], upto=11)) == [10, 11]
    many = [f"contact:crm1:{number}" for number in range(12_000, -1, -1)]
    assert positions(log.arrow_of(many)) == list(range(1, 31))
    assert positions(log.arrow_of(["contact:o'neil\\", *many[-2:]])) == [1, 2, 3, 4, 5, 6]


def test_long_texts_come_back_whole(log: Log) -> None:
    append(log, mail(1, text="ż" * 3_000_000), mail(2))
    assert [len(state) for state in log.arrow(opened=EVERY)["state"].to_pylist()] == [3_000_051, 57]


def test_a_row_of_an_older_class_is_upcast_and_one_of_a_newer_class_stays_and_says_so(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Second(EVENTS["contact.received"], frozen=True, kw_only=True):  # type: ignore[misc]
        class_version = 2

        @staticmethod
        def upcast_v1_v2(state: dict[str, object]) -> None:
            state["channel"] = f"{state['channel']}, upcast"

    append(log, mail(1), mail(9, channel=None), resolved(1))
    with monkeypatch.context() as newer:
        newer.setitem(EVENTS, "contact.received", Second)
        fields = {name: getattr(mail(2).event, name) for name in mail(2).event.__struct_fields__}
        append(log, Pending(event=Second(**fields)))
        assert log.arrow()["state"].to_pylist() == [
            '{"channel":"email, upcast","direction":"inbound"}',
            '{"class_version":1,"direction":"inbound"}',
            "{}",
            '{"channel":"email","direction":"inbound"}',
        ]
    assert log.arrow(opened=EVERY)["state"].to_pylist() == [
        '{"channel":"email","direction":"inbound","text":"mail 1"}',
        '{"direction":"inbound","text":"mail 9"}',
        "{}",
        '{"class_version":2,"channel":"email","direction":"inbound","text":"mail 2"}',
    ]


def test_a_row_of_an_unknown_topic_is_handed_out_as_it_is(log: Log) -> None:
    append(log, mail(1))
    log.recorder.insert_events([StoredEvent("x:crm1:1", 1, "x.forgotten", b'{"class_version":3,"a":1}')])
    log.recorder.insert_events([StoredEvent("x:crm1:1", 2, "x.forgotten", b"{}")])
    told = log.arrow(opened=EVERY).select(["topic", "state"]).to_pylist()
    assert [tuple(row.values()) for row in told] == [
        ("contact.received", '{"channel":"email","direction":"inbound","text":"mail 1"}'),
        ("x.forgotten", '{"class_version":3,"a":1}'),
        ("x.forgotten", "{}"),
    ]


def test_reading_and_writing_threads_share_one_log(log: Log) -> None:
    failures: list[BaseException] = []

    def reading() -> None:
        try:
            while (seen := log.arrow().num_rows) < 400:
                assert seen % 20 == 0
                log.arrow_of(["contact:crm1:1"])
        except BaseException as error:
            failures.append(error)

    readers = [threading.Thread(target=reading) for _ in range(2)]
    for reader in readers:
        reader.start()
    for start in range(0, 400, 20):
        append(log, *(mail(number) for number in range(start, start + 20)))
    for reader in readers:
        reader.join(timeout=60)
    assert failures == []
    assert positions(log.arrow()) == list(range(1, 401))


def test_a_log_may_be_closed_while_a_transaction_reads(log: Log) -> None:
    append(log, mail(1))
    with log.recorder.session() as session:
        log.close()
        assert session.tip().position == 1


def test_a_server_that_drops_a_kept_connection_is_asked_again(postgres_url: str, keys: Path) -> None:
    log = open_log(postgres_url, keys=keys, create=True)
    append(log, mail(1))
    assert positions(log.arrow()) == [1]
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid() AND query LIKE '%COPY (%'"
        )
    assert positions(log.arrow_of(["contact:crm1:0"])) == [1]
    log.close()


def test_a_state_that_is_no_text_is_replaced_and_the_others_are_read(log: Log) -> None:
    append(log, mail(0), mail(1), mail(2))
    with log.session(commit=True) as session:
        session.run("UPDATE stored_events SET state = ? WHERE event_id = 'crm1|1|1'", [b'{"case":"\xff"}'])
    for opened in (frozenset[str](), EVERY):
        states = log.arrow(opened=opened)["state"].to_pylist()
        assert [state.startswith('{"class_version":0') for state in states] == [False, True, False]
