"""The KPI catalogue: one row is one definition; its test, tile, glossary entry and answer derive from it."""

from projections.kpi import KPI
from projections.kpis import contacts, continuity, followups, identity, orders, promises, resolution

KPIS: tuple[KPI, ...] = (
    *promises.ROWS,
    *resolution.ROWS,
    *continuity.ROWS,
    *contacts.ROWS,
    *identity.ROWS,
    *orders.ROWS,
    *followups.ROWS,
)
BY_KEY: dict[str, KPI] = {row.key: row for row in KPIS}
