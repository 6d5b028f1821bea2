"""Tables as people read them: fitted columns, whole rows, sortable instants; customer text stays text."""

from typing import Any

import polars as pl
import streamlit as st

from dashboards import persons
from dashboards.texts import Words

ROW = 32
FRAME = ROW + 3
Column = st.column_config


def height(rows: int, most: int) -> int:
    """Whole rows only: the header, the rows and the frame."""
    return FRAME + ROW * max(1, min(rows, most))


def _when(w: Words, name: str, width: int, form: str) -> Any:
    return Column.DatetimeColumn(w.t(f"column.{name}"), format=w.t(f"format.{form}"), width=width)


def _text(w: Words, name: str, width: int | None = None) -> Any:
    return Column.TextColumn(w.t(f"column.{name}"), width=width)


def _number(w: Words, name: str, shape: str, width: int | None = None) -> Any:
    return Column.NumberColumn(w.t(f"column.{name}"), format=shape, width=width)


def local(frame: pl.DataFrame, w: Words, *columns: str) -> pl.DataFrame:
    """Instants as wall clock of the reporting zone."""
    zoned = [pl.col(name).dt.convert_time_zone(w.zone.key).dt.replace_time_zone(None) for name in columns]
    return frame.with_columns(zoned)


def named(column: str, labels: dict[str, str]) -> pl.Expr:
    """Codes as labels, unknown codes as they are."""
    return pl.col(column).replace(labels) if labels else pl.col(column)


def _durations(seconds: pl.Series, w: Words) -> pl.Series:
    """Worded lengths of business time; nothing stays nothing."""
    return pl.Series([None if size is None else w.duration(size) for size in seconds], dtype=pl.String)


def breach_rows(breaches: pl.DataFrame, channels: dict[str, str], w: Words) -> pl.DataFrame:
    """One row per broken promise, newest first, as shown."""
    took = _durations(breaches["elapsed_s"], w)
    waits = pl.when("answered").then(took).otherwise(pl.lit(w.t("table.waiting")))
    return local(breaches, w, "breached_at").select(
        when="breached_at",
        customer=pl.Series([persons.label(person) for person in breaches["person"]], dtype=pl.String),
        channel=named("channel", channels),
        team=pl.col("group").fill_null("–"),
        answered=waits,
        of_target=(100 * pl.col("ratio")).round(0),
    )


def breach_columns(w: Words, worst: float, *, year: bool) -> dict[str, Any]:
    return {
        "when": _when(w, "when", 114 if year else 100, "short_year" if year else "short"),
        "customer": _text(w, "customer", 84),
        "channel": _text(w, "channel", 80),
        "team": _text(w, "team", 98),
        "answered": Column.TextColumn(w.t("column.answered"), width=78, alignment="right"),
        "of_target": Column.ProgressColumn(
            w.t("column.of_target"),
            format="%d\u202f%%",
            min_value=0,
            max_value=min(300, max(200, worst)),
            width=112,
        ),
    }


def share_columns(w: Words) -> dict[str, Any]:
    """Columns of the tables behind the attainment pictures."""
    day = Column.DateColumn(w.t("column.week"), format=w.t("format.table_day"))
    counts = {name: _number(w, name, "%d") for name in ("due", "kept")}
    return {
        "week": day,
        "channel": _text(w, "channel"),
        **counts,
        "share": _number(w, "share", "%.1f\u202f%%"),
    }


def switch_columns(w: Words) -> dict[str, Any]:
    texts = {name: _text(w, name) for name in ("start", "to")}
    return texts | {name: _number(w, name, "%d") for name in ("switches", "cases")}


STATES = {"in_time": "○", "at_risk": "◐", "late": "●"}


def waiting_rows(waiting: pl.DataFrame, channels: dict[str, str], w: Words) -> pl.DataFrame:
    """One row per channel with somebody waiting, in channel order."""
    order = {code: at for at, code in enumerate(channels)}
    states = {code: f"{sign} {w.t(f'state.{code}')}" for code, sign in STATES.items()}
    rows = waiting.sort(pl.col("channel").replace_strict(order, default=99, return_dtype=pl.Int64))
    return rows.select(
        channel=named("channel", channels),
        waiting="waiting",
        oldest=_durations(rows["oldest_s"], w),
        target=_durations(rows["target_s"], w),
        used=(100 * pl.col("used")).round(0),
        state=pl.when(pl.col("used").is_null())
        .then(pl.lit(w.t("state.no_promise")))
        .otherwise(pl.col("state").replace(states)),
    )


