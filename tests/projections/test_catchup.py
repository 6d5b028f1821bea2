"""Catching up: whom news concern, and what is written of them; replay; buckets."""

from pathlib import Path

import pytest

from domain.asof import AsOf
from domain.events import NAMES
from domain.events.envelope import Event
from projections import parts
from projections.engine import Progress, ViewsError, ViewState
from projections.facts import FACTS
from tests.given import POLICY
from tests.projections.homes import at, bears, fact, home, ruled, said

MAIL, SHOP, CALL = "contact:shop:mail", "contact:shop:account", "contact:telephony:call"
ANNA = (
    said("ContactReceived", "shop:mail", 1, case="A", text="first"),
    bears("shop:mail", "email", "anna@example.com", 1),
)
JAN = (
    said("ContactReceived", "telephony:call", 2),
    bears("telephony:call", "phone", "601234567", 2, "caller_id"),
)


def test_an_empty_log_has_empty_views_that_are_well(tmp_path: Path) -> None:
    made = home(tmp_path, facts=FACTS)
    assert set(made.engine.positions().values()) == {ViewState(position=0, lag=0, state="ok")}
    assert {fact.VIEW.name: made.engine.facts(fact.VIEW.name).height for fact in FACTS} == {
        fact.VIEW.name: 0 for fact in FACTS
    }


def test_views_never_made_are_missing_and_empty(tmp_path: Path) -> None:
    made = home(tmp_path, ANNA)
    made.drop_views()
    engine = made.reopened([fact()])
    assert engine.positions() == {
        "identity": ViewState(position=0, lag=2, state="missing"),
        "seen": ViewState(position=0, lag=2, state="missing"),
    }
    assert engine.facts("seen").is_empty()
    assert engine.facts("assignments").columns == [
        "person",
        "subject",
        "identified",
        "identifier",
        "asserted_at",
    ]
    with pytest.raises(ViewsError, match="There is no view nothing: choose one of"):
        engine.facts("nothing")


def test_a_catch_up_computes_the_persons_concerned_and_writes_what_differs(tmp_path: Path) -> None:
    made = home(tmp_path, [*ANNA, *JAN])
    assert made.more() == Progress(
        head=4, views=dict.fromkeys(("identity", "seen"), ViewState(position=4, lag=0, state="ok"))
    )
    progress = made.more(said("ContactReceived", "shop:mail", 3))
    assert (progress.events, progress.persons, progress.added, progress.removed) == (1, 1, 1, 0)
    progress = made.more(bears("shop:mail", "phone", "+48 601 234 567", 4))
    assert made.persons() == {MAIL: MAIL, CALL: MAIL}
    assert (progress.events, progress.persons) == (1, 2)
    assert made.rows() == made.whole()


def test_a_back_dated_event_gives_the_person_another_name_everywhere(tmp_path: Path) -> None:
    made = home(tmp_path, [*ANNA, bears("shop:account", "email", "anna@example.com", 2)])
    made.more(said("ContactReceived", "shop:account", 0))
    assert made.persons() == {MAIL: SHOP, SHOP: SHOP}
    assert set(made.seen("person")) == {(SHOP,)}
    assert made.rows() == made.whole()


def declared(hours: float, trust: dict[str, int]) -> Event:
    """How far the help desk is to be believed."""
    return NAMES["SourceDeclared"](
        source="desk", id=f"d{hours}", subject="source:desk", occurred_at=at(hours), trust=trust, digest="d"
    )


LATER: dict[str, tuple[list[Event], list[Event], dict[str, str]]] = {
    "a nameless contact follows when its case gets a person": (
        [
            said("ContactReceived", "shop:nameless", 0, case="A"),
            said("ContactReceived", "shop:mail", 1, case="A"),
        ],
        [bears("shop:mail", "email", "anna@example.com", 2)],
        {"contact:shop:nameless": "contact:shop:nameless", MAIL: "contact:shop:nameless"},
    ),
    "a nameless contact is free again when its case gets a second person": (
        [*ANNA, said("ContactReceived", "shop:nameless", 3, case="A")],
        [bears("shop:account", "email", "jan@example.com", 4, case="A")],
        {MAIL: MAIL, SHOP: SHOP, "contact:shop:nameless": "contact:shop:nameless"},
    ),
    "a confirmed link joins subjects that have no news": (
        [*ANNA, *JAN],
        [ruled("LinkConfirmed", 5, one=MAIL, other=CALL)],
        {MAIL: MAIL, CALL: MAIL},
    ),
    "news of one side of a confirmed link finds the other": (
        [*ANNA, *JAN, ruled("LinkConfirmed", 5, one=MAIL, other=CALL)],
        [said("ContactReceived", "telephony:call", 0)],
        {MAIL: CALL, CALL: CALL},
    ),
    "a subject that was confirmed before anything was heard of it finds its person": (
        [*ANNA, ruled("LinkConfirmed", 0, one=MAIL, other=CALL)],
        [*JAN],
        {MAIL: MAIL, CALL: MAIL},
    ),
    "a revised identifier frees those with whom the former one was shared": (
        [bears("shop:account", "email", "anna@example.com", 0), *ANNA],
        [bears("shop:account", "email", "anna@example.com", 0, "signature", revision=2)],
        {MAIL: MAIL, SHOP: SHOP},
    ),
    "a declaration lowers the trust of a source and frees those of another": (
        [
            *(declared(3, {"email.typed": 1}), bears("desk:1", "email", "anna@example.com", 0)),
            *ANNA,
        ],
        [declared(4, {})],
        {"contact:desk:1": "contact:desk:1", MAIL: MAIL},
    ),
    "a flag parts holders that have no news": (
        [*ANNA, bears("shop:account", "email", "anna@example.com", 2)],
        [ruled("IdentifierFlagged", 5, one=MAIL, ns="email")],
        {MAIL: MAIL, SHOP: SHOP},
    ),
    "a new holder of a flagged key stays apart though the flagged subject has no news": (
        [*ANNA, ruled("IdentifierFlagged", 5, one=MAIL, ns="email")],
        [
            bears("shop:account", "email", "anna@example.com", 6),
            bears("shop:third", "email", "anna@example.com", 6),
        ],
        {MAIL: MAIL, SHOP: SHOP, "contact:shop:third": "contact:shop:third"},
    ),
    "an older assertion of the flagged subject moves the flag to another key": (
        [
            *ANNA,
            bears("shop:account", "email", "anna@example.com", 2),
            ruled("IdentifierFlagged", 5, one=MAIL, ns="email"),
        ],
        [
            bears("shop:mail", "email", "jan@example.com", 4),
            said(
                "IdentifierAsserted", "shop:mail", 6, ns="email", value="anna@example.com", obtained="typed"
            ),
        ],
        {MAIL: MAIL, SHOP: MAIL},
    ),
    "clearing a cut finds the former holders of the key": (
        [
            *ANNA,
            bears("shop:account", "email", "anna@example.com", 2),
            ruled("LinkDenied", 5, one=MAIL, ns="email"),
        ],
        [ruled("LinkCleared", 6, one=MAIL, ns="email")],
        {MAIL: MAIL, SHOP: MAIL},
    ),
    "a declaration raises the trust of contacts long known": (
        [bears("desk:1", "email", "anna@example.com", 1), bears("desk:2", "email", "anna@example.com", 2)],
        [declared(3, {"email.typed": 1})],
        {"contact:desk:1": "contact:desk:1", "contact:desk:2": "contact:desk:1"},
    ),
    "a link of a subject to a case brings it to the case's person": (
        [*ANNA, said("ContactReceived", "shop:nameless", 3, case="B")],
        [said("CaseLinked", "shop:nameless", 4, case="A")],
        {MAIL: MAIL, "contact:shop:nameless": MAIL},
    ),
}


