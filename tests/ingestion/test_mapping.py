"""The mapping language: what loads, and the sentence about what does not."""

import tomllib
from pathlib import Path

import pytest

from ingestion.mapping import SHIPPED, find_mapping, load_mapping, parse_mapping, shipped_mappings
from ingestion.source import IngestError
from tests.command import ROOT
from tests.ingestion.taking import CALLS, SAMPLES


@pytest.mark.parametrize("name", ["uci_incident", "online_retail"])
def test_the_examples_of_the_reference_load_as_they_stand(name: str) -> None:
    mapping = load_mapping(SAMPLES / f"{name}.toml")
    assert mapping.where == f"{name}.toml"
    assert len(mapping.events) == 2


def test_every_shipped_mapping_loads_by_its_name_and_declares_a_trust() -> None:
    assert shipped_mappings() == (
        "completejourney_offers",
        "completejourney_redemptions",
        "completejourney_transactions",
        "online_retail",
        "uci_incident",
    )
    assert all(load_mapping(name).trust for name in shipped_mappings())


def test_a_source_without_a_shipped_mapping_has_none() -> None:
    assert find_mapping("desk") is None


def swapped(before: str, after: str) -> str:
    """The mapping of calls with one passage changed."""
    assert before in CALLS
    return CALLS.replace(before, after, 1)


WHEN = 'seconds = "int"\n[[ignore]]\nreason = "odd"\nwhen = {how.like="("}'

WRONG = [
    ("an unknown top key", "colour = 1\n" + CALLS, "desk.toml: colour is not a known key"),
    ("an unknown source key", swapped('null = ["?"]', 'nul = ["?"]'), "desk.toml: source.nul is not a known key"),
    (
        "an unknown event key",
        swapped('direction = "inbound"', 'directoin = "inbound"'),
        "event[1].directoin is not a known key; did you mean direction?",
    ),
    ("an unknown field", swapped("length =", "lenght ="), "event[1].set.lenght is no field of ContactReceived"),
    ("an unknown identifier key", CALLS.replace("obtained =", "obtaned ="), "identifier[1].obtained is missing"),
    ("an unknown column type", swapped('seconds = "int"', 'seconds = "whole"'), "columns.seconds must be text or"),
    ("an unknown column key", swapped("required=true", "needed=true"), "columns.number.needed is not a known key"),
    ("an unknown test", swapped('direction = "inbound"', "when = {how.lik='x'}"), "lik is not a known key"),
    ("an unknown event", swapped("ContactReceived", "ContactRecieved"), 'event[1].type is "ContactRecieved"'),
    ("a decision", swapped("ContactReceived", "PolicyAdopted"), 'event[1].type is "PolicyAdopted"'),
    ("an unknown format", swapped('format = "csv"', 'format = "xml"'), "source.format must be csv or jsonl or"),
    ("an unknown zone", swapped("Europe/Warsaw", "Europe/Warszawa"), "source.zone is"),
    ("a naive time without a zone", swapped('zone = "Europe/Warsaw"', ""), "source.zone is missing"),
    ("a subject without a kind", swapped('"contact:{number}"', '"{number}"'), "source.subject must begin with"),
    ("an id without a column", swapped('id = "{number}"', 'id = "number"'), "event[1].id is"),
    ("an unclosed brace", swapped('id = "{number}"', 'id = "{number}}"'), "event[1].id has a brace"),
    ("a lookup that is not there", swapped('values="channel"', 'values="chanel"'), "event[1].channel.values names"),
    ("an instant that is none", swapped('at = "at"', 'at = "how"'), 'event[1].at names "how"'),
    ("no event", CALLS.split("[[event]]", maxsplit=1)[0], "event is missing"),
    ("a trust beyond 3", swapped('"phone.observed" = 1', '"phone.observed" = 4'), "is 4; a level is 0, 1, 2 or 3"),
    ("a trust that is no pair", swapped('"phone.observed"', '"phone"'), "is no pair"),
    ("a regular expression that is none", swapped('seconds = "int"', WHEN), "which is no regular expression"),
    ("no TOML", "[source", "desk.toml is not TOML"),
    ("a sum that is not computed", swapped('"seconds"', '"@total"'), 'names "@total", which is not computed'),
    (
        "a field the event needs",
        swapped("ContactReceived", "FollowUpPlanned").replace('length = "seconds"\n', ""),
        "event[1].set.follow_up is missing; FollowUpPlanned needs it",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("text", "sentence"), [row[1:] for row in WRONG], ids=[row[0] for row in WRONG])
def test_a_flaw_is_told_in_one_sentence_with_file_and_key(text: str, sentence: str) -> None:
    with pytest.raises(IngestError) as told:
        parse_mapping(text, where="desk.toml")
    assert sentence in str(told.value)
    assert str(told.value).startswith("desk.toml")
    assert "\n" not in str(told.value)


def test_a_mapping_that_is_not_there_names_the_shipped_ones(tmp_path: Path) -> None:
    with pytest.raises(IngestError, match=r"nonesuch.*uci_incident"):
        load_mapping(tmp_path / "nonesuch.toml")


def test_a_mapping_of_trust_alone_accompanies_canonical_records() -> None:
    mapping = parse_mapping('[source]\nformat = "canonical"\n[trust]\n"email.login" = 2\n', where="shop.toml")
    assert (mapping.format, dict(mapping.trust), mapping.known_at_trusted) == (
        "canonical",
        {"email.login": 2},
        False,
    )


def test_a_canonical_mapping_has_no_events_of_its_own() -> None:
    text = CALLS.replace('format = "csv"', 'format = "canonical"')
    with pytest.raises(IngestError, match="is not a known key"):
        parse_mapping(text, where="desk.toml")


def test_the_example_of_the_reference_page_loads() -> None:
    page = (ROOT / "docs" / "mappings.md").read_text("utf-8")
    example = page.split("```toml\n")[1].split("```")[0]
    mapping = parse_mapping(example, where="docs/mappings.md")
    assert [rule.event.__name__ for rule in mapping.events] == ["ContactReceived"]


def test_every_key_of_the_shipped_mappings_is_on_the_reference_page() -> None:
    page = (ROOT / "docs" / "mappings.md").read_text("utf-8")
    for name in shipped_mappings():
        document = tomllib.loads((SHIPPED / f"{name}.toml").read_text("utf-8"))
        tables = [
            document["source"],
            document.get("group", {}),
            *document.get("join", []),
            *document["event"],
        ]
        for key in {key for table in (*tables, *document["identifier"]) for key in table}:
            assert f"`{key}`" in page, key
