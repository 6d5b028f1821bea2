"""States in bulk: a page of rows with their personal fields opened, and brought to their present classes."""

import pyarrow as pa
import pyarrow.compute as pc

from domain.keys import KeyStore
from domain.keys.sealing import Sealed
from domain.log.shapes import EMPTY
from domain.log.states import UNOPENED, VERSIONED, moved, present

SEALED = pa.field("sealed", pa.binary())
PART = 5_000
"""Rows whose keys are fetched by one look into the key store, and that stay in the processor's cache meanwhile."""


def text_states(table: pa.Table) -> pa.Table:
    """The table with states as text; one that is none is replaced by a state of version 0, which no class has."""
    try:
        return _with_states(table, table["state"].cast(pa.string()))
    except pa.ArrowInvalid:
        states = [_text(state) for state in table["state"].to_pylist()]
        return _with_states(table, pa.chunked_array([states], pa.string()))


def _text(state: bytes) -> str:
    try:
        return state.decode()
    except UnicodeDecodeError:
        return f"{VERSIONED}0}}"


def opened_states(table: pa.Table, store: KeyStore) -> pa.Table:
    """The table with the fragments in its last column `sealed` put into its states, as far as their keys exist.

    What does not open with its key is left out too, and marked.
    """
    parts = [_opened(table.slice(start, PART), store) for start in range(0, table.num_rows, PART)]
    return _with_states(table, pa.concat_tables(parts)["state"]).drop_columns(["sealed"])


def _opened(table: pa.Table, store: KeyStore) -> pa.Table:
    has = pc.greater(pc.binary_length(table["sealed"]), 0)
    rows = table.filter(has)
    told = [rows[name].to_pylist() for name in ("originator_id", "event_id", "topic", "sealed")]
    state, coming = table["state"].cast(pa.binary()), iter(_fragments(list(zip(*told, strict=True)), store))
    inside = pa.array([next(coming) if one else None for one in has.to_pylist()], pa.binary())
    comma = pc.if_else(pc.equal(state, EMPTY), b"", b",")
    joined = pc.binary_join_element_wise(pc.binary_slice(state, 0, -1), comma, inside, b"}", b"")
    return _with_states(table, pc.coalesce(joined, state).cast(pa.string()))


def _fragments(rows: list[Sealed], store: KeyStore) -> list[bytes | None]:
    unfit: list[str] = []
    found = store.open(rows, unfit=unfit)
    if unfit:
        shut = set(unfit)
        marked = (b"%b,%b" % (one, UNOPENED) if one else UNOPENED for one in found)
        found = [mark if row[1] in shut else one for row, one, mark in zip(rows, found, marked, strict=True)]
    return [fragment or None for fragment in found]


def present_states(table: pa.Table) -> pa.Table:
    """The table with every state as its present class writes it; what cannot be read names its version first."""
    old = pc.starts_with(table["state"], VERSIONED)
    if topics := moved():
        old = pc.or_(old, pc.is_in(table["topic"], value_set=pa.array(topics)))
    rows = table.filter(old)
    if not rows.num_rows:
        return table
    pairs = zip(rows["topic"].to_pylist(), rows["state"].to_pylist(), strict=True)
    states = pa.array([present(topic, state) for topic, state in pairs], pa.string())
    return _with_states(table, pc.replace_with_mask(table["state"], old.combine_chunks(), states))


def _with_states(table: pa.Table, states: pa.ChunkedArray) -> pa.Table:
    return table.set_column(table.schema.get_field_index("state"), "state", states)