def waiting_columns(w: Words) -> dict[str, Any]:
    return {
        "channel": _text(w, "channel"),
        "waiting": _number(w, "waiting", "%d"),
        "oldest": Column.TextColumn(w.t("column.oldest"), alignment="right"),
        "target": Column.TextColumn(w.t("column.target"), alignment="right"),
        "used": Column.ProgressColumn(
            w.t("column.used"), format="%d\u202f%%", min_value=0, max_value=150, width="medium"
        ),
        "state": _text(w, "state"),
    }


def _answered(clocks: pl.DataFrame) -> pl.Expr:
    """Minutes needed of minutes promised; a ring while the clock still runs."""
    running = clocks.filter(pl.col("stopped_at").is_null())["started_by"].to_list()
    needed, promised = (
        (pl.col(name) / 60).round(0).cast(pl.Int64).cast(pl.String) for name in ("elapsed_s", "target_s")
    )
    ring = pl.when(pl.col("event_id").is_in(running)).then(pl.lit("◌ ")).otherwise(pl.lit(""))
    return pl.concat_str(ring, needed, pl.lit(" / "), promised, pl.lit("\u202fmin")).fill_null("")


def _gone(w: Words) -> pl.Expr:
    """What is left to say of an event of which something was erased."""
    said, word = pl.col("summary").fill_null(""), pl.lit(w.t("events.erased"))
    return pl.when(said == "").then(word).otherwise(pl.concat_str(said, word, separator=" · "))


def event_rows(
    entries: pl.DataFrame, clocks: pl.DataFrame, channels: dict[str, str], w: Words
) -> pl.DataFrame:
    """One row per event of one customer, newest first; `clocks` tell which still run."""
    kinds = {kind: w.known(f"kind.{kind}", kind) for kind in entries["kind"].unique()}
    actors = {kind: w.known(f"actor.{kind}", kind) for kind in entries["actor_kind"].unique().drop_nulls()}
    signs = {"met": "", "breached": "◆ ", "running": "◌ "}
    verdicts = {verdict: sign + w.t(f"verdict.{verdict}") for verdict, sign in signs.items()}
    rows = local(entries, w, "occurred_at").select(
        when="occurred_at",
        channel=named("channel", channels).fill_null("–"),
        by=pl.col("actor_kind").replace(actors).fill_null("–"),
        what=pl.col("kind").replace(kinds),
        topic=pl.col("topic").fill_null(""),
        team=pl.col("group").fill_null(""),
        summary=pl.when("erased").then(_gone(w)).otherwise(pl.col("summary").fill_null("")),
        sla=pl.col("verdict").replace(verdicts).fill_null(""),
        answered=_answered(clocks),
        again=pl.when("repeated").then(pl.lit("✚")).otherwise(pl.lit("")),
        position="position",
        digest=pl.col("digest").str.slice(0, 10),
    )
    return rows.sort("when", "position", descending=True)


def event_columns(w: Words) -> dict[str, Any]:
    fitted = _texts(w, channel=76, by=70, what=96, topic=76, team=92, summary=120)
    verdict = _texts(w, sla=86, again=40, digest=88) | {"answered": _text(w, "answered_in", 122)}
    position = _number(w, "position", "%d", 70)
    return {"when": _when(w, "when", 134, "with_year"), **fitted, **verdict, "position": position}


def _texts(w: Words, **widths: int | None) -> dict[str, Any]:
    return {name: _text(w, name, width) for name, width in widths.items()}


def _day(w: Words, name: str) -> Any:
    return Column.DateColumn(w.t(f"column.{name}"), format=w.t("format.table_day"))


def plan_columns(w: Words) -> dict[str, Any]:
    return _texts(w, unit=None, stage=None) | {
        "planned": _day(w, "planned"),
        "live": _day(w, "live"),
        "kept": _text(w, "plan_kept"),
    }


def goal_columns(w: Words) -> dict[str, Any]:
    return _texts(w, goal=None, where=None, baseline=None, now=None, target=None, owner=None, state=None) | {
        "due": _day(w, "due_on")
    }


def stage_columns(w: Words) -> dict[str, Any]:
    counts = {"then": _number(w, "stage_then", "%d"), "now": _number(w, "stage_now", "%d")}
    return {"month": _day(w, "month"), "stage": _text(w, "stage"), **counts}


def difference_columns(w: Words) -> dict[str, Any]:
    counts = {name: _number(w, name, "%d") for name in ("n_before", "n_after")}
    return _texts(w, unit=None, before=None, after=None, difference=None, interval=None) | counts
