"""One call adds to every record the fields of the events it will be, as columns: `0:id` is the first rule's id."""

from collections.abc import Iterator, Sequence
from datetime import datetime

import polars as pl

from ingestion.cells import NUMBER, SHOWN, WORDS, Issue, judge
from ingestion.conditions import holds
from ingestion.language import EventRule, IdentifierRule, SourceMapping, Template
from ingestion.plan import Field, Plan
from ingestion.source import LONGEST_ID, ROW

PLACEHOLDER = r"\A(<[^<>]*>|\{\{.*\}\}|\$\{.*\})\z"
ESCAPED = ["%", "|", "\x7f", *(chr(code) for code in range(32))]
ESCAPES = [f"%{ord(sign):02X}" for sign in ESCAPED]
ISO = "%Y-%m-%dT%H:%M:%S%.fZ"


def draft(frame: pl.DataFrame, plan: Plan, latest: datetime) -> pl.DataFrame:
    """The records with `@reason` or `@ignored` where they become nothing, and their fields where they do."""
    mapping = plan.mapping
    frame = judge(
        frame,
        [
            Issue(where=holds(rule.when), reason=rule.reason, detail=_rule(rule.reason))
            for rule in mapping.quarantine
        ],
    )
    ignored = [pl.when(holds(rule.when)).then(pl.lit(rule.reason)) for rule in mapping.ignore]
    frame = frame.with_columns(pl.coalesce(*ignored, pl.lit(None, dtype=pl.String)).alias("@ignored"))
    frame = frame.with_columns(
        _text(mapping.subject, mapping).alias("@subject"), pl.coalesce("@fault", ROW).alias("@fault")
    )
    rules = [*enumerate(mapping.events)]
    frame = frame.with_columns(_when(mapping))
    frame = frame.with_columns(column for number, rule in rules for column in _event(number, rule, plan))
    frame = frame.with_columns(
        column
        for number, rule in enumerate(mapping.identifiers)
        for column in _identifier(number, rule, mapping)
    )
    issues = [*_subject(mapping)]
    for number, rule in rules:
        issues.extend(_event_issues(number, rule, plan, latest))
    for number, identifier in enumerate(mapping.identifiers):
        issues.extend(_time_issues(f"i{number}", identifier.at, latest))
    return _idle(judge(frame, issues), mapping)


def _rule(reason: str) -> pl.Expr:
    return pl.lit(f"the mapping says that such a record is {reason}")


def _when(mapping: SourceMapping) -> Iterator[pl.Expr]:
    alive = pl.col("@reason").is_null() & pl.col("@ignored").is_null()
    for number, rule in enumerate(mapping.events):
        yield (alive & holds(rule.when)).alias(f"{number}:when")
    for number, identifier in enumerate(mapping.identifiers):
        borne = pl.col(f"={identifier.value}").is_not_null()
        yield (alive & borne & holds(identifier.when)).alias(f"i{number}:when")


def _idle(frame: pl.DataFrame, mapping: SourceMapping) -> pl.DataFrame:
    """A record that no rule applies to is ignored, and counted so."""
    used = [f"{number}:when" for number in range(len(mapping.events))]
    used += [f"i{number}:when" for number in range(len(mapping.identifiers))]
    idle = ~pl.any_horizontal(used) & pl.col("@reason").is_null()
    return frame.with_columns(
        pl.coalesce("@ignored", pl.when(idle).then(pl.lit("no_event"))).alias("@ignored")
    )


def _text(template: Template, mapping: SourceMapping) -> pl.Expr:
    """A template filled in, null where one of its columns is empty; what ids must not hold is percent-encoded."""
    parts = [pl.lit(part) if kind == "text" else _in_id(part, mapping) for kind, part in template.parts]
    return pl.concat_str(parts)


def _in_id(column: str, mapping: SourceMapping) -> pl.Expr:
    if column == ROW:
        return pl.col(ROW).cast(pl.String)
    return as_text(column, mapping).str.replace_many(ESCAPED, ESCAPES)


def as_text(column: str, mapping: SourceMapping) -> pl.Expr:
    """A cell as text: times in UTC by ISO 8601, numbers without idle zeros."""
    kind, cell = mapping.column(column).kind, pl.col(column if column == ROW else f"={column}")
    if kind == "time":
        return cell.dt.strftime(ISO)
    return cell.dt.strftime("%Y-%m-%d") if kind == "date" else cell.cast(pl.String)


def _event(number: int, rule: EventRule, plan: Plan) -> Iterator[pl.Expr]:
    yield _text(rule.id, plan.mapping).alias(f"{number}:id")
    yield from _times(f"{number}", rule.at, rule.known_at)
    for taken in plan.fields[number]:
        if taken.column is not None:
            yield _cell(taken, plan.mapping).alias(f"{number}:{taken.name}")


def _times(prefix: str, at: str, known_at: Sequence[str]) -> Iterator[pl.Expr]:
    yield pl.col(f"!{at}").alias(f"{prefix}:at")
    known = (
        pl.coalesce(f"!{name}" for name in known_at) if known_at else pl.lit(None, pl.Datetime("us", "UTC"))
    )
    yield known.alias(f"{prefix}:known_at")


