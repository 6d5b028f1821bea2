"""The tables of a key store, and the statements that differ between SQLite and PostgreSQL.

A row holds one stream's keys, of all classes, under one wrap. Rows are appended and overwritten in place with
as many bytes, never deleted: where SQLite splits or merges pages, copies of what they held can stay behind.
"""

from dataclasses import dataclass

import sqlalchemy as sa

from domain.keys.wrapping import WRAPPED

VERSION = "1"
DESTROYED, NOTHING = "--------", bytes(WRAPPED)
"""Stand for master key and wrapped keys where a stream's keys were destroyed."""

_STREAM = sa.Text(collation="C").with_variant(sa.Text, "sqlite")
_NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")

METADATA = sa.MetaData()
META = sa.Table(
    "key_store_meta",
    METADATA,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)
SECRETS = sa.Table(
    "key_store_secrets",
    METADATA,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("master", sa.Text, nullable=False),
    sa.Column("wrapped", sa.LargeBinary, nullable=False),
)
KEYS = sa.Table(
    "stream_keys",
    METADATA,
    sa.Column("id", _NUMBER, primary_key=True),
    sa.Column("stream", _STREAM, nullable=False, unique=True),
    sa.Column("master", sa.Text, nullable=False),
    sa.Column("wrapped", sa.LargeBinary, nullable=False),
)
TOMBSTONES = sa.Table(
    "destroyed_streams",
    METADATA,
    sa.Column("stream", _STREAM, primary_key=True),
    sa.Column("destroyed_at", sa.BigInteger, nullable=False),
)


@dataclass(frozen=True, kw_only=True)
class Statements:
    """One dialect's statements; `insert` and `rewrap` take rows, the others a list of streams first."""

    alone: str
    read: str
    insert: str
    bury: str
    destroy: str
    rewrap: str


SQLITE = Statements(
    alone="",
    read="SELECT stream, master, wrapped FROM stream_keys WHERE stream IN (SELECT value FROM json_each(?))",
    insert="INSERT INTO stream_keys (stream, master, wrapped) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
    bury="""INSERT INTO destroyed_streams (stream, destroyed_at) SELECT value, ?2 FROM json_each(?1)
        WHERE true ON CONFLICT DO NOTHING""",
    destroy="""INSERT INTO stream_keys (stream, master, wrapped) SELECT value, ?2, ?3 FROM json_each(?1) WHERE true
        ON CONFLICT (stream) DO UPDATE SET master = excluded.master, wrapped = excluded.wrapped
        WHERE stream_keys.master <> excluded.master""",
    rewrap="UPDATE stream_keys SET master = ?, wrapped = ? WHERE id = ?",
)
POSTGRESQL = Statements(
    alone=f"SELECT pg_advisory_xact_lock({0x6F6D6B73})",
    read="SELECT stream, master, wrapped FROM stream_keys WHERE stream = ANY(%b::text[])",
    insert="""INSERT INTO stream_keys (stream, master, wrapped)
        SELECT * FROM unnest(%b::text[], %b::text[], %b::bytea[]) ON CONFLICT DO NOTHING""",
    bury="""INSERT INTO destroyed_streams (stream, destroyed_at) SELECT unnest(%b::text[]), %b
        ON CONFLICT DO NOTHING""",
    destroy="""INSERT INTO stream_keys (stream, master, wrapped) SELECT unnest(%b::text[]), %b, %b::bytea
        ON CONFLICT (stream) DO UPDATE SET master = excluded.master, wrapped = excluded.wrapped
        WHERE stream_keys.master <> excluded.master""",
    rewrap="""UPDATE stream_keys AS old SET master = new.master, wrapped = new.wrapped
        FROM unnest(%b::text[], %b::bytea[], %b::bigint[]) AS new (master, wrapped, id) WHERE old.id = new.id""",
)
