"""Who is who: the persons, identifiers and links that a set of assertions and rulings amounts to."""

from datetime import datetime
from itertools import permutations
from pathlib import Path

import polars as pl
import pytest

from domain.asof import AsOf
from domain.events import NAMES
from domain.events.envelope import Event
from projections.identity import Identity
from projections.identity_graph import Edge, Link, joined, links_of
from tests.given import FAR
from tests.projections.homes import at, bears, home, ruled, said

CALL, MAIL, SHOP = "contact:telephony:call", "contact:shop:mail", "contact:shop:account"
NUMBER, EMAIL, ACCOUNT = "phone:+48601234567", "email:anna@example.com", "account:C1"
KNOWN = (NUMBER, EMAIL, ACCOUNT, "account:c1", "email:new@example.com")


def identity(folder: Path, *events: Event) -> Identity:
    """Who is who by these events, the tokens of some known keys turned back into them."""
    made = home(folder, events)
    found = made.engine.replay(AsOf(instant=FAR)).identity
    plain = {made.log.blind(key): key for key in KNOWN}
    shown = pl.col(pl.String).replace(plain)
    return Identity(
        assignments=found.assignments.with_columns(shown),
        identifiers=found.identifiers.with_columns(shown),
        links=found.links.with_columns(shown),
    )


def persons(found: Identity) -> dict[str, str]:
    """The person of every subject that is no ruling."""
    rows = found.assignments.select("subject", "person").iter_rows()
    return {subject: person for subject, person in rows if not subject.startswith("link:")}


def links(found: Identity) -> list[tuple[str, str, datetime]]:
    """Pairs of identifiers with the instant of their linking."""
    return found.links.select("one", "other", "known_at").rows()


def test_one_address_in_two_spellings_makes_one_person_named_by_the_earliest_subject(tmp_path: Path) -> None:
    found = identity(
        tmp_path,
        bears("shop:mail", "email", "Anna@Example.com", 2),
        bears("shop:account", "email", "anna@example.com", 1, "login", known_at=at(5)),
        said("ContactReceived", "shop:other", 0),
    )
    assert found.assignments.rows() == [
        (SHOP, SHOP, True, EMAIL, at(5)),
        (MAIL, SHOP, True, EMAIL, at(2)),
        ("contact:shop:other", "contact:shop:other", False, None, None),
    ]
    own, mail = "shop|contact:account/email/anna@example.com|1", "shop|contact:mail/email/Anna@Example.com|1"
    assert found.identifiers.rows() == [
        (SHOP, EMAIL, None, "email", "shop", "login", False, 2, at(1), at(5), None, SHOP, own),
        (SHOP, EMAIL, None, "email", "shop", "typed", False, 1, at(2), at(2), None, MAIL, mail),
    ]
    assert links(found) == []


def test_a_way_of_obtaining_that_nobody_trusts_is_shown_and_links_nobody(tmp_path: Path) -> None:
    found = identity(
        tmp_path,
        bears("shop:mail", "email", "anna@example.com", 1),
        bears("shop:account", "email", "anna@example.com", 2, "signature"),
        bears("unheard:of", "email", "anna@example.com", 3),
    )
    assert persons(found) == {subject: subject for subject in (MAIL, SHOP, "contact:unheard:of")}
    assert found.identifiers.select("subject", "trust").rows() == [
        (SHOP, 0),
        (MAIL, 1),
        ("contact:unheard:of", 0),
    ]
    assert found.assignments["identified"].to_list() == [False, True, False]


def test_a_source_that_the_policy_does_not_name_is_trusted_as_its_newest_declaration_says(
    tmp_path: Path,
) -> None:
    def declared(hours: float, trust: dict[str, int]) -> Event:
        return NAMES["SourceDeclared"](
            source="helpdesk",
            id=f"d{hours}",
            subject="source:helpdesk",
            occurred_at=at(hours),
            trust=trust,
            digest="d",
        )

    asserted = [
        bears("helpdesk:1", "email", "a@example.com", 1),
        bears("helpdesk:2", "email", "a@example.com", 2),
    ]
    made = home(tmp_path, [*asserted, declared(3, {"email.typed": 1})])
    assert made.persons()["contact:helpdesk:2"] == "contact:helpdesk:1"
    made.more(declared(4, {"email.login": 1}))
    assert made.persons()["contact:helpdesk:2"] == "contact:helpdesk:2"
    made.more(declared(2, {"email.typed": 1}))
    assert made.persons()["contact:helpdesk:2"] == "contact:helpdesk:2"


