"""Replay as a property: any batching, any order of arrival, redelivery and crashes give the rows of a rebuild."""

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

import polars as pl
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.asof import AsOf
from domain.events import EVENTS, NAMES
from domain.events.decisions import LinkDenied
from domain.events.envelope import Event
from domain.log import Log, open_log
from domain.policy import Policy, parse_policy
from projections.engine import Engine
from projections.facts import FACTS
from projections.known import Known
from projections.tables import table
from tests.given import FAR, POLICY, append, asserted, event

EXAMPLES = int(os.environ.get("OMNILINE_EXAMPLES", "15"))
START = datetime(2026, 11, 2, 8, tzinfo=UTC)
SHIPPED: Policy = parse_policy(POLICY, where="the test's policy")
STRICTER = POLICY.replace('target = "6h"', 'target = "3h"').replace("test-1", "test-2")
SOURCES = ("shop", "telephony", "mail")
SEEN = table(
    "seen",
    "event",
    event=str,
    person=str,
    case=str,
    text=str,
    known_at="instant",
    identifier=str,
    linked="instant",
)
IDENTIFIERS = (
    ("email", "anna@example.com", "login"),
    ("email", "Anna@Example.com", "typed"),
    ("email", "jan@example.com", "typed"),
    ("email", "jan@example.com", "signature"),
    ("phone", "601 234 567", "caller_id"),
    ("phone", "+48601234567", "typed"),
    ("phone", "602345678", "typed"),
    ("account", "A1", "login"),
    ("account", "A2", "login"),
)

streams = st.builds("contact:{}:{}".format, st.sampled_from(SOURCES), st.integers(1, 3))
references = st.fixed_dictionaries(
    {
        "case": st.sampled_from([None, None, "A", "B"]),
        "thread": st.sampled_from([None, None, "t1", "t2"]),
        "channel": st.sampled_from(["email", "chat", "phone"]),
        "topic": st.sampled_from([None, "returns"]),
        "text": st.sampled_from([None, "Where is my parcel 1234?", "Where is parcel 1234 that I ordered?"]),
        "seq": st.sampled_from([None, 1, 2]),
    }
)


def fields(kind: str, **own: Any) -> st.SearchStrategy[tuple[str, dict[str, Any]]]:
    """Some events of a kind: its name and what it carries."""
    drawn = {
        name: value if isinstance(value, st.SearchStrategy) else st.just(value) for name, value in own.items()
    }
    return st.tuples(st.just(kind), st.fixed_dictionaries(drawn))


customer = {"actor_kind": "customer", "direction": "inbound"}
agent = {"actor_kind": "human_agent", "direction": "outbound", "actor": st.sampled_from(["Ada", "Ben"])}
rulings = [
    fields("LinkConfirmed", one=streams, other=streams),
    fields("LinkDenied", one=streams, other=streams),
    fields("LinkCleared", one=streams, other=streams),
    *(
        fields(kind, one=streams, ns=st.sampled_from(["email", "phone"]))
        for kind in ("LinkDenied", "LinkCleared", "IdentifierFlagged", "IdentifierCleared")
    ),
]
assertions = [
    fields("IdentifierAsserted", ns=ns, value=value, obtained=obtained) for ns, value, obtained in IDENTIFIERS
]
happenings = st.one_of(
    fields("ContactReceived", **customer),
    fields("ContactReceived", **customer),
    fields("ContactAnswered", **agent, substantive=st.booleans()),
    fields("ContactMissed", **customer, rang_for_s=30.0),
    fields("ContactInitiated", **agent, connected=st.booleans()),
    fields("StateReported", state=st.sampled_from(["open", "awaiting_customer", "resolved", "closed"])),
    fields("CaseResolved", **agent),
    fields("CaseLinked", case=st.sampled_from(["A", "B", "C"])),
    fields("BotHandedOff", actor_kind="bot"),
    fields("OrderPlaced", order=st.sampled_from(["o1", "o2"])),
    fields(
        "FollowUpPlanned", **agent, follow_up=st.sampled_from(["f1", "f2"]), due_at=START + timedelta(days=9)
    ),
    fields("FollowUpDone", **agent, follow_up=st.sampled_from(["f1", "f2"])),
    *assertions,
    *rulings,
    fields("SourceDeclared", trust=st.sampled_from([{}, {"email.typed": 1, "phone.typed": 1}]), digest="d"),
    fields("SourceDeclared", trust={"email.typed": 1}, digest="e", known_at_trusted=True),
    fields("PolicyAdopted", version="2", starts_at=START + timedelta(days=3), digest="p", content=STRICTER),
)


