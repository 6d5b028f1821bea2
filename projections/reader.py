"""The only door to what is derived: one reader answers at one position and one instant."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from zoneinfo import ZoneInfo

import polars as pl

from domain.asof import AsOf
from domain.log import EVERY, Log
from domain.policy import Channel, Policies
from projections import promised, rollout
from projections.engine import Engine
from projections.frames import decode, effective, with_case_key
from projections.known import Known
from projections.kpi import KPI, compute, dimensions
from projections.kpis import BY_KEY, KPIS
from projections.lines import PersonLine, find, person_line
from projections.worktime import Worktime

UTC_INSTANT = pl.Datetime("us", "UTC")


class ReaderError(Exception):
    """A question that cannot be answered as put; the message is one sentence for people."""


@dataclass(frozen=True, kw_only=True)
class Freshness:
    """How new the answers are; instants UTC, `lag` in events behind the log's head."""

    position: int
    head: int
    lag: int
    events: int
    newest_occurred_at: datetime | None
    states: dict[str, str]


class Reader:
    """Answers from the views at their position, or from a replay at another; `instant` judges running clocks."""

    def __init__(
        self, engine: Engine, now: datetime, known: Known | None = None, position: int | None = None
    ) -> None:
        self.engine = engine
        self.instant = now
        self.known = known
        self.position = engine.position() if position is None else position
        self._prepared: dict[tuple[str, str | None, str | None], pl.DataFrame] = {}

    def at(self, as_of: AsOf) -> "Reader":
        """The same questions, answered from what `as_of` admits."""
        position = self.engine.log.head() if as_of.position is None else as_of.position
        return Reader(self.engine, as_of.instant, self.engine.replay(as_of), position)

    @cached_property
    def policies(self) -> Policies:
        """What was promised, in every version known here."""
        return self.known.policies if self.known else self.engine.policies()

    @cached_property
    def worktime(self) -> Worktime:
        """Business time under these policies."""
        return self.known.worktime if self.known else self.engine.worktime()

    @cached_property
    def zone(self) -> ZoneInfo:
        """The reporting zone: days and periods are local to it."""
        return ZoneInfo(self.policies.at(self.instant).zone)

    def facts(self, name: str) -> pl.DataFrame:
        """A whole fact table, or who is who: assignments, identifiers."""
        if self.known is None:
            return self.engine.facts(name)
        people = {
            "assignments": self.known.identity.assignments,
            "identifiers": self.known.identity.identifiers,
        }
        return people[name] if name in people else self.known.facts[name]

    def freshness(self) -> Freshness:
        """Position, lag and the newest business instant that the answers know."""
        head = self.engine.log.head()
        return Freshness(
            position=self.position,
            head=head,
            lag=head - self.position,
            events=sum(self.engine.log.counts().values()),
            newest_occurred_at=self._newest(),
            states={name: view.state for name, view in self.engine.positions().items()},
        )

    def _newest(self) -> datetime | None:
        seen = [self.facts("contacts")["end_at"].max(), self.facts("persons")["newest_at"].max()]
        return max((moment for moment in seen if isinstance(moment, datetime)), default=None)

    def channels(self) -> list[Channel]:
        """The channels of the policy in force, in the order of lists."""
        return self.policies.at(self.instant).ordered()

    def catalogue(self) -> tuple[KPI, ...]:
        """Every KPI."""
        return KPIS

    def kpi(
        self,
        key: str,
        *,
        by: Sequence[str] = (),
        start: date | None = None,
        end: date | None = None,
        channels: Sequence[str] | None = None,
    ) -> pl.DataFrame:
        """One KPI over local days [start, end): the columns of the command-line contract after the dimensions."""
        return self._answer(key, by, start, end, channels, every=None)

    def series(
        self,
        key: str,
        *,
        every: str,
        by: Sequence[str] = (),
        start: date | None = None,
        end: date | None = None,
        channels: Sequence[str] | None = None,
    ) -> pl.DataFrame:
        """The same per `period` (local date on which a day, week or month begins: "1d", "1w", "1mo")."""
        return self._answer(key, by, start, end, channels, every=every)

    def by_channel(self, key: str) -> bool:
        """Whether what a KPI counts came through a channel."""
        kpi = BY_KEY[key]
        return "channel" in self.prepared(kpi.fact, kpi.since, kpi.idle).columns

    def _answer(
        self,
        key: str,
        by: Sequence[str],
        start: date | None,
        end: date | None,
        channels: Sequence[str] | None,
        *,
        every: str | None,
    ) -> pl.DataFrame:
        kpi = BY_KEY[key]
        frame = self._within(
            self.prepared(kpi.fact, kpi.since, kpi.idle), None if kpi.kind == "stock" else kpi.at, start, end
        )
        known = dimensions(kpi, frame.columns)
        unknown = [name for name in by if name not in known]
        twice = [name for number, name in enumerate(by) if known.get(name) in map(known.get, by[:number])]
        if twice and not unknown:
            raise ReaderError(f"'{twice[0]}' says again what another dimension says; name each once.")
        if unknown:
            raise ReaderError(
                f"{key} has no dimension '{unknown[0]}'; it has {', '.join(sorted(known)) or 'none'}."
            )
        if channels is not None and "channel" in frame.columns:
            frame = frame.filter(pl.col("channel").is_in(list(channels)))
        groups = [known[name] for name in by]
        if every:
            local = pl.col(kpi.at or "as_of").dt.convert_time_zone(str(self.zone))
            frame = frame.with_columns(period=local.dt.truncate(every).dt.date())
            groups = ["period", *groups]
        return compute(kpi, frame, by=groups).rename(
            {known[name]: name for name in by if known[name] != name}, strict=False
        )

    def prepared(self, fact: str, since: str | None, idle: str | None = None) -> pl.DataFrame:
        """A fact table with `as_of`, `spent_us` where clocks run since an instant, and `queue_risk` for clocks."""
        key = (fact, since, idle)
        if key not in self._prepared:
            self._prepared[key] = self._prepare(
                self.facts(fact), fact, since or ("started_at" if fact == "clocks" else None), idle
            )
        return self._prepared[key]

    def _prepare(self, frame: pl.DataFrame, fact: str, since: str | None, idle: str | None) -> pl.DataFrame:
        frame = frame.with_columns(as_of=pl.lit(self.instant).cast(UTC_INSTANT))
        if since is None or "calendar" not in frame.columns:
            return frame
        until = frame.select(pl.min_horizontal("as_of", "paused_since") if idle else "as_of").to_series()
        spent = self.worktime.elapsed(frame[since], until, frame["calendar"])
        frame = frame.with_columns(spent_us=spent - frame[idle] if idle else spent)
        if fact != "clocks":
            return frame
        clocks = frame.with_columns(spent_us=pl.coalesce("elapsed_us", "spent_us"))
        return promised.queue_risk(clocks, self.worktime, self.instant)

    def _within(
        self, frame: pl.DataFrame, at: str | None, start: date | None, end: date | None
    ) -> pl.DataFrame:
        if at and start:
            frame = frame.filter(pl.col(at) >= self._midnight(start))
        if at and end:
            frame = frame.filter(pl.col(at) < self._midnight(end))
        return frame

    def _midnight(self, day: date) -> datetime:
        return datetime(day.year, day.month, day.day, tzinfo=self.zone).astimezone(tz=ZoneInfo("UTC"))

    def breaches(
        self, start: date | None, end: date | None, channels: Sequence[str] | None = None, limit: int = 500
    ) -> pl.DataFrame:
        """The newest broken promises that fell due on local days [start, end)."""
        frame = self._within(self.prepared("clocks", "started_at"), "due_at", start, end)
        return promised.breaches(_of_channels(frame, channels)).head(limit)

    def waiting(self, channels: Sequence[str] | None = None) -> pl.DataFrame:
        """Who waits now, by channel."""
        return promised.waiting(_of_channels(self.prepared("clocks", "started_at"), channels))

    def switches(
        self, start: date | None, end: date | None, channels: Sequence[str] | None = None
    ) -> pl.DataFrame:
        """Where customers went on: from_channel, to_channel, switches, cases."""
        frame = self._within(self.facts("switches"), "at", start, end)
        if channels is not None:
            frame = frame.filter(
                pl.col("from_channel").is_in(list(channels)) | pl.col("to_channel").is_in(list(channels))
            )
        return (
            frame.group_by("from_channel", "to_channel")
            .agg(
                switches=pl.len().cast(pl.Int64), cases=pl.struct("person", "case").n_unique().cast(pl.Int64)
            )
            .sort("from_channel", "to_channel")
        )

    @property
    def log(self) -> Log:
        """Where the events lie."""
        return self.engine.log

    def events_of(self, subjects: Sequence[str]) -> pl.DataFrame:
        """The effective events of some subjects with their cases, all that is personal in them opened."""
        stored = decode(self.log.arrow_of(subjects, upto=self.position, opened=EVERY))
        erased = self.log.erased(stored["position"].to_list())
        stored = stored.with_columns(erased=pl.col("position").is_in(sorted(erased)))
        if self.known is not None:
            mine = self.known.events.filter(pl.col("subject").is_in(list(subjects)))
            told = stored.select("position", "text", "state", "erased")
            return mine.drop("text", "state").join(told, on="position", how="left", maintain_order="left")
        as_of = AsOf(instant=self.instant, position=self.position)
        return with_case_key(effective(stored, as_of, self.engine.trust()))

    def find(self, text: str) -> list[str]:
        """The persons to whom any identifier, order, case, event or person id leads."""
        return find(self, text)

    def person(self, person: str) -> PersonLine:
        """One person's line."""
        return person_line(self, person)

    def goals(self) -> pl.DataFrame:
        """The goals in force, as `rollout.goals` gives them."""
        return rollout.goals(
            rollout.plan(self.engine.log, self.position, self.instant, known=self.known is not None)
        )

    def golives(self) -> pl.DataFrame:
        """Units and stages, planned and live: unit, unit_kind, stage, planned_on, live_on."""
        return rollout.golives(
            rollout.plan(self.engine.log, self.position, self.instant, known=self.known is not None)
        )

    def stages(self, start: date | None = None, end: date | None = None) -> pl.DataFrame:
        """Identification by month: month, stage, then (contacts), now (contacts)."""
        return rollout.stages(self._within(self.facts("stages"), "start_at", start, end), self.zone)

    def before_after(self, kpi: str, *, unit: str, live_on: date, weeks: int = 8) -> pl.DataFrame:
        """One row: before_n, before_value, after_n, after_value, difference, low, high; a difference, no effect."""
        row = BY_KEY[kpi]
        if row.at is None:
            raise ReaderError(f"{kpi} is what stands at one instant; it has no weeks before and after.")
        frame = self.prepared(row.fact, row.since, row.idle)
        if "channel" in frame.columns:
            frame = frame.filter(pl.col("channel") == unit)
        spans = rollout.sides(live_on, weeks=weeks)
        before, after = (self._within(frame, row.at, start, end) for start, end in spans)
        first, second = (
            rollout.lasted(self._midnight(start), self._midnight(end), self.instant) for start, end in spans
        )
        return rollout.difference(row, before, after, weeks=(first, second))


def _of_channels(frame: pl.DataFrame, channels: Sequence[str] | None) -> pl.DataFrame:
    return frame if channels is None else frame.filter(pl.col("channel").is_in(list(channels)))
