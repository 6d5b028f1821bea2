"""One row per hand-over opportunity: a customer turn after a change of agent, team or channel, or on an open topic.

Level 1: somebody stated that the customer had to explain again. Level 2: the turn's text restates an earlier one,
by a shared number of five or more digits or by similar wording (KPI dictionary 2.2, repeat_explanation).
"""

from datetime import datetime, timedelta

import polars as pl
from rapidfuzz import fuzz, process

from domain.events.cases import HandedOver, StateReported
from domain.events.contacts import ContactReceived, ExplanationRepeated
from projections.frames import of
from projections.known import Known
from projections.nearest import preceding
from projections.tables import conform, table

VERSION = 2
OPENED = (ContactReceived.TOPIC,)
"""Topics whose text is compared; no row holds any of it."""
VIEW = table(
    "handovers",
    "turn",
    turn=str,
    person=str,
    case=str,
    channel=str,
    topic=str,
    group=str,
    agent=str,
    cause=str,
    at=datetime,
    level=int,
    restates=str,
    known_then=bool,
)

STATED_WITHIN = timedelta(days=7)
SIMILAR = 80.0
SHORTEST = 25
"""Characters: below, greetings and thanks look alike."""
RECALLED = 20
"""Earlier turns a text is compared with, on the case and on the topic each: a person may have thousands."""
NUMBER = r"\d{5,}"
CASE = ("person", "case_key")


def build(known: Known) -> pl.DataFrame:
    """Opportunities with the level at which the customer explained again, null where nothing was repeated."""
    came = _turns(known)
    chances = pl.concat([_changes(came), _open_topics(known, came)]).unique(
        "turn", keep="first", maintain_order=True
    )
    chances = chances.join(_stated(known.events, chances), on="turn", how="left")
    chances = chances.join(_restated(chances, came), on="turn", how="left")
    level = pl.when("stated").then(1).when(pl.col("restates").is_not_null()).then(2)
    return conform(VIEW, chances.with_columns(level=level.cast(pl.Int64)))


def _turns(known: Known) -> pl.DataFrame:
    """Customer turns with who was responsible when they came, and how often that had changed in the case."""
    events = known.ranked
    answers = known.turns.filter(pl.col("role").is_in(["human", "initiated"]))
    passed = of(events, HandedOver)
    shared = ("rank", *CASE)
    responsible = pl.concat(
        [
            answers.select(*shared, held_by="actor", held_in="queue"),
            passed.select(*shared, "from_agent", "from_group", held_by="to_agent", held_in="to_group"),
            of(events, StateReported).select(*shared, held_by="agent", held_in="group"),
        ],
        how="diagonal",
    )
    came = known.turns.filter(pl.col("role") == "customer")
    both = pl.concat([came, responsible], how="diagonal").sort(*CASE, "rank")
    both = both.with_columns(
        agents=_moves("held_by", "from_agent"),
        teams=_moves("held_in", "from_group"),
        held_by=pl.col("held_by").forward_fill().over(*CASE),
        held_in=pl.col("held_in").forward_fill().over(*CASE),
    )
    return both.filter(pl.col("role") == "customer")


def _moves(holder: str, giver: str) -> pl.Expr:
    """How often the holder had changed so far; the first holder of all is no change unless somebody gave it."""
    before = pl.coalesce(giver, pl.col(holder).forward_fill().shift().over(*CASE))
    return (pl.col(holder) != before).fill_null(False).cast(pl.Int64).cum_sum().over(*CASE)


def _changes(came: pl.DataFrame) -> pl.DataFrame:
    came = came.sort(*CASE, "rank").with_columns(named=pl.col("channel").forward_fill().over(*CASE))
    same = pl.struct(CASE) == pl.struct(CASE).shift()

    def changed(name: str) -> pl.Expr:
        return (same & (pl.col(name) != pl.col(name).shift())).fill_null(False)

    cause = (
        pl.when(changed("named"))
        .then(pl.lit("channel"))
        .when(changed("teams"))
        .then(pl.lit("team"))
        .when(changed("agents"))
        .then(pl.lit("agent"))
    )
    return _chance(came.with_columns(cause=cause).filter(pl.col("cause").is_not_null()))