who_is_who = st.one_of(
    fields("ContactReceived", **customer),
    fields("CaseLinked", case=st.sampled_from(["A", "B"])),
    fields("SourceDeclared", trust=st.sampled_from([{}, {"email.typed": 1, "email.login": 2}]), digest="d"),
    st.one_of(rulings),
    st.one_of(assertions),
    st.one_of(assertions),
)


@st.composite
def histories(draw: st.DrawFn, happenings: st.SearchStrategy[tuple[str, dict[str, Any]]]) -> list[Event]:
    """Up to thirty events about nine subjects, some of them back-dated, some revised."""
    events: list[Event] = []
    for number in range(draw(st.integers(2, 30))):
        kind, own = draw(happenings)
        _, source, subject = draw(streams).split(":")
        minutes = draw(st.integers(0, 20_000))
        at = START + timedelta(minutes=minutes)
        known = draw(st.sampled_from([None, at, at + timedelta(days=2)]))
        said = {**draw(references), **own, "source": source, "subject": f"contact:{subject}"}
        events.append(NAMES[kind](id=f"e{number}", occurred_at=at, known_at=known, **said))
        if draw(st.integers(0, 5)) == 0:
            again = {**said, "text": "corrected", "channel": "chat"}
            events.append(NAMES[kind](id=f"e{number}", revision=2, occurred_at=at, known_at=known, **again))
    return events


def see(known: Known) -> pl.DataFrame:
    """One row per event: whose it is, of which case, and since when its identifier is linked to any other."""
    linked = known.identity.links.group_by("person", identifier="one").agg(linked=pl.col("known_at").min())
    assigned = known.identity.assignments.select("subject", "identifier")
    rows = known.events.join(assigned, on="subject").join(linked, on=["person", "identifier"], how="left")
    return rows.with_columns(event="event_id", case="case_key")


def small_fact() -> ModuleType:
    """A fact that shows everything that the engine hands to a build."""
    fact = ModuleType("seen")
    fact.__dict__.update(VIEW=SEEN, VERSION=1, build=see, OPENED=tuple(EVENTS))
    return fact


@dataclass(frozen=True, kw_only=True)
class Home:
    """A log and its views."""

    log: Log
    engine: Engine

    def more(self, events: Sequence[Event]) -> "Home":
        """Append and catch up."""
        append(self.log, events)
        self.engine.catch_up(now=FAR)
        return self

    def rows(self) -> dict[str, list[tuple[Any, ...]]]:
        """Everything stored, but log positions, which tell the order of arrival."""
        return {
            name: told(self.engine.facts(name))
            for name in ("assignments", "identifiers", "subject_references", *self.engine.positions())
            if name != "identity"
        }


@contextmanager
def homes(facts: Sequence[ModuleType] = FACTS) -> Iterator[tuple[Home, Home]]:
    """Two empty homes with one key store, so that their tokens are the same."""
    with tempfile.TemporaryDirectory(prefix="omni") as folder, ExitStack() as opened:
        yield (
            opened.enter_context(home(Path(folder) / "one", Path(folder) / "keys.db", facts)),
            opened.enter_context(home(Path(folder) / "other", Path(folder) / "keys.db", facts)),
        )


@contextmanager
def home(folder: Path, keys: Path, facts: Sequence[ModuleType]) -> Iterator[Home]:
    """An empty home."""
    folder.mkdir()
    log = open_log(f"sqlite:///{folder}/log.db", keys=keys, create=True)
    engine = Engine(log, f"sqlite:///{folder}/views.db", facts, shipped=SHIPPED)
    yield Home(log=log, engine=engine)
    engine.close()
    log.close()


def told(frame: pl.DataFrame) -> list[tuple[Any, ...]]:
    """Rows without log positions."""
    return frame.drop("position", strict=False).rows()


def batches(events: Sequence[Event], cuts: Sequence[int]) -> Iterator[Sequence[Event]]:
    """The events in consecutive parts."""
    edges = sorted({0, len(events), *(cut % (len(events) + 1) for cut in cuts)})
    for start, stop in pairwise(edges):
        yield events[start:stop]


