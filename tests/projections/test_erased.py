"""Contacts whose keys were destroyed: what they count for stays, whom they were and what they told is gone."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from domain.asof import AsOf
from domain.log.checkpoints import sign
from domain.log.held import origin_of
from domain.log.signing import create_key, read_key
from domain.log.verification import verify
from projections.engine import Engine
from projections.kpis import BY_KEY, KPIS
from projections.reader import Reader
from tests.dashboards.conftest import Shop, opened
from tests.given import FAR, Given, asserted, event, given, local
from tests.golden_timeline import EMAIL, NUMBER, timeline

MOVING = {"context_available", "context_available_at_answer", "id_stage", "repeat_explanation"}
"""What may move: since when identifiers were linked cannot be told any more, nor what was said again."""
CALLS = tuple(f"contact:telephony:call-{number}" for number in (8, 9, 10, 11, 16))
MAIL, CHAT, OWN = "contact:shop:mail-1", "contact:shop:chat-1", "customer:shop:C1"
PINS = "link:omniline:pins"


def answers(reader: Reader) -> dict[tuple[str, bool], list[dict[str, Any]]]:
    """Every KPI's whole answer, in all and by channel."""
    return {
        (kpi.key, by_channel): reader.kpi(kpi.key, by=["channel"] if by_channel else []).to_dicts()
        for kpi in KPIS
        for by_channel in {False, reader.by_channel(kpi.key)}
    }


def moved(before: dict[tuple[str, bool], Any], after: dict[tuple[str, bool], Any]) -> set[str]:
    """The KPIs of which any answer differs."""
    return {key for key, by_channel in before if before[key, by_channel] != after[key, by_channel]}


def persons(engine: Engine) -> list[tuple[Any, ...]]:
    """Who is who; what Omniline itself decided stands in a stream of its own."""
    rows = engine.facts("assignments").select("subject", "person", "identified")
    return rows.filter(pl.col("subject") != PINS).rows()


def tables(engine: Engine) -> dict[str, list[tuple[Any, ...]]]:
    """Every stored row."""
    names = ("assignments", "identifiers", *(name for name in engine.positions() if name != "identity"))
    return {name: engine.facts(name).rows() for name in names}


def destroy(home: Given | Shop, *streams: str) -> None:
    """Nobody opens anything of these again."""
    home.log.keys.destroy(streams, now=FAR)


def test_what_may_move_rests_on_persons_or_on_texts_and_nothing_else_does() -> None:
    assert {BY_KEY[key].level for key in MOVING} == {"person", "text"}
    resting = {kpi.key for kpi in KPIS if kpi.level != "contact"} - MOVING
    assert resting == {"persons", "id_stage_now"}


@pytest.mark.parametrize(
    "streams", [[CALLS[0]], [MAIL, CHAT], [OWN], [*CALLS[1:4], OWN], [*CALLS, MAIL, CHAT, OWN]]
)
def test_the_golden_timeline_counts_the_same_without_the_keys_of_some_contacts(
    tmp_path: Path, streams: list[str]
) -> None:
    home = given(tmp_path, timeline())
    before, who = answers(home.reader()), persons(home.engine)
    destroy(home, *streams)
    home.engine.rebuild(now=FAR)
    assert moved(before, answers(home.reader())) <= MOVING
    assert persons(home.engine) == who
    assert set(home.engine.facts("identifiers").filter("erased")["subject"]) == set(streams)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with opened(tmp_path, customers=300) as made:
        yield made


def test_a_shop_counts_the_same_step_by_step_and_its_log_stays_provable(shop: Shop) -> None:
    public = create_key(shop.folder / "signing.key", origin=origin_of(shop.log))
    copy = shop.folder / "checkpoints.txt"
    sign(shop.log, key=read_key(shop.folder / "signing.key"), copy=copy, now=shop.until)
    before, who = answers(shop.reader()), persons(shop.engine)
    for streams in chosen(shop.engine):
        destroy(shop, *streams)
        shop.engine.rebuild(now=shop.until)
        assert moved(before, answers(shop.reader())) <= MOVING
        assert persons(shop.engine) == who
    report = verify(shop.log, keys=[public], copies=[copy])
    assert report.findings == ()
    assert report.events == shop.log.head() > report.signed