@pytest.mark.parametrize("name", LATER)
def test_a_catch_up_reaches_everybody_whom_the_news_concern(tmp_path: Path, name: str) -> None:
    before, news, expected = LATER[name]
    made = home(tmp_path, before)
    made.more(*news)
    found = made.persons()
    assert {subject: person for subject, person in found.items() if subject in expected} == expected
    assert {subject.split(":")[0] for subject in found.keys() - expected.keys()} <= {"link", "source"}
    assert made.rows() == made.whole()


def test_an_adopted_policy_changes_the_facts_of_everybody(tmp_path: Path) -> None:
    made = home(tmp_path, [*ANNA, *JAN])
    assert set(made.seen("policy")) == {("test-1",)}
    content = POLICY.replace("test-1", "test-2")
    adopted = {"version": "test-2", "starts_at": at(5), "digest": "d", "content": content}
    made.more(NAMES["PolicyAdopted"](source="shop", id="p", subject="policy:p", occurred_at=at(5), **adopted))
    assert set(made.seen("policy")) == {("test-2",)}
    assert made.engine.policies().latest.version == "test-2"
    assert made.rows() == made.whole()


def test_a_case_is_the_newest_linked_one_else_the_events_own_else_the_subject(tmp_path: Path) -> None:
    made = home(tmp_path, [*ANNA, *JAN, said("ContactReceived", "shop:two", 1, case="Z")])
    made.more(said("CaseLinked", "shop:two", 9, case="Y"), said("CaseLinked", "shop:two", 8, case="X"))
    assert made.seen("event", "case") == [
        ("shop|ContactReceived-mail-1|1", "A"),
        ("shop|contact:mail/email/anna@example.com|1", MAIL),
        ("shop|CaseLinked-two-8|1", "Y"),
        ("shop|CaseLinked-two-9|1", "Y"),
        ("shop|ContactReceived-two-1|1", "Y"),
        ("telephony|ContactReceived-call-2|1", CALL),
        ("telephony|contact:call/phone/601234567|1", CALL),
    ]


def test_facts_built_in_buckets_of_persons_are_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = [said("ContactReceived", f"shop:{number % 7}", number, case="A") for number in range(40)]
    made = home(tmp_path, [*ANNA, *JAN, *events])
    monkeypatch.setattr(parts, "BUCKET", 5)
    assert made.whole() == made.rows()


def test_replay_admits_what_was_known_then_and_believes_sources_as_today(tmp_path: Path) -> None:
    made = home(
        tmp_path,
        [
            bears("shop:mail", "email", "anna@example.com", 1),
            bears("shop:account", "email", "anna@example.com", 2, known_at=at(9)),
            bears("desk:1", "email", "anna@example.com", 3),
            NAMES["SourceDeclared"](
                source="desk", id="d", subject="source:desk", occurred_at=at(8), known_at=at(8), digest="d",
                trust={"email.typed": 1}, known_at_trusted=True,
            ),
        ],
    )  # fmt: skip

    def then(as_of: AsOf) -> dict[str, str]:
        found = made.engine.replay(as_of).identity.assignments.select("subject", "person").iter_rows()
        return dict(found)

    assert then(AsOf(instant=at(5), known=True)) == {MAIL: MAIL, "contact:desk:1": MAIL}
    assert then(AsOf(instant=at(9), known=True)) == {
        MAIL: MAIL,
        SHOP: MAIL,
        "contact:desk:1": MAIL,
        "source:desk:desk": "source:desk:desk",
    }
    assert then(AsOf(instant=at(5), position=3)) == {
        MAIL: MAIL,
        SHOP: MAIL,
        "contact:desk:1": "contact:desk:1",
    }
    assert then(AsOf(instant=at(0), known=True)) == {}
