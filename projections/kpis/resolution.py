"""Cases (KPI dictionary 2.1–2.2): how long until solved, whether it stays solved, what is open and what is known."""

from datetime import UTC, datetime, timedelta

import polars as pl

from projections.kpi import AS_OF, KPI, Example

WEEK = timedelta(days=7)
SOLVED = datetime(2026, 3, 2, tzinfo=UTC)
CAME_BACK = (pl.col("reopened_at") - pl.col("resolved_at") <= WEEK).fill_null(False)
CASE = {
    name: name
    for name in ("state", "source_state", "source_verdict", "channel", "topic", "group", "priority")
}

ROWS = (
    KPI(
        key="resolution",
        title="First resolution",
        question="How long until the matter is solved for the first time?",
        kind="duration",
        fact="cycles",
        of=(pl.col("number") == 1) & pl.col("customer_at").is_not_null(),
        at="customer_at",
        spent="resolution_us",
        elapsed="resolution_calendar_us",
        since="customer_at",
        idle="paused_us",
        unit="s",
        better="lower",
        source="KPI dictionary 2.1 resolution, variant first; M5",
        definition="From the customer turn that opens the case to its first resolution, in business time less the time "
        "that the case waited for the customer.",
    ),
    KPI(
        key="resolution_final",
        title="Final resolution",
        question="How long from the first turn to the last resolution?",
        kind="duration",
        fact="cases",
        of=pl.col("first_customer_at").is_not_null(),
        at="first_customer_at",
        spent="final_us",
        elapsed="final_calendar_us",
        since="first_customer_at",
        unit="s",
        better="lower",
        source="KPI dictionary 2.1 resolution, variant final",
        definition="From the case's first customer turn to the resolution of its last cycle, quiet times included.",
    ),
    KPI(
        key="resolution_effort",
        title="Resolution effort",
        question="How much business time do all cycles of a case take?",
        kind="duration",
        fact="cases",
        of=pl.col("first_customer_at").is_not_null(),
        at="first_customer_at",
        spent="effort_us",
        elapsed="final_calendar_us",
        since="first_customer_at",
        idle="idle_us",
        unit="s",
        better="lower",
        source="KPI dictionary 2.1 resolution, variant effort-sum",
        definition="Business time of all cycles of the case added up; pauses and the quiet between cycles left out.",
    ),
    KPI(
        key="reopen",
        title="Reopened within 7 days",
        question="Does solved stay solved?",
        kind="share",
        fact="cycles",
        of=pl.col("resolved_at").is_not_null(),
        good=~CAME_BACK,
        shows="bad",
        provisional=pl.col("reopened_at").is_null() & (pl.col("resolved_at") + WEEK > AS_OF),
        at="resolved_at",
        better="lower",
        dimensions={"reopened_by": "reopened_by"},
        source="KPI dictionary 2.2 reopen",
        definition="Cycles resolved in the period that were opened again within 7 days. Cycles whose 7 days are "
        "not over are provisional and left out.",
        examples=(
            Example(
                rows=[
                    {"resolved_at": SOLVED, "reopened_at": SOLVED + WEEK},
                    {"resolved_at": SOLVED, "reopened_at": SOLVED + WEEK + timedelta(seconds=1)},
                ],
                value=0.5,
                as_of=SOLVED + timedelta(days=30),
            ),
            Example(rows=[{"resolved_at": SOLVED}], value=None, as_of=SOLVED + timedelta(days=6)),
        ),
    ),
    KPI(
        key="reopened",
        title="Reopenings",
        question="How often, and for how many cases, was a solved matter opened again?",
        kind="count",
        fact="cycles",
        of=pl.col("reopened_at").is_not_null(),
        at="reopened_at",
        unit="reopenings",
        better="lower",
        dimensions={"reopened_by": "reopened_by"},
        source="KPI dictionary 2.2 reopen, events as series",
        definition="Openings of a case after a resolution, whatever the time between.",
    ),
    KPI(
        key="backlog",
        title="Backlog",
        question="What is open, and how old is it?",
        kind="stock",
        fact="cycles",
        of=(pl.col("opened_at") <= AS_OF)
        & (pl.col("resolved_at").is_null() | (pl.col("resolved_at") > AS_OF)),
        since="opened_at",
        unit="cycles",
        better="lower",
        source="KPI dictionary 2.1 backlog",
        definition="Cycles opened and not yet resolved at the instant of the question; ages in calendar time.",
    ),
    KPI(
        key="cases_known",
        title="Cases known",
        question="How many cases do we know, and in which state?",
        kind="count",
        fact="cases",
        at="opened_at",
        unit="cases",
        dimensions=CASE,
        source="plain count",
        definition="Cases of which anything is known, by newest state, channel, topic or the source's own verdict.",
    ),
)