def chosen(engine: Engine) -> Iterator[list[str]]:
    """Contacts on which much rests: cases over channels, calls back, cards that tie it all; persons; a tenth."""
    assigned = engine.facts("assignments").filter("identified").sort("subject")
    switched = engine.facts("switches").select("person", "case")
    contacts = engine.facts("contacts").join(switched, on=["person", "case"]).sort("start_at")
    yield contacts["subject"].unique(maintain_order=True).to_list()[::3]
    owed = engine.facts("clocks").filter(pl.col("kind") == "callback_kept")["person"].unique()
    calls = assigned.filter(pl.col("person").is_in(owed.implode()), pl.col("subject").str.contains("call-"))
    yield calls["subject"].to_list()[::2]
    yield assigned.filter(pl.col("subject").str.starts_with("customer:crm:"))["subject"].to_list()[::5]
    busiest = (
        assigned["person"].value_counts(sort=True).sort("count", "person", descending=True)["person"][:10]
    )
    yield assigned.filter(pl.col("person").is_in(busiest.implode()))["subject"].to_list()
    yield assigned["subject"].to_list()[::10]


def test_catching_up_with_nothing_new_leaves_every_row(tmp_path: Path) -> None:
    home = given(tmp_path, timeline())
    before, head = tables(home.engine), home.log.head()
    destroy(home, MAIL, CALLS[0])
    progress = home.engine.catch_up(now=FAR)
    assert (progress.added, progress.removed, home.log.head()) == (0, 0, head)
    assert tables(home.engine) == before


def test_whatever_is_new_about_their_persons_moves_nobody_and_is_pinned_once(tmp_path: Path) -> None:
    home = given(tmp_path, timeline())
    who = persons(home.engine)
    destroy(home, OWN, *CALLS)
    later = local("12-01 10:00")
    home.more([event("NoteAdded", "n", later, MAIL.replace(":shop", ""), actor_kind="human_agent")])
    assert persons(home.engine) == who
    head = home.log.head()
    assert head > len(timeline()) + 1
    home.engine.rebuild(now=FAR)
    assert (home.log.head(), persons(home.engine)) == (head, who)


def test_a_decision_parts_what_was_pinned(tmp_path: Path) -> None:
    home = given(tmp_path, timeline())
    destroy(home, CALLS[4])
    home.engine.rebuild(now=FAR)
    pinned = home.log.arrow(topics=["link.confirmed"])["state"].to_pylist()
    assert pinned == [f'{{"actor_kind":"system","one":"{CHAT}","other":"{CALLS[4]}"}}']
    at = FAR + timedelta(hours=1)
    home.more([event("LinkCleared", "u", at, "link:u", one=CHAT, other=CALLS[4], known_at=at)], now=at)
    own = [row for row in persons(home.engine) if row[0] == CALLS[4]]
    assert own == [(CALLS[4], CALLS[4], True)]


def test_who_cannot_be_named_stays_nameless_and_what_was_shared_stays_shared(tmp_path: Path) -> None:
    at = local("03-02 10:00")

    def bearing(name: str, ns: str, value: str, obtained: str) -> list[Any]:
        came = event("ContactReceived", name, at, f"contact:{name}", channel="email", actor_kind="customer")
        return [came, asserted(f"contact:{name}", ns, value, at, obtained)]

    flag = event("IdentifierFlagged", "f", at, "link:f", one="contact:shop:flagged", ns="phone", known_at=at)
    home = given(
        tmp_path,
        [
            *bearing("role", "email", "biuro@example.com", "login"),
            *bearing("flagged", "phone", "601 234 567", "typed"),
            *bearing("one", "phone", "601234567", "typed"),
            *bearing("other", "phone", "+48601234567", "typed"),
            flag,
        ],
    )
    who = persons(home.engine)
    assert [row for row in who if row[2]] == []
    destroy(home, "contact:shop:role", "contact:shop:flagged")
    home.engine.rebuild(now=FAR)
    assert persons(home.engine) == who


def test_a_line_tells_what_was_erased_and_nobody_is_found_by_it(tmp_path: Path, log_url: str) -> None:
    home = given(tmp_path, timeline(), url=log_url)
    destroy(home, MAIL, OWN)
    home.engine.rebuild(now=FAR)
    for reader in (home.reader(), home.reader().at(AsOf(instant=FAR))):
        line = reader.person(OWN)
        erased = line.entries.filter("erased").select("event_id", "summary")
        assert sorted(erased.rows()) == [
            ("shop|1|1", ""),
            ("shop|3|1", ""),
            ("shop|4|1", ""),
            (f"shop|contact:mail-1/email/{EMAIL}|1", "email"),
            ("shop|customer:C1/account/C1|1", "account"),
            (f"shop|customer:C1/email/{EMAIL}|1", "email"),
            (f"shop|customer:C1/phone/{NUMBER}|1", "phone"),
        ]
        assert line.identifiers.rows() == [
            ("account", "C1", "shop", "login"),
            ("account", None, "shop", "login"),
            ("email", None, "shop", "login"),
            ("email", None, "shop", "typed"),
            ("phone", NUMBER, "telephony", "caller_id"),
            ("phone", None, "shop", "typed"),
        ]
        assert [reader.find(text) for text in (EMAIL, NUMBER, "A", MAIL)] == [[], [OWN], [OWN], [OWN]]