def replayed(history: Sequence[Event], chance: Any, cuts: Sequence[int], facts: Sequence[ModuleType]) -> None:
    """The same history at once in order, and shuffled in parts with redeliveries: all ways give the same rows."""
    arrived = [*history, *chance.sample(history, k=min(3, len(history)))]
    chance.shuffle(arrived)
    with homes(facts) as (straight, piecewise):
        expected = straight.more(history).rows()
        for batch in batches(arrived, cuts):
            piecewise.more(batch)

        assert piecewise.rows() == expected
        views = piecewise.engine.positions()
        assert {view.state for view in views.values()} == {"ok"}
        rebuilt = [(one.view, one.added, one.removed) for one in piecewise.engine.rebuild(now=FAR)]
        assert rebuilt == [(view, 0, 0) for view in views]
        known = piecewise.engine.replay(AsOf(instant=FAR, position=piecewise.log.head()))
        assert {name: told(frame) for name, frame in known.facts.items()} == {
            name: expected[name] for name in views if name != "identity"
        }
        columns = known.identity.assignments.columns
        assigned = piecewise.engine.facts("assignments").select(columns).sort("subject")
        assert known.identity.assignments.equals(assigned)


relaxed = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
chances = st.randoms(use_true_random=False)
cuts = st.lists(st.integers(0, 60), min_size=1, max_size=5)


@settings(relaxed, max_examples=EXAMPLES)
@given(histories(who_is_who), chances, cuts)
def test_identity_is_the_same_for_any_batching_order_of_arrival_and_redelivery(
    history: list[Event], chance: Any, cuts: list[int]
) -> None:
    replayed(history, chance, cuts, [small_fact()])


@settings(relaxed, max_examples=max(3, EXAMPLES // 5))
@given(histories(happenings), chances, cuts)
def test_all_facts_are_the_same_for_any_batching_order_of_arrival_and_redelivery(
    history: list[Event], chance: Any, cuts: list[int]
) -> None:
    replayed(history, chance, cuts, FACTS)


def persons(made: Home) -> list[tuple[Any, ...]]:
    """Who is who; what Omniline itself decided stands in a stream of its own."""
    rows = made.engine.facts("assignments").select("subject", "person", "identified").rows()
    return [row for row in rows if row[0] != "link:omniline:pins"]


destroyed = st.lists(streams, min_size=1, max_size=5)


@settings(relaxed, max_examples=EXAMPLES)
@given(histories(who_is_who), st.integers(0, 30), destroyed, destroyed)
def test_destroyed_keys_leave_everybody_where_they_were_and_whatever_comes_later_is_exact(
    history: list[Event], cut: int, first: list[str], second: list[str]
) -> None:
    """Only a key that a denied link kept from somebody falls to them when its holder is erased."""
    with homes([small_fact()]) as (made, _):
        before = persons(made.more(history[:cut]))
        made.log.keys.destroy(first, now=FAR)
        made.engine.rebuild(now=FAR)
        after = persons(made)
        assert [row[:2] for row in after] == [row[:2] for row in before]
        named = set(after) - set(before)
        assert all(identified for *_, identified in named)
        assert not named or {one.TOPIC for one in history[:cut]} >= {LinkDenied.TOPIC}

        made.log.keys.destroy(second, now=FAR)
        later = persons(made.more(history[cut:]))
        made.engine.rebuild(now=FAR)
        assert persons(made) == later
        again = [(one.view, one.added, one.removed) for one in made.engine.rebuild(now=FAR)]
        assert again == [(view, 0, 0) for view in made.engine.positions()]


class PowerCut(Exception):
    """The process dies here."""


def die(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
    """Rows are written, positions not yet."""
    if statement.startswith("INSERT INTO view_position"):
        raise PowerCut


def test_a_crash_between_rows_and_positions_leaves_the_old_state_and_the_next_run_is_exact() -> None:
    with homes() as (broken, straight):
        before = broken.more(contact(1, day=1)).rows()
        stood = broken.engine.positions()
        append(broken.log, contact(2, day=0))
        sa.event.listen(sa.Engine, "before_cursor_execute", die)
        try:
            with pytest.raises(PowerCut):
                broken.engine.catch_up(now=FAR)
        finally:
            sa.event.remove(sa.Engine, "before_cursor_execute", die)

        assert broken.rows() == before
        assert {name: view.position for name, view in broken.engine.positions().items()} == {
            name: view.position for name, view in stood.items()
        }
        expected = straight.more([*contact(1, day=1), *contact(2, day=0)]).rows()
        assert broken.more([]).rows() == expected != before


def contact(number: int, *, day: int) -> list[Event]:
    """A mail of Anna's."""
    subject, at = f"contact:{number}", START + timedelta(days=day)
    return [
        event("ContactReceived", f"{number}/in", at, subject, channel="email", **customer),
        asserted(subject, "email", "anna@example.com", at, "login"),
    ]