def _open_topics(known: Known, came: pl.DataFrame) -> pl.DataFrame:
    """The first turn of a contact while another case of the person on the same topic is open."""
    first = came.join(known.facts["contacts"].select(event_id="contact"), on="event_id", how="semi")
    first = first.filter(pl.col("topic").is_not_null())
    cycles = known.facts["cycles"].select("person", "topic", "opened_at", "resolved_at", case_key="case")
    others = _open_then(first, cycles, ["person", "topic"]) - _open_then(
        first, cycles, ["person", "topic", "case_key"]
    )
    return _chance(first.filter(others > 0).with_columns(cause=pl.lit("open_topic")))


def _open_then(turns: pl.DataFrame, cycles: pl.DataFrame, by: list[str]) -> pl.Series:
    """How many cycles of the same `by` had begun before each turn and were not over at it: two counts' difference."""
    cycles = cycles.filter(pl.col("resolved_at").is_null() | (pl.col("resolved_at") > pl.col("opened_at")))
    counts = []
    for at, equal in (("opened_at", False), ("resolved_at", True)):
        ended = cycles.filter(pl.col(at).is_not_null()).sort(at).select(*by, at)
        ended = ended.with_columns(so_far=pl.int_range(1, pl.len() + 1).over(by))
        found = preceding(turns, ended, before="occurred_at", at=at, by=by, equal=equal)
        counts.append(found["so_far"].fill_null(0))
    return counts[0] - counts[1]


def _chance(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.select(
        "person", "channel", "topic", "cause", "text", "known_at",
        turn="event_id", case="case_key", group="held_in", agent="held_by", at="occurred_at",
    )  # fmt: skip


def _stated(events: pl.DataFrame, chances: pl.DataFrame) -> pl.DataFrame:
    told = of(events, ExplanationRepeated).select("person", case="case_key", told_at="occurred_at")
    near = preceding(
        told,
        chances.select("person", "case", "turn", "at"),
        before="told_at",
        at="at",
        by=["person", "case"],
        equal=True,
    )
    return (
        near.filter(pl.col("turn").is_not_null(), pl.col("told_at") - pl.col("at") <= STATED_WITHIN)
        .select("turn", stated=pl.lit(True))
        .unique("turn")
    )


def _restated(chances: pl.DataFrame, came: pl.DataFrame) -> pl.DataFrame:
    """For each opportunity the newest earlier customer turn of the same case or topic that its text restates."""
    said = came.filter(pl.col("text").str.len_chars() >= SHORTEST).select(
        "person", "topic", case="case_key", earlier="event_id",
        earlier_text="text", earlier_at="occurred_at", earlier_known="known_at",
    )  # fmt: skip
    asked = chances.filter(pl.col("text").str.len_chars() >= SHORTEST)
    pairs = pl.concat([_earlier(asked, said, matter) for matter in ("case", "topic")]).unique(
        ["turn", "earlier"]
    )
    numbers = pl.col("text").str.extract_all(NUMBER), pl.col("earlier_text").str.extract_all(NUMBER)
    shared = numbers[0].list.set_intersection(numbers[1]).list.len() > 0
    alike = process.cpdist(
        pairs["text"].str.to_lowercase().to_list(),
        pairs["earlier_text"].str.to_lowercase().to_list(),
        scorer=fuzz.token_set_ratio,
    )
    return (
        pairs.with_columns(alike=pl.Series(alike, dtype=pl.Float64))
        .filter(shared | (pl.col("alike") >= SIMILAR))
        .sort("turn", "earlier_at", "earlier")
        .group_by("turn", maintain_order=True)
        .agg(restates=pl.col("earlier").last(), known_then=(pl.col("earlier_known") <= pl.col("at")).last())
    )


def _earlier(asked: pl.DataFrame, said: pl.DataFrame, matter: str) -> pl.DataFrame:
    """Each opportunity with the up to `RECALLED` turns before it on its case, or on its topic, of the last 90 days."""
    by = ["person", matter]
    told = said.filter(pl.col(matter).is_not_null()).sort(*by, "earlier_at", "earlier")
    told = told.with_columns(number=pl.int_range(pl.len()).over(by))
    newest = preceding(
        asked.select("turn", "at", "text", *by),
        told.select(*by, "earlier_at", "number"),
        before="at",
        at="earlier_at",
        by=by,
    ).filter(pl.col("number").is_not_null())
    recalled = newest.drop("earlier_at").with_columns(back=pl.lit(list(range(RECALLED)))).explode("back")
    return (
        recalled.with_columns(number=pl.col("number") - pl.col("back"))
        .join(told, on=[*by, "number"])
        .filter(pl.col("at") - pl.col("earlier_at") <= timedelta(days=90))
        .select("turn", "at", "text", "earlier", "earlier_text", "earlier_at", "earlier_known")
    )
