"""JSONL by a mapping, and files that a mapping joins."""

from pathlib import Path

import pytest

from domain.log import Log
from ingestion.source import IngestError
from tests.ingestion.taking import counted, ids, jsonl, refusals, stored, taken, written

TICKETS = """
[source]
format = "jsonl"
subject = "contact:{ticket.id}"
[columns]
"ticket.id" = {type="int", required=true}
"ticket.created" = {type="time", required=true}
"requester.email" = "text"
verified = "bool"
score = "decimal"
[values]
obtained = {true="login", false="typed"}
[[ignore]]
reason = "spam"
when = {"ticket.tags"='["spam"]'}
[[event]]
type = "ContactReceived"
id = "{ticket.id}"
at = "ticket.created"
direction = "inbound"
actor = "customer"
channel = "email"
[event.set]
text = {from="body"}
length = {from="ticket.size"}
[[identifier]]
ns = "email"
value = "requester.email"
obtained = "login"
when = {verified=true}
[[identifier]]
ns = "email"
value = "requester.email"
obtained = "typed"
when = {verified=[false], score.null=false}
"""


def ticket(number: object, **fields: object) -> dict[str, object]:
    """A help desk's ticket."""
    return {"ticket": {"id": number, "created": "2026-03-01T09:00:00Z"}, **fields}


def test_values_are_found_by_dotted_paths(store: Log, tmp_path: Path) -> None:
    records = (
        ticket(1, requester={"email": "Anna@Example.com"}, verified=True, body="Zażółć"),
        ticket(2, requester={"email": "anna@example.com"}, verified=False, score=1.5),
        ticket(3, requester=None, verified=None),
        {"ticket.id": 4, "ticket.created": "2026-03-01T09:00:00Z"},
        {"ticket": {"id": 5, "created": "2026-03-01T09:00:00Z", "tags": ["spam"]}},
    )
    balance = taken(store, tmp_path, jsonl(*records) + "\n", mapping=TICKETS, name="in.jsonl.gz")
    assert counted(balance) == {"read": 5, "stored": 4, "ignored": 1}
    assert [one for one in ids(store) if "/" not in one] == ["desk|1|1", "desk|2|1", "desk|3|1", "desk|4|1"]
    asserted = [event for event in stored(store) if event["topic"] == "identifier.asserted"]
    assert [(one["value"], one["obtained"]) for one in asserted] == [
        ("Anna@Example.com", "login"),
        ("anna@example.com", "typed"),
    ]
    named = [store.surrogate("email", f"contact:{one} email:anna@example.com") for one in (1, 2)]
    assert [one["event_id"].rpartition("/")[2] for one in asserted] == [f"{one}|1" for one in named]
    assert stored(store)[0]["text"] == "Zażółć"


def test_a_broken_line_is_refused_alone(store: Log, tmp_path: Path) -> None:
    lines = [
        jsonl(ticket(1)).encode(),
        b'{"ticket": {"id": 2, "created": "2026-03-01T09\n',
        b"not json\n",
        b"[1, 2]\n",
        '{"ticket": {"id": "ż"}}\n'.encode("cp1250"),
        b'{"ticket": {"id": 6, "created": "2026-03-01T09:00:00Z"}, "body": "' + b"x" * 10_000_000 + b'"}\n',
        b'{"ticket": {"id": 7, "created": "2026-03-01T09:00:00Z"}, "body": "\\u0000"}\n',
        jsonl(ticket("eight")).encode(),
        jsonl(ticket(9)).encode().removesuffix(b"\n"),
    ]
    balance = taken(store, tmp_path, b"".join(lines), mapping=TICKETS, name="in.jsonl")
    assert counted(balance) == {"read": 9, "stored": 2, "quarantined": 7}
    assert [(line, reason) for line, reason, _ in refusals(store)] == [
        (2, "truncated"),
        (3, "malformed"),
        (4, "malformed"),
        (5, "bad_encoding"),
        (6, "too_large"),
        (7, "malformed"),
        (8, "bad_number"),
    ]
    assert ids(store) == ["desk|1|1", "desk|9|1"]


def test_a_json_array_is_told_from_jsonl(store: Log, tmp_path: Path) -> None:
    with pytest.raises(IngestError, match="is one JSON array; write one object on each line"):
        taken(store, tmp_path, '[\n{"a": 1}\n]\n', mapping=TICKETS, name="in.jsonl")


OFFERS = """
[source]
format = "csv"
zone = "UTC"
subject = "offer:{campaign}-{household}"
[columns]
household = {type="int", required=true}
starts = {type="time", required=true}
[[join]]
file = "campaigns.csv"
on = "campaign"
columns = ["starts", "name"]
[[event]]
type = "OfferPresented"
id = "{campaign}-{household}"
at = "starts"
channel = "post"
set = {product_class={from="name"}}
"""
SENT = "campaign,household\n1,7\n2,7\n3,7\n"
CAMPAIGNS = "campaign,name,starts\n1,tea,2026-01-01\n2,coffee,2026-02-01\n"


def test_columns_of_another_file_are_joined(store: Log, tmp_path: Path) -> None:
    written(tmp_path, CAMPAIGNS, "campaigns.csv")
    balance = taken(store, tmp_path, SENT, mapping=OFFERS)
    assert counted(balance) == {"read": 3, "stored": 2, "quarantined": 1}
    assert refusals(store) == [(4, "missing_time", "starts is empty")]
    assert [(event["event_id"], event["occurred_at"], event["product_class"]) for event in stored(store)] == [
        ("desk|1-7|1", "2026-01-01T00:00:00+00:00", "tea"),
        ("desk|2-7|1", "2026-02-01T00:00:00+00:00", "coffee"),
    ]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "joins campaigns.csv, which is not in"),
        ("campaign,name\n1,tea\n", 'lacks the column "starts", which desk.toml joins'),
        (CAMPAIGNS + "1,rum,2026-03-01\n", "has 1 more than once, so desk.toml cannot join it"),
        (CAMPAIGNS + "4,rum\n", "line 4: the row has 2 of 3 cells; mend it, the whole file is needed"),
    ],
)
def test_a_file_that_cannot_be_joined_is_told_in_one_sentence(
    store: Log, tmp_path: Path, content: str | None, sentence: str
) -> None:
    if content is not None:
        written(tmp_path, content, "campaigns.csv")
    with pytest.raises(IngestError) as told:
        taken(store, tmp_path, SENT, mapping=OFFERS)
    assert sentence in str(told.value)
    assert store.head() == 0
