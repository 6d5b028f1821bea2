"""States in bulk: a page of rows with their personal fields opened, and brought to their present classes."""

import pyarrow as pa
import pyarrow.compute as pc

from domain.keys import KeyStore, open_all, pairs_in
from domain.log.states import VERSIONED, moved, present

SEALED = pa.field("sealed", pa.binary())
PAGE = 20_000
"""Rows whose keys are fetched by one look into the key store."""


def opened_states(table: pa.Table, store: KeyStore) -> pa.Table:
    """The table with the fragments in its last column `sealed` put into its states, as far as their keys exist."""
    has = pc.greater(pc.binary_length(table["sealed"]), 0)
    rows = table.filter(has).combine_chunks()
    states: list[str] = []
    for start in range(0, rows.num_rows, PAGE):
        page = rows.slice(start, PAGE)
        told = [page[name].to_pylist() for name in ("originator_id", "event_id", "topic", "sealed")]
        events = list(zip(*told, strict=True))
        fragments = open_all(events, keys=store.fetch(pairs_in(events)))
        states += [
            f"{state[:-1]}{',' * (state != '{}')}{fragment.decode()}}}" if fragment else state
            for state, fragment in zip(page["state"].to_pylist(), fragments, strict=True)
        ]
    return _with_states(table, has, states).drop_columns(["sealed"])


def present_states(table: pa.Table) -> pa.Table:
    """The table with every state as its present class writes it; what cannot be read names its version first."""
    old = pc.starts_with(table["state"], VERSIONED)
    if topics := moved():
        old = pc.or_(old, pc.is_in(table["topic"], value_set=pa.array(topics)))
    rows = table.filter(old)
    pairs = zip(rows["topic"].to_pylist(), rows["state"].to_pylist(), strict=True)
    return _with_states(table, old, [present(topic, state) for topic, state in pairs])


def _with_states(table: pa.Table, which: pa.ChunkedArray, states: list[str]) -> pa.Table:
    if not states:
        return table
    column = table.schema.get_field_index("state")
    filled = pc.replace_with_mask(table["state"], which.combine_chunks(), pa.array(states, pa.string()))
    return table.set_column(column, "state", filled)