def test_the_newest_assertion_in_a_namespace_replaces_the_older_but_not_by_one_that_cannot_link(
    tmp_path: Path,
) -> None:
    found = identity(
        tmp_path,
        bears("shop:mail", "email", "old@example.com", 1),
        bears("shop:mail", "email", "new@example.com", 2),
        bears("shop:mail", "email", "seen@example.com", 3, "signature"),
        bears("shop:mail", "email", "nothing", 4),
    )
    assert found.identifiers["identifier"].to_list() == ["email:new@example.com"]


@pytest.mark.parametrize(
    ("named", "person"),
    [
        ({"case": "A", "thread": "t2"}, MAIL),
        ({"case": "X", "thread": "t1"}, MAIL),
        ({"thread": "t1"}, MAIL),
        ({"case": "B"}, None),
        ({"case": "B", "thread": "t1"}, MAIL),
        ({}, None),
    ],
)
def test_a_nameless_contact_goes_to_the_only_person_of_its_case_or_else_of_its_thread(
    tmp_path: Path, named: dict[str, str], person: str | None
) -> None:
    found = identity(
        tmp_path,
        bears("shop:mail", "email", "anna@example.com", 1, case="A"),
        said("ContactReceived", "shop:mail", 1, case="B", thread="t1"),
        bears("shop:account", "email", "jan@example.com", 2, case="B"),
        said("ContactReceived", "shop:nameless", 3, **named),
        said("ContactReceived", "telephony:nameless", 3, case="A", thread="t1"),
    )
    nameless = "contact:shop:nameless"
    assert persons(found) == {
        MAIL: MAIL,
        SHOP: SHOP,
        nameless: person or nameless,
        "contact:telephony:nameless": "contact:telephony:nameless",
    }


def test_an_earlier_nameless_contact_names_the_person_to_whom_it_is_attributed(tmp_path: Path) -> None:
    found = identity(
        tmp_path,
        said("ContactReceived", "shop:nameless", 0, case="A"),
        bears("shop:mail", "email", "anna@example.com", 1, case="A"),
    )
    assert set(persons(found).values()) == {"contact:shop:nameless"}
    assert found.assignments["identified"].to_list() == [True, True]


def test_identifiers_are_linked_from_when_the_weakest_evidence_of_the_best_path_was_known(
    tmp_path: Path,
) -> None:
    found = identity(
        tmp_path,
        bears("shop:account", "email", "anna@example.com", 1, "login"),
        bears("shop:account", "account", "C1", 1, "login", known_at=at(2)),
        bears("telephony:call", "phone", "601 234 567", 3, "caller_id"),
        bears("shop:account", "phone", "+48601234567", 5),
    )
    assert sorted(links(found)) == [
        (ACCOUNT, EMAIL, at(2)),
        (ACCOUNT, NUMBER, at(5)),
        (EMAIL, ACCOUNT, at(2)),
        (EMAIL, NUMBER, at(5)),
        (NUMBER, ACCOUNT, at(5)),
        (NUMBER, EMAIL, at(5)),
    ]
    assert found.identifiers.filter(pl.col("ns") == "account")["folded"].to_list() == ["account:c1"]


def test_a_chain_of_three_contacts_is_one_person_in_every_order_of_arrival(tmp_path: Path) -> None:
    chain = [
        bears("shop:mail", "email", "anna@example.com", 1),
        [
            bears("shop:account", "email", "anna@example.com", 2),
            bears("shop:account", "phone", "601234567", 2),
        ],
        bears("telephony:call", "phone", "601234567", 3, "caller_id"),
    ]
    for number, order in enumerate(permutations(chain)):
        (tmp_path / str(number)).mkdir()
        made = home(tmp_path / str(number))
        for step in order:
            made.more(*(step if isinstance(step, list) else [step]))
        assert made.persons() == {MAIL: MAIL, SHOP: MAIL, CALL: MAIL}


