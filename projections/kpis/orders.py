"""Orders: what is known to have been bought and cancelled."""

from projections.kpi import KPI

ROWS = (
    KPI(
        key="orders_known",
        title="Orders known",
        question="How many order documents do we know?",
        kind="count",
        fact="orders",
        at="at",
        unit="documents",
        dimensions={"kind": "kind", "currency": "currency"},
        source="plain count",
        definition="Order documents by kind: placed, cancelled, returned.",
    ),
)
