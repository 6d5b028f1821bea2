"""Response and promises (KPI dictionary 2.1): how long customers wait, and whether promises are kept."""

from datetime import UTC, datetime

import polars as pl

from projections.kpi import AS_OF, KPI, SPENT, Example

DUE = datetime(2026, 3, 2, 14, tzinfo=UTC)
LATER = datetime(2026, 3, 3, tzinfo=UTC)
PROMISED = pl.col("kind").is_in(["frt_human", "callback_kept"]) & pl.col("due_at").is_not_null()
STOPPED = pl.col("stopped_at").is_not_null() & (pl.col("stopped_at") <= AS_OF)
IN_TIME = (pl.col("stopped_at") <= pl.col("due_at")).fill_null(False)
REMAINING = pl.col("target_us") - SPENT
MARGIN = pl.min_horizontal(
    pl.max_horizontal(pl.col("target_us") * 0.25, 30 * 60 * 1_000_000), pl.col("target_us") * 0.5
)
IN_DANGER = (pl.col("due_at") >= AS_OF) & ((REMAINING <= MARGIN) | pl.col("queue_risk").fill_null(False))
"""Not yet due, but little is left of the time, or too many wait ahead."""

ROWS = (
    KPI(
        key="frt_human",
        title="First response by a person",
        question="How long until a human answers?",
        kind="duration",
        fact="clocks",
        of=pl.col("kind") == "frt_human",
        at="started_at",
        spent="elapsed_us",
        elapsed="calendar_us",
        since="started_at",
        unit="s",
        better="lower",
        source="KPI dictionary 2.1 frt_human; M3, M4, M8",
        definition="From the cycle's first customer turn (with a bot: from the hand-off or the next turn) to the first "
        "answer by a person in the same case, in business time. Never an acknowledgement, rule or campaign.",
    ),
    KPI(
        key="frt_customer",
        title="First response as lived",
        question="How long until something useful is said?",
        kind="duration",
        fact="clocks",
        of=pl.col("kind") == "frt_customer",
        at="started_at",
        spent="elapsed_us",
        elapsed="calendar_us",
        since="started_at",
        unit="s",
        better="lower",
        source="KPI dictionary 2.1 frt_customer",
        definition="From the cycle's first customer turn to the first useful answer, by a bot or a person.",
    ),
    KPI(
        key="sla_attainment",
        title="SLA attained",
        question="Of the promises due, how many were kept in time?",
        kind="share",
        fact="clocks",
        of=PROMISED & (pl.col("due_at") <= AS_OF),
        good=IN_TIME,
        at="due_at",
        better="higher",
        source="KPI dictionary 2.1 sla_attainment; M6, M7",
        definition="Response and callback clocks due in the period: stopped by their due instant, divided by all due. "
        "Clocks that are not yet due are left out. The same promise seen by the customer is not counted again.",
        examples=(
            Example(
                rows=[
                    {"kind": "frt_human", "due_at": DUE, "stopped_at": DUE},
                    {"kind": "frt_human", "due_at": DUE, "stopped_at": None},
                    {"kind": "frt_customer", "due_at": DUE, "stopped_at": None},
                    {"kind": "callback_kept", "due_at": None, "stopped_at": None},
                ],
                value=0.5,
                as_of=LATER,
            ),
            Example(rows=[{"kind": "frt_human", "due_at": LATER}], value=None, as_of=DUE),
        ),
    ),
    KPI(
        key="at_risk",
        title="At risk",
        question="Which promises are in danger right now?",
        kind="stock",
        fact="clocks",
        of=PROMISED & ~STOPPED & pl.col("outcome").is_null() & IN_DANGER,
        since="started_at",
        unit="clocks",
        better="lower",
        source="KPI dictionary 2.1 at_risk",
        definition="Running clocks, not yet due, whose remaining business time is at most the larger of a quarter of "
        "the target and 30 minutes (never more than half the target), or for which the queue ahead is too long.",
    ),
    KPI(
        key="callback_attempted",
        title="Callback attempted",
        question="After a missed call, do we try to ring back in time?",
        kind="share",
        fact="clocks",
        of=(pl.col("kind") == "callback_attempted") & (pl.col("due_at") <= AS_OF),
        good=IN_TIME,
        at="due_at",
        spent="elapsed_us",
        better="higher",
        source="KPI dictionary 2.1 callback_attempted",
        definition="Missed-call obligations due in the period whose first outbound attempt came by the due instant.",
        examples=(
            Example(
                rows=[{"kind": "callback_attempted", "due_at": DUE, "stopped_at": DUE}],
                value=1.0,
                as_of=LATER,
            ),
        ),
    ),
    KPI(
        key="callback_kept",
        title="Missed calls returned",
        question="Do we reach the customer in time after a missed call?",
        kind="share",
        fact="clocks",
        of=(pl.col("kind") == "callback_kept") & (pl.col("due_at") <= AS_OF),
        good=IN_TIME,
        at="due_at",
        spent="elapsed_us",
        better="higher",
        source="KPI dictionary 2.1 callback_kept",
        definition="Missed-call obligations due in the period that were kept by the due instant: connected, or a "
        "second attempt at least 30 minutes after the first. A customer who gets through first was not called back.",
        examples=(
            Example(
                rows=[{"kind": "callback_kept", "due_at": DUE, "outcome": "self_recovered"}],
                value=0.0,
                as_of=LATER,
            ),
        ),
    ),
)
