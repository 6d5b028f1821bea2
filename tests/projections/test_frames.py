"""Timeline frames: what a stored event looks like as a row, and which events an as-of admits."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from domain.asof import AsOf
from domain.events import CLASSES
from domain.events.cases import CaseLinked, StateReported
from domain.events.contacts import ContactAnswered, ContactReceived
from domain.events.decisions import SourceDeclared
from domain.events.envelope import Event
from domain.events.followups import FollowUpPlanned
from domain.events.orders import Line, OrderPlaced
from domain.events.rollout import GoalSet
from domain.log import EVERY, Log, open_log
from projections.annotations import INSTANT
from projections.frames import TIMELINE, decode, effective, of, with_case_key
from projections.trust import Trust
from tests.given import append

AT = datetime(2026, 3, 1, 9, 0, 0, 123456, tzinfo=UTC)
NOW = datetime(2026, 4, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
FACTS = AsOf(instant=NOW)


@pytest.fixture
def log(tmp_path: Path) -> Log:
    """An empty log."""
    return open_log(f"sqlite:///{tmp_path}/log.db", keys=tmp_path / "keys.db", create=True)


def received(id: str, at: datetime = AT, subject: str = "contact:1", **fields: Any) -> Event:
    """A mail."""
    return ContactReceived(source="shop", id=id, subject=subject, occurred_at=at, **fields)


def frame(log: Log, *events: Event) -> pl.DataFrame:
    """The events, stored and decoded."""
    append(log, events, NOW)
    return decode(log.arrow(opened=EVERY))


def test_an_event_is_a_row_of_its_envelope_in_typed_columns(log: Log) -> None:
    full = received(
        "88|120", known_at=AT + MINUTE, revision=2, seq=3, precision="minute", actor_kind="customer", actor="c1",
        channel="email", direction="inbound", case="A", thread="t", order="o", offer="f", topic="returns",
        text='Zażółć\n"gęślą" \\ jaźń \U0001f600',
    )  # fmt: skip
    found = frame(log, full, received("2"))
    assert found.schema == TIMELINE
    assert found.drop("state").rows() == [
        (
            1, "shop|88|120|2", "shop|88|120", 2, "shop", "contact:shop:1", "contact.received", AT, AT + MINUTE, NOW,
            3, "minute", "customer", "c1", "email", "inbound", "A", "t", "o", "f", "returns",
            'Zażółć\n"gęślą" \\ jaźń \U0001f600',
        ),
        (
            2, "shop|2|1", "shop|2", 1, "shop", "contact:shop:1", "contact.received", AT, NOW, NOW,
            None, "second", *[None] * 10,
        ),
    ]  # fmt: skip


def test_an_empty_log_decodes_to_the_same_columns(log: Log) -> None:
    found = frame(log)
    assert found.schema == TIMELINE
    for event in CLASSES:
        assert of(found, event).is_empty()


def test_the_character_zero_is_shown_as_unreadable_and_an_escaped_one_is_kept(log: Log) -> None:
    found = frame(log, received("1", text="a\0b"), received("2", text="a\\u0000b"))
    assert found["text"].to_list() == ["a\ufffdb", "a\\u0000b"]


def test_the_own_fields_of_a_class_are_typed_and_have_its_defaults(log: Log) -> None:
    common: dict[str, Any] = {"source": "shop", "subject": "order:1", "occurred_at": AT}
    lines = (Line(sku="a", price=Decimal("3.50")), Line(sku="b", quantity=Decimal(2)))
    found = frame(
        log,
        OrderPlaced(id="1", lines=lines, total=Decimal("7.10"), place="web", **common),
        OrderPlaced(id="2", **common),
        ContactAnswered(id="3", **common),
        StateReported(id="4", state="open", source_verdict=True, group="G", **common),
        FollowUpPlanned(id="5", follow_up="f", due_at=AT, **common),
        GoalSet(id="6", goal="g", kpi="k", target=1, due_on=date(2026, 5, 1), **common),
        SourceDeclared(id="7", trust={"email.login": 2}, digest="d", **common),
    )
    assert of(found, OrderPlaced).select("lines", "total", "currency", "place").rows() == [
        (
            [
                {"sku": "a", "category": None, "quantity": None, "price": 3.5, "discount": None},
                {"sku": "b", "category": None, "quantity": 2.0, "price": None, "discount": None},
            ],
            7.1,
            None,
            "web",
        ),
        ([], None, None, None),
    ]
    assert of(found, ContactAnswered).select("substantive", "public", "reaction", "queue").rows() == [
        (True, True, False, None)
    ]
    assert of(found, StateReported).select("state", "source_verdict", "group").rows() == [("open", True, "G")]
    planned = of(found, FollowUpPlanned)
    assert planned.schema["due_at"] == INSTANT
    assert planned["due_at"].to_list() == [AT]
    assert of(found, GoalSet).select("target", "due_on", "primary").rows() == [(1.0, date(2026, 5, 1), False)]
    assert of(found, SourceDeclared)["trust"].to_list() == ['{"email.login": 2}']


def test_every_class_has_all_its_fields_as_columns(log: Log) -> None:
    found = frame(log)
    for event in CLASSES:
        own = [name for name in event.__annotations__ if name not in ("TOPIC", "class_version")]
        assert set(own) <= set(of(found, event).columns)


def test_the_sources_recording_time_counts_only_where_it_is_trusted(log: Log) -> None:
    found = frame(log, received("1", known_at=AT + MINUTE), received("2"))
    assert effective(found, FACTS, Trust())["known_at"].to_list() == [NOW, NOW]
    trusted = effective(found, FACTS, Trust(known_at=frozenset({"shop"})))
    assert trusted["known_at"].to_list() == [AT + MINUTE, NOW]


@pytest.mark.parametrize(
    ("as_of", "admitted"),
    [
        (AsOf(instant=AT), ["1", "2", "3"]),
        (AsOf(instant=AT + MINUTE, known=True), ["1"]),
        (AsOf(instant=AT + 2 * MINUTE - timedelta(microseconds=1), known=True), ["1"]),
        (AsOf(instant=AT + 2 * MINUTE, known=True), ["1", "2"]),
        (AsOf(instant=NOW, position=2), ["1", "2"]),
        (AsOf(instant=AT + MINUTE, position=2, known=True), ["1"]),
        (AsOf(instant=NOW, position=0), []),
    ],
)
def test_an_as_of_admits_what_was_known_by_its_instant_or_stored_by_its_position(
    log: Log, as_of: AsOf, admitted: list[str]
) -> None:
    found = frame(
        log,
        received("1", known_at=AT + MINUTE),
        received("2", known_at=AT + 2 * MINUTE),
        received("3", known_at=AT + 3 * MINUTE),
    )
    rows = effective(found, as_of, Trust(known_at=frozenset({"shop"})))
    assert rows["record"].str.strip_prefix("shop|").to_list() == admitted


def test_the_highest_revision_counts_not_the_latest_arrival_and_none_that_is_not_admitted(log: Log) -> None:
    found = frame(
        log,
        received("1", revision=10, channel="ten"),
        received("1", revision=9, channel="nine", known_at=AT),
        received("2", channel="other"),
    )
    assert effective(found, FACTS, Trust())["channel"].to_list() == ["ten", "other"]
    before = effective(found, AsOf(instant=AT, known=True), Trust(known_at=frozenset({"shop"})))
    assert before["channel"].to_list() == ["nine"]


def test_events_are_in_order_of_time_then_sequence_then_id_as_text(log: Log) -> None:
    found = frame(
        log,
        received("9", seq=2),
        received("10", seq=2),
        received("z"),
        received("b", seq=1),
        received("a", AT + MINUTE),
        received("late", AT - MINUTE),
    )
    order = effective(found, FACTS, Trust())["record"].str.strip_prefix("shop|").to_list()
    assert order == ["late", "z", "b", "10", "9", "a"]


def test_a_case_is_the_newest_linked_else_the_events_own_else_its_subject(log: Log) -> None:
    def linked(id: str, at: datetime, case: str | None) -> Event:
        return CaseLinked(source="shop", id=id, subject="contact:1", occurred_at=at, case=case)

    found = frame(
        log,
        linked("l2", AT + 2 * MINUTE, "new"),
        linked("l1", AT + MINUTE, "old"),
        linked("l3", AT + 3 * MINUTE, None),
        received("1", case="own"),
        received("2", subject="contact:2", case="own"),
        received("3", subject="contact:3"),
    )
    keyed = with_case_key(effective(found, FACTS, Trust()))
    assert dict(keyed.select("record", "case_key").iter_rows()) == {
        "shop|l1": "new",
        "shop|l2": "new",
        "shop|l3": "new",
        "shop|1": "new",
        "shop|2": "own",
        "shop|3": "contact:shop:3",
    }
