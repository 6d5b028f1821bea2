"""Identity (KPI dictionary 2.3): whom we know, and whom we saw."""

from datetime import UTC, datetime

import polars as pl

from projections.kpi import KPI, Example

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)

ROWS = (
    KPI(
        key="persons",
        title="Persons known",
        question="How many identified persons do we know?",
        kind="count",
        fact="persons",
        level="person",
        at="first_at",
        unit="persons",
        source="plain count",
        definition="Persons to whom at least one trusted identifier leads.",
    ),
    KPI(
        key="id_stage",
        title="Seen as one customer",
        question="For how many contacts did we see the whole customer when the contact began?",
        kind="share",
        fact="stages",
        level="person",
        good=pl.col("stage_then") == "omnichannel",
        at="start_at",
        better="higher",
        dimensions={"stage_then": "stage_then", "stage_now": "stage_now"},
        source="KPI dictionary 2.3 id_stage, then",
        definition="Contacts that led, by links known when they began, to someone whom two sources know, or verified. "
        "Contacts recorded more than a day later are loaded history and not assessed.",
        examples=(
            Example(rows=[{"stage_then": "omnichannel"}, {"stage_then": "profile"}], value=0.5, as_of=NOON),
        ),
    ),
    KPI(
        key="id_stage_now",
        title="Seen as one customer, today",
        question="For how many contacts do we see the whole customer by today's links?",
        kind="share",
        fact="stages",
        level="person",
        good=pl.col("stage_now") == "omnichannel",
        at="start_at",
        better="higher",
        dimensions={"stage_then": "stage_then", "stage_now": "stage_now"},
        source="KPI dictionary 2.3 id_stage, now",
        definition="As seen as one customer, by the links known at the instant of the question.",
        examples=(Example(rows=[{"stage_now": "omnichannel"}], value=1.0, as_of=NOON),),
    ),
)
