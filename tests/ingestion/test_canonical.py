"""Canonical records: one object is one event, as the catalogue describes it; anything else is refused."""

from pathlib import Path

import msgspec
import pytest

from domain.events import CLASSES
from domain.events.envelope import Event
from domain.log import Log
from ingestion.mapping_events import DECISIONS
from tests.ingestion.taking import canonical, counted, ids, jsonl, refusals, stored, taken


def test_the_example_of_the_catalogue_becomes_its_event_and_its_assertion(log: Log, tmp_path: Path) -> None:
    record = {
        "type": "ContactReceived", "source": "shop", "id": "88120-3", "revision": 1, "subject": "contact:88120",
        "occurred_at": "2026-03-01T09:00:00+01:00", "precision": "second", "seq": None, "known_at": None,
        "actor": {"kind": "customer", "id": None}, "channel": "chat", "direction": "inbound",
        "identifiers": [{"ns": "email", "value": "anna@example.com", "obtained": "login"}], "case": None,
        "thread": "t-1", "order": None, "offer": None, "topic": "returns", "text": "…",
        "data": {"language": "pl", "attachments": 2},
    }  # fmt: skip
    balance = taken(log, tmp_path, jsonl(record), mapping=None, name="in.jsonl", source="shop")
    assert counted(balance) == {"read": 1, "stored": 1}
    assert balance.events == {"ContactReceived": 1, "IdentifierAsserted": 1}
    received, asserted = stored(log)
    for event in (received, asserted):
        del event["known_at"]
    assert received == {
        "event_id": "shop|88120-3|1",
        "originator_id": "contact:shop:88120",
        "topic": "returns",
        "occurred_at": "2026-03-01T08:00:00+00:00",
        "actor_kind": "customer",
        "channel": "chat",
        "direction": "inbound",
        "thread": "t-1",
        "text": "…",
        "language": "pl",
        "attachments": 2,
    } | {"topic": "contact.received"}
    surrogate = log.surrogate("email", "contact:88120 email:anna@example.com")
    assert asserted["event_id"] == f"shop|contact:88120/email/{surrogate}|1"
    assert (asserted["ns"], asserted["value"], asserted["obtained"]) == ("email", "anna@example.com", "login")
    assert taken(log, tmp_path, jsonl(record), mapping=None, name="in.jsonl", source="shop").duplicate == 1


