"""How one KPI row is worded: its value, its n, its change, and whether the change is worth a colour."""

from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

import polars as pl

from dashboards.texts import MINUS, NARROW, Words, definitions
from projections.kpi import KPI

FEW = 20
"""Below this many rows a number is shown greyed."""

Sense = Literal["better", "worse", "same"]
_VALUE = {"share": "value", "duration": "median_s"}
_SIZE = {"share": "of", "duration": "n"}


@dataclass(frozen=True, kw_only=True)
class Measure:
    """A KPI with the words that show it."""

    kpi: KPI
    words: Words

    def _told(self, part: str) -> str:
        translated = definitions(self.words.language).get(f"{self.kpi.key}.{part}")
        return translated or str(getattr(self.kpi, part))

    @property
    def name(self) -> str:
        """As the definition says."""
        return self._told("title")

    @property
    def title(self) -> str:
        """As short as a tile wants it, else as the definition says."""
        return self.words.known(f"kpi.{self.kpi.key}", self._told("title"))

    @property
    def question(self) -> str:
        return self._told("question")

    @property
    def definition(self) -> str:
        return self._told("definition")

    @property
    def column(self) -> str:
        return _VALUE.get(self.kpi.kind, "events")

    def value(self, row: dict[str, Any]) -> float | None:
        found = row.get(self.column)
        return None if found is None else float(found)

    def size(self, row: dict[str, Any]) -> int:
        return int(row.get(_SIZE.get(self.kpi.kind, "events")) or 0)

    def worded(self, value: float | None) -> str:
        if value is None:
            return self.words.t("value.none")
        if self.kpi.kind == "share":
            return self.words.percent(value)
        return self.words.duration(value) if self.kpi.kind == "duration" else self.words.number(value)

    def target(self, value: float) -> str:
        """A goal, without decimals that it does not have."""
        if self.kpi.kind == "share":
            whole = abs(100 * value - round(100 * value)) < 1e-9
            return self.words.percent(value, 0 if whole else 1)
        return self.worded(value)

    def difference(self, change: float) -> str:
        """A signed difference in the KPI's unit; shares differ in points, counts in the unit itself."""
        sign = "+" if change > 0 else MINUS if change < 0 else ""
        if self.kpi.kind == "share":
            return sign + self.words.points(change)
        if self.kpi.kind == "duration":
            return sign + self.words.duration(abs(change))
        return sign + self.words.number(abs(change))

    def change(self, now: float, then: float) -> str:
        """What a tile says: points and durations as a difference, counts in per cent of what was."""
        if self.kpi.kind in ("share", "duration") or not then:
            return self.difference(now - then)
        part = now / then - 1
        sign = "+" if part > 0 else MINUS if part < 0 else ""
        return f"{sign}{self.words.number(abs(100 * part), 1)}{NARROW}%"

    def material(self, now: float, then: float) -> bool:
        """Smaller changes than this are shown grey and without an arrow."""
        least = {"share": 0.0025, "duration": 60.0}.get(self.kpi.kind, 0.005 * abs(then))
        return abs(now - then) >= least

    def sense(self, now: float, then: float) -> Sense:
        if self.kpi.better is None or now == then:
            return "same"
        return "better" if (now > then) == (self.kpi.better == "higher") else "worse"

    def reached(self, value: float, target: float) -> bool:
        return value <= target if self.kpi.better == "lower" else value >= target


def only(frame: pl.DataFrame) -> dict[str, Any]:
    """The one row of an answer that is not split, or an empty one."""
    return frame.row(0, named=True) if frame.height else {}


def goals_of(goals: pl.DataFrame, key: str, channels: list[str]) -> dict[str, float]:
    """The target of each channel: its own goal, else the one set for all."""
    mine = goals.filter(pl.col("kpi") == key).sort("due_on", nulls_last=True)
    everywhere = mine.filter(pl.col("channel").is_null())["target"].to_list()[-1:]
    own = dict(mine.filter(pl.col("channel").is_not_null()).select("channel", "target").iter_rows())
    found = {code: own.get(code, everywhere[0] if everywhere else None) for code in channels}
    return {code: float(target) for code, target in found.items() if target is not None}


def goal_for(goals: pl.DataFrame, kpi: KPI) -> float | None:
    """The goal for every channel, else the one that all channels' goals agree on, else the declared target."""
    mine = goals.filter(pl.col("kpi") == kpi.key).sort("due_on", nulls_last=True)
    everywhere = mine.filter(pl.col("channel").is_null())["target"].to_list()
    agreed = mine["target"].unique().to_list()
    if everywhere or len(agreed) == 1:
        return float((everywhere or agreed)[-1])
    return kpi.target


GoalState = Literal["reached", "on_course", "off_course", "no_data"]


def goal_state(
    measure: Measure, goal: dict[str, Any], baseline: float | None, now: float | None, today: date
) -> GoalState:
    """Reached; else on course while the value is at or beyond the straight way from baseline to target."""
    if now is None:
        return "no_data"
    if measure.reached(now, goal["target"]):
        return "reached"
    due, since = goal["due_on"], goal["baseline_to"]
    if baseline is None or due is None or since is None or not since < due or today >= due:
        return "off_course"
    gone = max(0.0, (today - since).days / (due - since).days)
    expected = baseline + gone * (goal["target"] - baseline)
    return "on_course" if measure.reached(now, expected) else "off_course"
