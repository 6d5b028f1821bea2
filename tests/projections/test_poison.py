"""Poison: an event that cannot be read stops who reads it, and nobody else; mended, they resume as a rebuild would."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.events import NAMES
from domain.events.contacts import ContactReceived
from domain.events.envelope import Event
from projections.engine import ViewState
from projections.facts import FACTS
from projections.frames import of
from projections.known import Known
from projections.tables import table
from tests.given import FAR, POLICY, append
from tests.projections.homes import OPENED, SEEN, Home, at, bears, fact, home, log_of, said, see
from tests.test_replay import batches, happenings, histories

MAIL, CALL = "contact:shop:mail", "contact:telephony:call"
LATER = FAR + timedelta(minutes=2)
VERIFY = "run `omniline verify`, which tells whether the log was altered."
RECEIVED = table("received", "person", person=str, mails=int)
EVENTS = (
    said("ContactReceived", "shop:mail", 1, case="A", text="first", id="one"),
    bears("shop:mail", "email", "anna@example.com", 1),
    said("ContactReceived", "telephony:call", 2, case="B", id="two"),
    bears("telephony:call", "phone", "601234567", 2, "caller_id"),
)


def receive(known: Known) -> pl.DataFrame:
    """How many mails each person sent."""
    return of(known.events, ContactReceived).group_by("person").agg(mails=pl.len())


TWO = [fact(RECEIVED, receive), fact(SEEN, see)]


def poisoned(
    tmp_path: Path, views: str, position: int, state: str | bytes
) -> tuple[Home, dict[str, str | bytes]]:
    """A home, never caught up before, whose event at a position cannot be read, and what stood in its row."""
    made = Home(folder=tmp_path, log=log_of(tmp_path, create=True), facts=TWO, views=views)
    append(made.log, EVENTS)
    former = made.alter(position, state=state)
    made.engine.catch_up(now=FAR)
    return made, former


def well(made: Home) -> None:
    """All views are at the head, and as a rebuild would make them."""
    head = made.log.head()
    assert set(made.engine.positions().values()) == {ViewState(position=head, lag=0, state="ok")}
    found = made.engine.rebuild(now=LATER)
    assert {one.outcome for one in found} == {"same"}, found
    assert made.engine.passed_over() == ()


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        (b"no JSON", "its state is no JSON object"),
        ("no JSON", "its state is no JSON object"),
        (b"\xff\x00{}", "its state is no text"),
        ("", "its state is no JSON object"),
        ('["text"]', "its state is no JSON object"),
        ('{"text":"first"', "its state is no JSON object"),
        ('{"text":"first"}\n{}', "its state is no JSON object"),
        ('{"seq":"first"}', "its seq is of another kind than declared"),
    ],
)
def test_only_who_reads_an_unreadable_event_stops_and_resumes_once_it_can_be_read(
    tmp_path: Path, state: str | bytes, reason: str
) -> None:
    made, former = poisoned(tmp_path, f"sqlite:///{tmp_path}/views.db", 1, state)
    sentence = (
        f"received stopped at the event shop|one|1 at position 1, which cannot be read ({reason}): {VERIFY}"
    )
    failed = ViewState(position=0, lag=4, state="failed", error=sentence)
    ok = ViewState(position=4, lag=0, state="ok")
    assert made.engine.positions() == {"identity": ok, "received": failed, "seen": ok}
    assert made.engine.passed_over() == (f"The event shop|one|1 at position 1 cannot be read ({reason}).",)
    progress = made.more(said("ContactReceived", "telephony:call", 3))
    assert progress.views["seen"] == ViewState(position=5, lag=0, state="ok")
    assert (progress.views["received"].lag, progress.views["received"].state) == (5, "failed")
    assert len(made.rows()) == 5

    made.alter(1, **former)
    made.engine.catch_up(now=LATER)
    assert made.rows("received") == [(MAIL, 1), (CALL, 2)]
    well(made)


def test_an_event_of_a_newer_class_waits_for_a_newer_omniline(tmp_path: Path, views_url: str) -> None:
    made, former = poisoned(tmp_path, views_url, 1, '{"class_version":7,"case":"A","mood":"good"}')
    assert made.engine.positions()["received"].error == (
        "received stopped at the event shop|one|1 at position 1, which cannot be read (it is of version 7 of "
        "contact.received, this Omniline knows 1): update Omniline."
    )
    assert [view.state for view in made.engine.positions().values()] == ["ok", "failed", "ok"]
    assert (MAIL, "shop|one|1", "A") in [row[:3] for row in made.rows()]
    made.alter(1, **former)
    made.engine.catch_up(now=LATER)
    well(made)


def test_it_is_so_on_either_store_and_another_engine_resumes_at_once(tmp_path: Path, views_url: str) -> None:
    made, former = poisoned(tmp_path, views_url, 3, "no JSON")
    assert [view.state for view in made.engine.positions().values()] == ["ok", "failed", "ok"]
    made.alter(3, **former)
    other = made.reopened(TWO)
    assert {view.state for view in other.catch_up(now=FAR).views.values()} == {"ok"}
    assert other.facts("received").rows() == [(MAIL, 1), (CALL, 1)]
    well(made)


def test_an_event_that_becomes_unreadable_later_stops_who_reads_it_again(tmp_path: Path) -> None:
    made = home(tmp_path, EVENTS, facts=TWO)
    former = made.alter(1, state='{"text":')
    progress = made.more(said("ContactReceived", "shop:mail", 4))
    assert progress.views["received"].error == (
        "received stopped at the event shop|one|1 at position 1, which cannot be read (its state is no JSON object): "
        f"{VERIFY}"
    )
    assert made.rows("received") == [(MAIL, 1), (CALL, 1)]
    made.alter(1, **former)
    made.engine.catch_up(now=LATER)
    assert made.rows("received") == [(MAIL, 2), (CALL, 1)]
    well(made)


def test_a_revision_takes_the_place_of_an_unreadable_event(tmp_path: Path) -> None:
    made, _ = poisoned(tmp_path, f"sqlite:///{tmp_path}/views.db", 1, "no JSON")
    append(made.log, [said("ContactReceived", "shop:mail", 1, case="A", id="one", revision=2)])
    views = made.engine.catch_up(now=LATER).views
    assert set(views.values()) == {ViewState(position=5, lag=0, state="ok")}
    assert made.rows("received") == [(MAIL, 1), (CALL, 1)]


def test_the_shipped_facts_that_do_not_read_an_event_go_on(tmp_path: Path) -> None:
    made = home(tmp_path, facts=FACTS)
    orders = [NAMES["OrderPlaced"](source="shop", id="o", subject="order:1", occurred_at=at(3), order="1")]
    append(made.log, [*EVENTS, *orders])
    former = made.alter(5, state='{"total":{"amount":1}}')
    made.engine.catch_up(now=FAR)
    states = {name: view.state for name, view in made.engine.positions().items()}
    assert {name for name, state in states.items() if state != "ok"} == {"orders"}
    made.alter(5, **former)
    made.engine.catch_up(now=LATER)
    well(made)


def test_what_people_wrote_is_in_no_sentence_about_a_build_that_fails(tmp_path: Path) -> None:
    def fail(known: Known) -> pl.DataFrame:
        return receive(replace(known, events=known.events.cast({"text": pl.Int64})))

    made = home(tmp_path, EVENTS, facts=[fact(RECEIVED, fail), fact(SEEN, see)])
    line = fail.__code__.co_firstlineno + 1
    assert made.engine.positions()["received"].error == (
        f"received could not be built (InvalidOperationError in test_poison.py, line {line}), first with the event "
        "shop|one|1 at position 1: mend its build, then project again."
    )


def test_topics_that_are_unknown_stop_nobody_and_are_counted(tmp_path: Path, views_url: str) -> None:
    made = home(tmp_path, facts=TWO, views=views_url)
    append(made.log, EVENTS)
    former = made.alter(1, topic="visit.booked")
    told = "1 events of the topic visit.booked, unknown to this Omniline, are passed over: update it."
    assert made.engine.catch_up(now=FAR).notes == (told,)
    append(made.log, [said("ContactReceived", "shop:mail", hours) for hours in (5, 6)])
    made.alter(5, topic="visit.booked")
    made.alter(6, topic="visit.booked")
    assert made.engine.catch_up(now=FAR).notes == (told.replace("1 events", "2 events"),)
    assert made.engine.catch_up(now=FAR).notes == ()
    assert made.engine.passed_over() == (told.replace("1 events", "3 events"),)
    assert {view.state for view in made.engine.positions().values()} == {"ok"}
    assert made.rows("received") == [(CALL, 1)]
    assert made.rows() == made.whole()
    assert former == {"topic": "contact.received"}


def test_where_who_is_who_cannot_be_said_everything_stands_still_and_says_so(
    tmp_path: Path, views_url: str
) -> None:
    made = home(tmp_path, EVENTS, facts=TWO, views=views_url)
    before = [made.rows(name) for name in ("assignments", "received", "seen")]
    append(made.log, [bears("shop:mail", "phone", "+48 601 234 567", 3)])
    former = made.alter(5, state='{"ns":["phone"],"value":{}')
    event = "shop|contact:mail/phone/+48 601 234 567|1"
    why = f"the event {event} at position 5, which cannot be read (its state is no JSON object): {VERIFY}"
    follows = "follows from identity, which stands still: mend that one first."
    red = {
        "identity": ViewState(position=4, lag=1, state="failed", error=f"identity stopped at {why}"),
        "received": ViewState(position=4, lag=1, state="failed", error=f"received {follows}"),
        "seen": ViewState(position=4, lag=1, state="failed", error=f"seen {follows}"),
    }
    assert made.engine.catch_up(now=FAR).views == red
    assert made.engine.catch_up(now=FAR).views == red
    assert [made.rows(name) for name in ("assignments", "received", "seen")] == before
    found = made.reopened(TWO).rebuild(now=FAR)
    assert [(one.outcome, one.error) for one in found] == [
        ("failed", f"identity stopped at {why}"), ("same", None), ("same", None)
    ]  # fmt: skip

    made.alter(5, **former)
    made.engine.catch_up(now=LATER)
    assert made.persons() == {MAIL: MAIL, CALL: MAIL}
    well(made)


def test_a_first_run_that_cannot_say_who_is_who_builds_everything_once_it_can(
    tmp_path: Path, views_url: str
) -> None:
    made, former = poisoned(tmp_path, views_url, 2, "no JSON")
    assert {view.state for view in made.engine.positions().values()} == {"failed"}
    assert made.rows() == []
    assert {one.outcome for one in made.engine.rebuild(now=FAR)} == {"failed"}
    made.alter(2, **former)
    views = made.engine.catch_up(now=LATER).views
    assert set(views.values()) == {ViewState(position=4, lag=0, state="ok")}
    well(made)


def test_a_decision_that_cannot_be_read_stops_everything_and_crashes_nothing(tmp_path: Path) -> None:
    made = home(tmp_path, EVENTS, facts=TWO)
    adopted = {"version": "2", "starts_at": at(5), "digest": "d", "content": POLICY}
    append(
        made.log,
        [NAMES["PolicyAdopted"](source="shop", id="p", subject="policy:p", occurred_at=at(5), **adopted)],
    )
    former = made.alter(5, state="no JSON")
    views = made.engine.catch_up(now=FAR).views
    assert {view.state for view in views.values()} == {"failed"}
    assert str(views["identity"].error).startswith("identity stopped at the event shop|p|1 at position 5, ")
    made.alter(5, **former)
    made.engine.catch_up(now=LATER)
    well(made)


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(histories(happenings), st.data())
def test_whatever_was_unreadable_for_a_while_leaves_no_trace(
    history: list[Event], data: st.DataObject
) -> None:
    """Parts of a history arrive, some states are broken and mended between: in the end all is as if never broken."""
    with TemporaryDirectory(prefix="omni") as folder:
        made = home(Path(folder), facts=FACTS)
        broken: dict[int, dict[str, str | bytes]] = {}
        now = FAR
        for part in batches(history, data.draw(st.lists(st.integers(0, 60), min_size=1, max_size=3))):
            append(made.log, part)
            for position in data.draw(st.sets(st.integers(1, made.log.head()), max_size=2)) - broken.keys():
                state = data.draw(st.sampled_from(["", "no JSON", '{"seq":"x"}', '{"class_version":9}']))
                broken[position] = made.alter(position, state=state)
            made.engine.catch_up(now=now)
            for position in list(broken)[:1]:
                made.alter(position, **broken.pop(position))
            now += timedelta(hours=2)
        for position, former in broken.items():
            made.alter(position, **former)
        made.engine.catch_up(now=now)
        well(made)
        while OPENED:
            OPENED.pop().close()


def test_a_case_named_by_an_event_that_nobody_reads_counts_as_soon_as_it_can_be_read(tmp_path: Path) -> None:
    made = home(tmp_path, EVENTS, facts=TWO)
    append(made.log, [said("NoteAdded", "shop:nameless", 3, case="A", id="note")])
    former = made.alter(5, state="no JSON")
    made.engine.catch_up(now=FAR)
    assert made.persons()["contact:shop:nameless"] == "contact:shop:nameless"
    assert {view.state for view in made.engine.positions().values()} == {"ok"}
    made.alter(5, **former)
    made.engine.catch_up(now=LATER)
    assert made.persons()["contact:shop:nameless"] == MAIL
    well(made)