def _identifier(number: int, rule: IdentifierRule, mapping: SourceMapping) -> Iterator[pl.Expr]:
    yield as_text(rule.value, mapping).alias(f"i{number}:value")
    yield from _times(f"i{number}", rule.at, rule.known_at)


def _cell(taken: Field, mapping: SourceMapping) -> pl.Expr:
    """The cell in the form that the field wants; decimals and lines stay as they lie, to be built later."""
    column = str(taken.column)
    if column.startswith("@") and column != ROW:
        return pl.col(column)
    cell = _wanted(taken, column, mapping)
    return pl.when(holds(taken.only)).then(cell) if taken.only else cell


def _wanted(taken: Field, column: str, mapping: SourceMapping) -> pl.Expr:
    text = as_text(column, mapping)
    if taken.lookup is not None:
        text = text.replace_strict(dict(taken.lookup), default=None, return_dtype=pl.String)
    if taken.target == "time":
        return pl.col(f"!{column}")
    if taken.target == "date":
        return pl.col(f"={column}")
    if taken.target == "bool":
        return text.str.to_lowercase().replace_strict(WORDS, default=None, return_dtype=pl.Boolean)
    if taken.target in ("int", "float"):
        plain = pl.when(text.str.contains(NUMBER)).then(text)
        whole = plain.str.replace(r"\.0+$", "") if taken.target == "int" else plain
        return whole.cast(pl.Int64 if taken.target == "int" else pl.Float64, strict=False)
    if taken.target == "decimal":
        return pl.when(text.str.contains(NUMBER)).then(text)
    return text if taken.words is None else pl.when(text.is_in(sorted(taken.words))).then(text)


def _subject(mapping: SourceMapping) -> Iterator[Issue]:
    alive = pl.col("@ignored").is_null()
    yield Issue(
        where=alive & pl.col("@subject").is_null(),
        reason="missing_id",
        detail=pl.lit(f"the subject needs {', '.join(mapping.subject.columns)}, of which one is empty"),
    )
    yield _too_long(pl.col("@subject"), alive)
    yield from _placeholders(mapping.subject.columns, mapping, alive)


def _too_long(name: pl.Expr, where: pl.Expr) -> Issue:
    detail = pl.lit(f"its id or subject is longer than {LONGEST_ID} bytes")
    return Issue(where=where & (name.str.len_bytes() > LONGEST_ID), reason="too_large", detail=detail)


def _placeholders(columns: tuple[str, ...], mapping: SourceMapping, where: pl.Expr) -> Iterator[Issue]:
    for column in columns:
        if mapping.column(column).kind == "text" and column != ROW:
            yield Issue(
                where=where & pl.col(f"={column}").str.contains(PLACEHOLDER),
                reason="placeholder_id",
                detail=pl.concat_str(pl.lit(f"{column} is the placeholder "), pl.col(f"={column}")),
            )


def _event_issues(number: int, rule: EventRule, plan: Plan, latest: datetime) -> Iterator[Issue]:
    made = pl.col(f"{number}:when")
    yield Issue(
        where=made & pl.col(f"{number}:id").is_null(),
        reason="missing_id",
        detail=pl.lit(f"the id needs {', '.join(rule.id.columns)}, of which one is empty"),
    )
    yield _too_long(pl.col(f"{number}:id"), made)
    yield from _placeholders(rule.id.columns, plan.mapping, made)
    yield from _time_issues(str(number), rule.at, latest)
    for taken in plan.fields[number]:
        if taken.column is not None and not taken.column.startswith("@"):
            yield _unfit(number, taken, made)
    ends = {"valid_from", "valid_to"} & {taken.name for taken in plan.fields[number] if taken.column}
    if len(ends) == 2:
        yield Issue(
            where=made & (pl.col(f"{number}:valid_to") < pl.col(f"{number}:valid_from")),
            reason="ends_before_start",
            detail=pl.lit("it ends before it starts"),
        )


def _unfit(number: int, taken: Field, made: pl.Expr) -> Issue:
    """A cell that is there and that the field cannot take."""
    raw = pl.col(f"={taken.column}")
    if taken.only:
        made = made & holds(taken.only)
    return Issue(
        where=made & raw.is_not_null() & pl.col(f"{number}:{taken.name}").is_null(),
        reason="bad_number" if taken.target in ("int", "float", "decimal") else "unknown_value",
        detail=pl.concat_str(
            pl.lit(f'{taken.column} is "'),
            raw.cast(pl.String).str.slice(0, SHOWN),
            pl.lit(f'", which is no {taken.name} that we know'),
        ),
    )


def _time_issues(prefix: str, at: str, latest: datetime) -> Iterator[Issue]:
    made, late = pl.col(f"{prefix}:when"), pl.lit(latest)
    yield Issue(
        where=made & pl.col(f"{prefix}:at").is_null(), reason="missing_time", detail=pl.lit(f"{at} is empty")
    )
    for moment, word in (("at", "happened"), ("known_at", "was recorded")):
        instant = pl.col(f"{prefix}:{moment}")
        yield Issue(
            where=made & (instant > late),
            reason="clock_skew",
            detail=pl.concat_str(
                pl.lit(f"it {word} at "), instant.dt.strftime(ISO), pl.lit(", more than 5 minutes from now")
            ),
        )
