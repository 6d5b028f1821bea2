"""Continuity (KPI dictionary 2.2): whether customers must change channel, come back or tell it again."""

from datetime import UTC, datetime

import polars as pl

from projections.kpi import KPI, Example

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
KNOWN = pl.col("identified") & (pl.col("direction") == "inbound")

ROWS = (
    KPI(
        key="channel_switch",
        title="Channel switching",
        question="In how many cases do people change channel?",
        kind="share",
        fact="cases",
        of=pl.col("customer_turns") >= 2,
        good=pl.col("switches") >= 1,
        at="second_customer_at",
        source="KPI dictionary 2.2 channel_switch",
        definition="Cases with at least two customer turns in which two consecutive ones changed channel. "
        "Neither good nor bad by itself.",
        examples=(
            Example(
                rows=[
                    {"customer_turns": 2, "switches": 1, "second_customer_at": NOON},
                    {"customer_turns": 3, "switches": 0, "second_customer_at": NOON},
                    {"customer_turns": 1, "switches": 0},
                ],
                value=0.5,
                as_of=NOON,
            ),
        ),
    ),
    KPI(
        key="repeat_contact",
        title="Repeat contact",
        question="How many contacts come back with the same matter within 7 days?",
        kind="share",
        fact="contacts",
        of=KNOWN,
        good=pl.col("repeat_of").is_null(),
        shows="bad",
        at="start_at",
        better="lower",
        source="KPI dictionary 2.2 repeat_contact",
        definition="Customer contacts of identified persons that follow another one on the same case or topic within "
        "7 days, in any channel.",
        examples=(
            Example(
                rows=[
                    {"identified": True, "direction": "inbound", "repeat_of": "a|1|1"},
                    {"identified": True, "direction": "inbound", "repeat_of": None},
                    {"identified": False, "direction": "inbound", "repeat_of": None},
                ],
                value=0.5,
                as_of=NOON,
            ),
        ),
    ),
    KPI(
        key="repeat_explanation",
        title="Explained again",
        question="After a hand-over, must customers tell it again?",
        kind="share",
        fact="handovers",
        level="text",
        good=pl.col("level").is_null(),
        shows="bad",
        at="at",
        better="lower",
        dimensions={"level": "level", "known_then": "known_then"},
        source="KPI dictionary 2.2 repeat_explanation, L1 stated and L2 restated",
        definition="Customer turns after a change of agent, team or channel, or on an open topic, in which the matter "
        "was explained again: stated by somebody, or the text restates an earlier one.",
        examples=(
            Example(
                rows=[{"level": 1}, {"level": 2}, {"level": None}, {"level": None}], value=0.5, as_of=NOON
            ),
        ),
    ),
    KPI(
        key="context_available",
        title="Context available",
        question="Before a contact, was everything already recorded centrally?",
        kind="share",
        fact="context",
        level="person",
        good=pl.col("good"),
        at="start_at",
        better="higher",
        target=1.0,
        source="KPI dictionary 2.2 context_available",
        definition="Human contacts of persons with earlier items in the last 365 days: every item was recorded and "
        "linked to this person before the contact began.",
        examples=(Example(rows=[{"good": True}, {"good": False}], value=0.5, as_of=NOON),),
    ),
    KPI(
        key="context_available_at_answer",
        title="Context available at the answer",
        question="When a person first answered, was everything recorded?",
        kind="share",
        fact="context",
        level="person",
        good=pl.col("good_at_answer"),
        at="start_at",
        better="higher",
        target=1.0,
        source="KPI dictionary 2.2 context_available, variant at first human turn",
        definition="As context available, judged when the first person speaks instead of when the contact began.",
        examples=(Example(rows=[{"good_at_answer": True}], value=1.0, as_of=NOON),),
    ),
)
