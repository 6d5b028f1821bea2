"""Follow-ups (KPI dictionary 2.6): whether the next step came as promised."""

from datetime import UTC, datetime, timedelta

import polars as pl

from projections.kpi import AS_OF, KPI, Example

DUE = datetime(2026, 3, 2, 12, tzinfo=UTC)
OWED = pl.col("cancelled_at").is_null() & (pl.col("due_at") <= AS_OF)

ROWS = (
    KPI(
        key="follow_up_kept",
        title="Follow-ups kept",
        question="Of the follow-ups due by now, how many were done as promised?",
        kind="share",
        fact="followups",
        of=OWED,
        good=(pl.col("done_at") <= pl.col("due_at")).fill_null(False),
        at="due_at",
        better="higher",
        target=1.0,
        dimensions={"owner": "owner"},
        source="KPI dictionary 2.6 follow_up_kept",
        definition="Follow-ups due in the period that were done by their due instant; cancelled ones are left out.",
        examples=(
            Example(
                rows=[
                    {"due_at": DUE, "done_at": DUE},
                    {"due_at": DUE, "done_at": DUE + timedelta(seconds=1)},
                    {"due_at": DUE, "cancelled_at": DUE},
                ],
                value=0.5,
                as_of=DUE,
            ),
            Example(rows=[{"due_at": DUE}], value=None, as_of=DUE - timedelta(seconds=1)),
        ),
    ),
    KPI(
        key="follow_up_preempted",
        title="Customers who had to ask first",
        question="Before a promised follow-up, did the customer have to ask?",
        kind="share",
        fact="followups",
        of=OWED,
        good=pl.col("asked_at").is_null(),
        shows="bad",
        at="due_at",
        better="lower",
        target=0.0,
        dimensions={"owner": "owner"},
        source="KPI dictionary 2.6 follow_up_preempted",
        definition="Follow-ups due in the period before which the customer came on the same matter.",
        examples=(Example(rows=[{"due_at": DUE, "asked_at": DUE}], value=1.0, as_of=DUE),),
    ),
)
