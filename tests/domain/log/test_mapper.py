"""Events to rows and back: what is stored, what is refused, what is upcast."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from eventsourcing.persistence import MapperDeserialisationError, StoredEvent

from domain.events import CLASSES, EVENTS
from domain.events.decisions import SourceDeclared
from domain.events.orders import Line, OrderPlaced
from domain.log import LogError
from domain.log.mapper import LogMapper, current_state, upcast
from domain.log.records import LogEvent, instant, microseconds
from tests.domain.log.making import NOW, mail

MAPPER = LogMapper(b"k" * 32)


def test_the_row_of_an_event_holds_its_fields_once() -> None:
    order = OrderPlaced(
        source="shop",
        id="5",
        revision=3,
        subject="order:5",
        occurred_at=datetime(2026, 3, 2, 13, 0, 0, 7, tzinfo=timezone(timedelta(hours=1))),
        known_at=NOW,
        lines=(Line(sku="A", quantity=Decimal("2"), price=Decimal("19.90")), Line(sku="B")),
        total=Decimal("39.80"),
    )
    stored = MAPPER.to_stored_event(order)
    assert stored == LogEvent(
        originator_id="order:shop:5",
        originator_version=0,
        topic="order.placed",
        state=b'{"lines":[{"sku":"A","quantity":"2","price":"19.90"},{"sku":"B"}],"total":"39.80"}',
        event_id="shop|5|3",
        occurred_at=1_772_452_800_000_007,
        known_at=1_772_452_800_000_000,
        payload_hash=stored.payload_hash,
    )
    assert MAPPER.to_domain_event(stored) == order


def test_what_equals_its_default_is_left_out_and_a_required_field_never() -> None:
    empty = SourceDeclared(source="s", id="1", subject="source:s", occurred_at=NOW, digest="")
    assert MAPPER.to_stored_event(empty).state == b'{"digest":""}'
    full = SourceDeclared(
        source="s", id="1", subject="source:s", occurred_at=NOW, digest="d", trust={"b": 2, "a": 1}
    )
    assert MAPPER.to_stored_event(full).state == b'{"trust":{"a":1,"b":2},"digest":"d"}'


def test_fingerprints_depend_on_the_key_store() -> None:
    event = mail(1).event
    assert MAPPER.draft(event).payload_hash == LogMapper(b"k" * 32).draft(event).payload_hash
    assert MAPPER.draft(event).payload_hash != LogMapper(b"l" * 32).draft(event).payload_hash
    assert len(MAPPER.draft(event).payload_hash) == 16


def test_the_topic_is_part_of_the_fingerprint() -> None:
    fields = {"source": "s", "id": "1", "subject": "case:1", "occurred_at": NOW}
    hashes = {
        MAPPER.draft(EVENTS[topic](**fields)).payload_hash
        for topic in ("case.resolved", "case.reopened", "case.linked", "bot.answered")
    }
    assert len(hashes) == 4


def test_instants_survive_to_the_microsecond() -> None:
    for at in (
        datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
        datetime.max.replace(tzinfo=UTC),
        NOW,
    ):
        assert instant(microseconds(at)) == at


def test_a_class_outside_the_catalogue_is_refused() -> None:
    class Stray(OrderPlaced, frozen=True, kw_only=True):
        """Bears a topic that is another's."""

    with pytest.raises(LogError, match="Stray is not in the event catalogue"):
        MAPPER.draft(Stray(source="s", id="1", subject="order:1", occurred_at=NOW))


def test_every_class_has_an_upcaster_for_every_past_version() -> None:
    for event in CLASSES:
        for version in range(1, event.class_version):
            assert callable(getattr(event, f"upcast_v{version}_v{version + 1}"))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"topic": "contact.forgotten"}, "unknown to this version of Omniline"),
        ({"state": b'{"class_version":2,"text":"a"}'}, "version 2 is newer than 1"),
        ({"state": b'{"text":'}, "truncated"),
        ({"state": b'{"text":7}'}, "Expected `str \\| null`, got `int`"),
        ({"event_id": "crm1|1|x"}, "invalid literal"),
    ],
)
def test_a_row_that_cannot_be_read_is_named_with_its_reason(change: dict[str, object], reason: str) -> None:
    stored = MAPPER.to_stored_event(mail(1).event)
    broken = LogEvent(**vars(stored) | change)
    with pytest.raises(MapperDeserialisationError, match=reason) as failure:
        MAPPER.to_domain_event(broken)
    assert repr(broken.event_id) in str(failure.value)
    assert isinstance(broken, StoredEvent)


def test_upcasters_run_one_after_another(monkeypatch: pytest.MonkeyPatch) -> None:
    class Third(OrderPlaced, frozen=True, kw_only=True):
        class_version = 3

        @staticmethod
        def upcast_v1_v2(state: dict[str, object]) -> None:
            state["currency"] = state.pop("money")

        @staticmethod
        def upcast_v2_v3(state: dict[str, object]) -> None:
            state["currency"] = str(state["currency"]).upper()

    monkeypatch.setitem(EVENTS, "order.placed", Third)
    assert current_state("order.placed", b'{"money":"pln"}') == {"currency": "PLN"}
    assert current_state("order.placed", b'{"class_version":2,"currency":"pln"}') == {"currency": "PLN"}
    assert upcast("order.placed", '{"class_version":3,"currency":"pln"}') == '{"currency":"pln"}'
    third = Third(source="s", id="1", subject="order:1", occurred_at=NOW, currency="PLN")
    assert MAPPER.draft(third).state == b'{"class_version":3,"currency":"PLN"}'
    assert MAPPER.to_domain_event(MAPPER.to_stored_event(third)) == third
