"""Volume (KPI dictionary 2.7): how much comes in, and where."""

import polars as pl

from projections.kpi import KPI

ROWS = (
    KPI(
        key="contacts",
        title="Contacts",
        question="How many customer contacts come in, and where?",
        kind="count",
        fact="contacts",
        of=pl.col("direction") == "inbound",
        at="start_at",
        unit="contacts",
        dimensions={"identified": "identified"},
        source="KPI dictionary 2.7 contacts; M2",
        definition="Contacts begun by customers; missed calls are attempts and not among them.",
    ),
)
