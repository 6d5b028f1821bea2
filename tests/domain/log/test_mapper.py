"""Events to rows and back: what is stored, what is refused, what is upcast."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import pytest
from eventsourcing.persistence import MapperDeserialisationError, StoredEvent

from domain.events import CLASSES, EVENTS
from domain.events.decisions import SourceDeclared
from domain.events.envelope import Event
from domain.events.identity import IdentifierAsserted
from domain.events.orders import Line, OrderPlaced
from domain.keys import Keys, KeyStore, create_master, open_keys
from domain.log import LogError
from domain.log.mapper import LogMapper, draft_of
from domain.log.records import LogEvent, instant, microseconds
from domain.log.sealed import fingerprint, mac_of, seal
from domain.log.shapes import shape_of
from domain.log.states import current_state, present
from tests.domain.log.making import NOW, mail

SECRET = b"k" * 32
KEYS = {("contact:crm1:0", 1): b"a" * 32, ("contact:crm1:0", 2): b"b" * 32}
ASSERTED = IdentifierAsserted(
    source="crm1", id="7", subject="contact:0", occurred_at=NOW, ns="email", value="jan@example.com",
    obtained="form", text="as told",
)  # fmt: skip


@pytest.fixture
def store(tmp_path: Path) -> Iterator[KeyStore]:
    opened = open_keys(tmp_path / "keys.db", master=create_master(tmp_path / "master.key"), create=True)
    yield opened
    opened.close()


@pytest.fixture
def mapper(store: KeyStore) -> LogMapper:
    return LogMapper(store)


def state_of(event: Event) -> bytes:
    """What an event without personal fields is stored as."""
    draft = draft_of(event, mac_of(SECRET))
    seal([draft], {})
    return draft.state


def hash_of(event: Event, keys: Keys = KEYS, secret: bytes = SECRET) -> bytes:
    """The fingerprint of an event under these keys."""
    draft = draft_of(event, mac_of(secret))
    fingerprint([draft], keys, secret)
    return draft.payload_hash


def test_the_row_of_an_event_holds_its_fields_once(mapper: LogMapper) -> None:
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
    stored = mapper.to_stored_event(order)
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
    assert mapper.to_domain_event(stored) == order


def test_what_is_personal_is_no_part_of_the_state_and_is_sealed_by_retention_class(
    mapper: LogMapper, store: KeyStore
) -> None:
    clear = b'{"ns":"email","obtained":"form"}'
    fragments = ((1, b'"value":"jan@example.com"'), (2, b'"text":"as told"'))
    assert shape_of(IdentifierAsserted).split(ASSERTED, draft_of(ASSERTED, mac_of(SECRET)).body) == (
        clear,
        fragments,
    )
    stored = mapper.to_stored_event(ASSERTED)
    assert stored.state == clear
    assert [stored.sealed[0], stored.sealed[5 + int.from_bytes(stored.sealed[1:5])]] == [1, 2]
    for plain in (b"jan@example.com", b"as told"):
        assert plain not in stored.sealed
    assert mapper.to_domain_event(stored) == ASSERTED
    assert mapper.to_stored_event(ASSERTED).sealed != stored.sealed
    assert mapper.to_stored_event(ASSERTED).payload_hash == stored.payload_hash
    store.destroy(["contact:crm1:0"], now=NOW)
    read = mapper.to_domain_event(stored)
    assert (read.ns, read.value, read.text, read.obtained) == ("email", "", None, "form")


def test_an_event_of_a_destroyed_contact_becomes_a_row_without_its_personal_fields(
    mapper: LogMapper, store: KeyStore
) -> None:
    store.destroy(["contact:crm1:0"], now=NOW)
    stored = mapper.to_stored_event(ASSERTED)
    assert (stored.state, stored.sealed) == (b'{"ns":"email","obtained":"form"}', b"")
    assert mapper.to_domain_event(stored).value == ""


def test_what_equals_its_default_is_left_out_and_a_required_field_never() -> None:
    empty = SourceDeclared(source="s", id="1", subject="source:s", occurred_at=NOW, digest="")
    assert state_of(empty) == b'{"digest":""}'
    full = SourceDeclared(
        source="s", id="1", subject="source:s", occurred_at=NOW, digest="d", trust={"b": 2, "a": 1}
    )
    assert state_of(full) == b'{"trust":{"a":1,"b":2},"digest":"d"}'


def test_fingerprints_depend_on_the_key_store_and_with_personal_fields_on_their_keys() -> None:
    event = mail(1).event
    assert len(hash_of(event)) == 16
    assert hash_of(event) != hash_of(event, secret=b"l" * 32)
    assert hash_of(event) != hash_of(event, {("contact:crm1:0", 2): b"c" * 32})
    assert hash_of(event) == hash_of(event, {("contact:crm1:0", 2): b"b" * 32})
    both = hash_of(ASSERTED)
    assert both != hash_of(ASSERTED, KEYS | {("contact:crm1:0", 1): b"c" * 32})
    assert both != hash_of(ASSERTED, KEYS | {("contact:crm1:0", 2): b"c" * 32})
    clear = mail(1, text=None).event
    assert hash_of(clear) == hash_of(clear, {}) == hash_of(event, {("contact:crm1:0", 2): None})


def test_the_topic_is_part_of_the_fingerprint() -> None:
    fields = {"source": "s", "id": "1", "subject": "case:1", "occurred_at": NOW}
    hashes = {
        hash_of(EVENTS[topic](**fields))
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
        draft_of(Stray(source="s", id="1", subject="order:1", occurred_at=NOW), mac_of(SECRET))


def test_every_class_has_an_upcaster_for_every_past_version() -> None:
    for event in CLASSES:
        for version in range(1, event.class_version):
            assert callable(getattr(event, f"upcast_v{version}_v{version + 1}"))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"topic": "contact.forgotten"}, "unknown to this version of Omniline"),
        ({"state": b'{"class_version":2,"text":"a"}'}, "version 2 is newer than 1"),
        ({"state": b'{"queue":'}, "malformed"),
        ({"state": b'{"queue":7}'}, "Expected `str \\| null`, got `int`"),
        ({"topic": "bot.answered"}, "do not open with their key"),
        ({"event_id": "crm1|2|1"}, "do not open with their key"),
        ({"event_id": "crm1|1|x"}, "invalid literal"),
    ],
)
def test_a_row_that_cannot_be_read_is_named_with_its_reason(
    mapper: LogMapper, change: dict[str, object], reason: str
) -> None:
    stored = mapper.to_stored_event(mail(1).event)
    broken = LogEvent(**vars(stored) | change)
    with pytest.raises(MapperDeserialisationError, match=reason) as failure:
        mapper.to_domain_event(broken)
    assert repr(broken.event_id) in str(failure.value)
    assert isinstance(broken, StoredEvent)


def test_upcasters_run_one_after_another(mapper: LogMapper, monkeypatch: pytest.MonkeyPatch) -> None:
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
    assert present("order.placed", '{"money":"pln"}') == '{"currency":"PLN"}'
    assert present("order.placed", '{"class_version":3,"currency":"pln"}') == '{"currency":"pln"}'
    assert present("order.placed", '{"class_version":3}') == "{}"
    third = Third(source="s", id="1", subject="order:1", occurred_at=NOW, currency="PLN")
    assert state_of(third) == b'{"class_version":3,"currency":"PLN"}'
    assert state_of(Third(source="s", id="1", subject="order:1", occurred_at=NOW)) == b'{"class_version":3}'
    assert mapper.to_domain_event(mapper.to_stored_event(third)) == third


@pytest.mark.parametrize(
    ("topic", "state", "left"),
    [
        ("order.placed", '{"class_version":2,"total":"1"}', '{"class_version":2,"total":"1"}'),
        ("order.placed", '{"class_version":22}', '{"class_version":22}'),
        ("order.forgotten", '{"total":"1"}', '{"class_version":1,"total":"1"}'),
        ("order.forgotten", "{}", '{"class_version":1}'),
        ("order.placed", '{"class_version":2,"tot', '{"class_version":2,"tot'),
    ],
)
def test_a_state_that_cannot_be_brought_to_the_present_stays_and_says_its_version(
    topic: str, state: str, left: str
) -> None:
    assert present(topic, state) == left
