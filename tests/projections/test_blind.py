"""The views database holds no address, number, account, name or text: every one of the sample's is looked for."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from domain.events.envelope import CLEAR, Event, retentions
from domain.events.identity import IdentifierAsserted
from domain.identifiers import identify
from ingestion.demo import history
from tests.dashboards.conftest import Shop, opened
from tests.given import append, event, local

ISSUED = ("crm", "order")
"""Namespaces whose numbers the sources use as ids of their subjects, which are in the clear everywhere."""
SHORTEST = 6
"""Characters or digits: what is shorter stands in ids and times by chance."""
LATER = [
    event(
        "ContactReceived", "late/1", local("11-20 10:00"), "contact:late", channel="email", actor_kind="customer",
        title="Reklamacja ekspresu", text="Proszę o kontakt w sprawie ekspresu, Wiesława Ćwiąkalska",
    ),
    event(
        "IdentifierAsserted", "late/2", local("11-20 10:00"), "contact:late",
        ns="email", value="Wieslawa.Cwiakalska@Poczta.Example", obtained="typed",
    ),
    event(
        "IdentifierAsserted", "late/3", local("11-20 10:00"), "contact:late",
        ns="account", value="Konto-Wiesi", obtained="login",
    ),
]  # fmt: skip


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with opened(tmp_path, customers=150) as made:
        append(made.log, LATER, made.until)
        made.engine.catch_up(now=made.until)
        yield made


def personal(events: list[Event]) -> Iterator[tuple[Event, str]]:
    """Every value that is personal, with its event."""
    for one in events:
        if isinstance(one, IdentifierAsserted) and one.ns in ISSUED:
            continue
        for name, kept in retentions(type(one)).items():
            value = getattr(one, name)
            if kept != CLEAR and value:
                yield one, str(value)


def spellings(one: Event, value: str) -> set[str]:
    """A value as it is written, as it is keyed, its digits, its words that are names, and the beginnings of a text."""
    found = {value, value[:40], value[-40:]}
    if isinstance(one, IdentifierAsserted):
        key = (identify(one.ns, value).key or "").removeprefix(f"{one.ns}:")
        digits = re.sub(r"\D", "", key)[-9:] if one.ns == "phone" else ""
        mailbox = key.partition("@")[0]
        found |= {key, digits, mailbox, mailbox.partition(".")[2]}
    return {text for text in found if len(text) >= SHORTEST}


def test_no_file_of_the_views_holds_anything_personal(shop: Shop) -> None:
    demo = history(surrogate=shop.log.surrogate, customers=150)
    told = [*(one for record in demo.records for one in record), *LATER]
    values = list(personal(told))
    needles = {text.encode() for one, value in values for text in spellings(one, value)}
    assert len(needles) > 1_500
    assert {type(one).__name__ for one, _ in values} >= {"IdentifierAsserted", "ContactReceived", "NoteAdded"}

    files = sorted(shop.folder.glob("views.db*"))
    assert {file.name for file in files} >= {"views.db", "views.db-wal"}
    held = b"".join(file.read_bytes() for file in files)
    ids = {one.stream.encode() for one in told if one.subject.startswith("contact:")}
    assert all(stream in held for stream in ids)
    small = held.lower()
    assert {needle for needle in needles if needle in held or needle.lower() in small} == set()