SHARED = (
    bears("shop:mail", "email", "anna@example.com", 1),
    bears("shop:account", "email", "anna@example.com", 2),
    bears("telephony:call", "phone", "601234567", 3, "caller_id"),
)
CONFIRMED = ruled("LinkConfirmed", 4, one=MAIL, other=CALL)
DENIED = ruled("LinkDenied", 5, one=SHOP, other=MAIL)


@pytest.mark.parametrize(
    ("rulings", "expected"),
    [
        ([], {MAIL: MAIL, SHOP: MAIL, CALL: CALL}),
        ([CONFIRMED], {MAIL: MAIL, SHOP: MAIL, CALL: MAIL}),
        ([CONFIRMED, ruled("LinkCleared", 6, one=CALL, other=MAIL)], {MAIL: MAIL, SHOP: MAIL, CALL: CALL}),
        ([DENIED], {MAIL: MAIL, SHOP: SHOP, CALL: CALL}),
        ([DENIED, ruled("LinkCleared", 6, one=MAIL, other=SHOP)], {MAIL: MAIL, SHOP: MAIL, CALL: CALL}),
        ([DENIED, ruled("LinkConfirmed", 6, one=MAIL, other=SHOP)], {MAIL: MAIL, SHOP: MAIL, CALL: CALL}),
        ([ruled("LinkDenied", 6, one=SHOP, ns="email")], {MAIL: MAIL, SHOP: SHOP, CALL: CALL}),
        ([ruled("LinkDenied", 1.5, one=SHOP, ns="email")], {MAIL: MAIL, SHOP: MAIL, CALL: CALL}),
        ([ruled("IdentifierFlagged", 6, one=SHOP, ns="email")], {MAIL: MAIL, SHOP: SHOP, CALL: CALL}),
        (
            [
                ruled("IdentifierFlagged", 6, one=SHOP, ns="email"),
                ruled("IdentifierCleared", 7, one=SHOP, ns="email"),
            ],
            {MAIL: MAIL, SHOP: MAIL, CALL: CALL},
        ),
    ],
)
def test_rulings_join_and_part_and_clearing_restores_what_was_before(
    tmp_path: Path, rulings: list[Event], expected: dict[str, str]
) -> None:
    made = home(tmp_path, SHARED)
    made.more(*rulings)
    found = {subject: person for subject, person in made.persons().items() if not subject.startswith("link:")}
    assert found == expected
    assert persons(made.engine.replay(AsOf(instant=FAR)).identity) == expected


def test_a_confirmed_link_links_identifiers_from_when_it_was_known(tmp_path: Path) -> None:
    found = sorted(links(identity(tmp_path, *SHARED, CONFIRMED)))
    assert found == [(EMAIL, NUMBER, at(4)), (NUMBER, EMAIL, at(4))]


def test_of_three_holders_of_one_key_the_denied_one_alone_stays_apart(tmp_path: Path) -> None:
    third = bears("shop:third", "email", "anna@example.com", 9)
    assert persons(identity(tmp_path, *SHARED, DENIED, third)) == {
        MAIL: MAIL,
        SHOP: SHOP,
        CALL: CALL,
        "contact:shop:third": MAIL,
    }


def test_joining_refuses_an_edge_that_would_bring_a_denied_pair_together_by_a_detour() -> None:
    edges = [Edge(0, 9, 1), Edge(1, 9, 2), Edge(1, 8, 3), Edge(2, 8, 4)]
    roots, accepted = joined(edges, [], [(0, 2)])
    assert accepted == [True, True, True, False]
    assert [roots[node] == roots[0] for node in (0, 1, 2, 8, 9)] == [True, True, False, True, True]


def test_links_of_a_person_with_very_many_identifiers_are_bounded() -> None:
    edges = [Edge(0, key, key) for key in range(1, 501)]
    found = list(links_of(edges, first_key=1))
    assert found[:2] == [Link(0, 1, 2, 2), Link(0, 1, 3, 3)]
    assert len(found) < 500 * 64