BAD = [
    ("an unknown key", canonical("9", colour="red"), "unknown_key", 'object contains unknown field "colour"'),
    ("an unknown key in data", canonical("9", data={"lenght": 1}), "unknown_key", "data: object contains unknown"),
    ("an unknown key in actor", canonical("9", actor={"name": "x"}), "unknown_key", "unknown field"),
    ("an unknown event", canonical("9", type="ContactRecieved"), "unknown_value", "which is no event"),
    ("a decision", canonical("9", type="PolicyAdopted"), "unknown_value", "which no source may write"),
    ("a declaration of trust", canonical("9", type="SourceDeclared"), "unknown_value", "which no source may write"),
    ("an unknown channel", canonical("9", channel="pigeon"), "unknown_value", 'channel is "pigeon"'),
    ("an unknown direction", canonical("9", direction="up"), "malformed", "invalid enum value"),
    ("no id", {key: value for key, value in canonical("9").items() if key != "id"}, "missing_id", "id is missing"),
    ("an empty id", canonical(" "), "missing_id", "id is missing"),
    ("a placeholder as id", canonical("<MESSAGE_ID>"), "placeholder_id", "<MESSAGE_ID>"),
    ("no subject", canonical("9", subject=None), "missing_id", "subject is missing"),
    ("a subject without a kind", canonical("9", subject="88120"), "missing_id", "contact:88120"),
    ("no time", canonical("9", occurred_at=None), "missing_time", "occurred_at is missing"),
    ("an impossible date", canonical("9", "2026-02-30T10:00:00Z"), "bad_time", "2026-02-30T10:00:00Z"),
    ("a time without a zone", canonical("9", "2026-02-20T10:00:00"), "bad_time", "which has no zone"),
    ("a time in the future", canonical("9", "2026-03-02T12:05:01Z"), "clock_skew", "5 minutes"),
    ("recorded in the future", canonical("9", known_at="2027-01-01T00:00:00Z"), "clock_skew", "known_at"),
    ("a number as id", canonical("9") | {"id": 9}, "malformed", "expected"),
    ("revision 0", canonical("9", revision=0), "unknown_value", "counted from 1"),
    ("a source that is no name", canonical("9", source="My Shop"), "unknown_value", 'source is "My Shop"'),
    (
        "a namespace that is none",
        canonical("9", identifiers=[{"ns": "E-Mail", "value": "a@b.pl", "obtained": "login"}]),
        "unknown_namespace",
        "E-Mail",
    ),
    (
        "an offer that ends before it starts",
        canonical(
            "9", type="OfferPresented", data={"valid_from": "2026-03-02T00:00:00Z", "valid_to": "2026-03-01T00:00:00Z"}
        ),
        "ends_before_start",
        "valid_to is before valid_from",
    ),
    ("an id that fits no index", canonical("9" * 501), "too_large", "id is longer than 500 bytes"),
    ("a number that fits no column", canonical("9", data={"length": 2**63}), "bad_number", "data: length is 9223372"),
    ("a place in order beyond all numbers", canonical("9", seq=-(2**63) - 1), "bad_number", "seq is"),
    ("an amount that is none", canonical("9", type="OrderPlaced", data={"total": "NaN"}), "bad_number", "total is NaN"),
    (
        "a price that is none",
        canonical("9", type="OrderPlaced", data={"lines": [{"price": "1e999"}]}),
        "bad_number",
        "price is 1E+999",
    ),
    (
        "a time before all time",
        canonical("9", type="FollowUpPlanned", data={"follow_up": "f", "due_at": "0001-01-01T00:00:00+10:00"}),
        "bad_time",
        "before all time",
    ),
    ("a required field left out", canonical("9", type="FollowUpPlanned"), "malformed", "missing required field"),
    (
        "a naive time in data",
        canonical("9", type="FollowUpPlanned", data={"follow_up": "f", "due_at": "2026-04-01T09:00:00"}),
        "bad_time",
        "due_at has no zone",
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("record", "reason", "detail"), [row[1:] for row in BAD], ids=[row[0] for row in BAD]
)
def test_a_bad_record_alone_is_refused_with_line_and_reason(
    store: Log, tmp_path: Path, record: object, reason: str, detail: str
) -> None:
    text = jsonl(canonical("1"), record, canonical("2"))
    balance = taken(store, tmp_path, text, mapping=None, name="in.jsonl")
    assert counted(balance) == {"read": 3, "stored": 2, "quarantined": 1}
    ((line, why, said),) = refusals(store)
    assert (line, why) == (2, reason)
    assert detail in said
    assert ids(store) == ["desk|1|1", "desk|2|1"]


def test_a_sources_clock_may_be_five_minutes_ahead(store: Log, tmp_path: Path) -> None:
    record = canonical("1", "2026-03-02T12:05:00Z", known_at="2026-03-02T13:05:00+01:00")
    balance = taken(store, tmp_path, jsonl(record), mapping=None, name="in.jsonl")
    assert counted(balance) == {"read": 1, "stored": 1}
    assert [event["occurred_at"] for event in stored(store)] == ["2026-03-02T12:05:00+00:00"]


def test_a_follow_up_may_be_due_in_the_future(store: Log, tmp_path: Path) -> None:
    record = canonical(
        "1", type="FollowUpPlanned", data={"follow_up": "f", "due_at": "2027-04-01T09:00:00+02:00"}
    )
    taken(store, tmp_path, jsonl(record), mapping=None, name="in.jsonl")
    assert stored(store)[0]["due_at"] == "2027-04-01T07:00:00Z"


def test_a_zone_may_be_declared_for_times_written_without_one(store: Log, tmp_path: Path) -> None:
    mapping = '[source]\nformat = "canonical"\nzone = "Europe/Warsaw"\n'
    times = ("2026-03-01T09:00:00", "2025-10-26T02:30:00", "2025-03-30T02:30:00", "2026-03-01T09:00:00Z")
    text = jsonl(*(canonical(str(number), at) for number, at in enumerate(times)))
    balance = taken(store, tmp_path, text, mapping=mapping, name="in.jsonl")
    assert counted(balance) == {"read": 4, "stored": 3, "quarantined": 1}
    assert balance.flagged == {"ambiguous_time": 1}
    assert [event["occurred_at"] for event in stored(store)] == [
        "2026-03-01T08:00:00+00:00",
        "2025-10-26T00:30:00+00:00",
        "2026-03-01T09:00:00+00:00",
    ]


def test_ids_hold_no_sign_that_ids_are_made_of(store: Log, tmp_path: Path) -> None:
    taken(store, tmp_path, jsonl(canonical("a|b%\n", subject="contact:c|d")), mapping=None, name="in.jsonl")
    (event,) = stored(store)
    assert (event["event_id"], event["originator_id"]) == ("desk|a%7Cb%25%0A|1", "contact:desk:c%7Cd")


def test_an_identifier_is_asserted_once_in_every_spelling_and_what_is_none_is_counted(
    store: Log, tmp_path: Path
) -> None:
    def call(number: str, phone: str) -> dict[str, object]:
        return canonical(number, identifiers=[{"ns": "phone", "value": phone, "obtained": "observed"}])

    spellings = ("601 234 567", "+48 601-234-567", "anonymous", "601234567 / 602234567")
    text = jsonl(*(call(str(number), phone) for number, phone in enumerate(spellings)))
    balance = taken(store, tmp_path, text, mapping=None, name="in.jsonl")
    assert counted(balance) == {"read": 4, "stored": 4}
    assert [event["value"] for event in stored(store) if "value" in event] == ["601 234 567", "602234567"]
    assert [reason for reason in balance.flagged if reason.startswith("no_identifier/phone.")]
    assert balance.untrusted == ["desk: phone.observed"]


def test_what_a_record_says_is_its_source_counts(store: Log, tmp_path: Path) -> None:
    taken(
        store, tmp_path, jsonl(canonical("1", source="shop"), canonical("1")), mapping=None, name="in.jsonl"
    )
    assert ids(store) == ["shop|1|1", "desk|1|1"]


EXAMPLES: dict[type, object] = {
    msgspec.inspect.StrType: "x",
    msgspec.inspect.IntType: 3,
    msgspec.inspect.FloatType: 1.5,
    msgspec.inspect.BoolType: False,
    msgspec.inspect.DateTimeType: "2026-02-01T09:00:00Z",
    msgspec.inspect.DateType: "2026-02-01",
    msgspec.inspect.DecimalType: "12.50",
    msgspec.inspect.VarTupleType: [{"sku": "s", "quantity": "2", "price": "1.5"}],
}


def full(event: type[Event]) -> dict[str, object]:
    """A canonical record with every field of a class filled."""
    known = {field.name for field in msgspec.structs.fields(Event)}
    data: dict[str, object] = {}
    for field in msgspec.structs.fields(event):
        if field.name not in known:
            data[field.name] = example(field.type)
    return canonical("1", type=event.__name__, data=data)


def example(hint: object) -> object:
    """A value of a type."""
    kind = msgspec.inspect.type_info(hint)
    kinds = [*kind.types] if isinstance(kind, msgspec.inspect.UnionType) else [kind]
    first = next(one for one in kinds if not isinstance(one, msgspec.inspect.NoneType))
    while isinstance(first, msgspec.inspect.Metadata):
        first = first.type
    if isinstance(first, msgspec.inspect.LiteralType):
        return first.values[0]
    return EXAMPLES[type(first)]


@pytest.mark.parametrize(
    "event", [one for one in CLASSES if one.__name__ not in DECISIONS], ids=lambda one: one.__name__
)
def test_every_event_of_the_catalogue_comes_in_whole(store: Log, tmp_path: Path, event: type[Event]) -> None:
    record = full(event)
    balance = taken(store, tmp_path, jsonl(record), mapping=None, name="in.jsonl")
    assert counted(balance) == {"read": 1, "stored": 1}, refusals(store)
    (kept,) = stored(store)
    assert kept["topic"] == event.TOPIC
    expected = msgspec.convert(record["data"], dict)
    names = {field.encode_name: field.default for field in msgspec.structs.fields(event)}
    for name, value in expected.items():
        assert kept.get(name, names[name]) == value


def test_assertions_of_one_address_by_two_contacts_share_nothing_in_their_ids(
    log: Log, tmp_path: Path
) -> None:
    records = [
        canonical(
            one,
            subject=f"contact:{one}",
            identifiers=[{"ns": "email", "value": "anna@example.com", "obtained": "login"}],
        )
        for one in ("1", "2")
    ]
    taken(log, tmp_path, jsonl(*records), mapping=None, name="in.jsonl", source="shop")
    ids = [row["event_id"] for row in stored(log) if row["topic"] == "identifier.asserted"]
    ends = {one.rpartition("/")[2] for one in ids}
    assert (len(ids), len(ends)) == (2, 2)
