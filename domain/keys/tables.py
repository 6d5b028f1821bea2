"""The tables of a key store, and the statements that differ between SQLite and PostgreSQL.

Rows are appended and overwritten in place, never deleted: in SQLite a key under its own primary key, or a
deleted one, can leave its bytes behind when pages are split or merged.
"""

from dataclasses import dataclass

import sqlalchemy as sa

VERSION = "1"
DESTROYED = "--------"
"""Stands for the master key's id where a key was destroyed."""

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
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
    sa.Column("stream", sa.Text(collation="C").with_variant(sa.Text, "sqlite"), nullable=False),
    sa.Column("class", sa.SmallInteger, nullable=False),
    sa.Column("master", sa.Text, nullable=False),
    sa.Column("wrapped", sa.LargeBinary, nullable=False),
    sa.UniqueConstraint("stream", "class"),
)
TOMBSTONES = sa.Table(
    "destroyed_streams",
    METADATA,
    sa.Column("stream", sa.Text(collation="C").with_variant(sa.Text, "sqlite"), primary_key=True),
    sa.Column("destroyed_at", sa.BigInteger, nullable=False),
)


@dataclass(frozen=True, kw_only=True)
class Statements:
    """One dialect's bulk statements; each takes all its values at once."""

    share: tuple[str, ...]
    exclude: tuple[str, ...]
    read: str
    dead: str
    insert: str
    bury: str
    destroy: str
    rewrap: str


_ADVISORY = 0x6F6D6B73

SQLITE = Statements(
    share=(),
    exclude=(),
    read="SELECT stream, class, master, wrapped FROM stream_keys WHERE stream IN (SELECT value FROM json_each(?))",
    dead="SELECT stream FROM destroyed_streams WHERE stream IN (SELECT value FROM json_each(?))",
    insert="INSERT INTO stream_keys (stream, class, master, wrapped) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
    bury="INSERT INTO destroyed_streams SELECT value, ? FROM json_each(?) WHERE true ON CONFLICT DO NOTHING",
    destroy="""UPDATE stream_keys SET master = ?, wrapped = zeroblob(length(wrapped))
        WHERE stream IN (SELECT value FROM json_each(?)) AND master <> ?""",
    rewrap="UPDATE stream_keys SET master = ?, wrapped = ? WHERE id = ?",
)
POSTGRESQL = Statements(
    share=(f"SELECT pg_advisory_xact_lock_shared({_ADVISORY})",),
    exclude=(f"SELECT pg_advisory_xact_lock({_ADVISORY})",),
    read="SELECT stream, class, master, wrapped FROM stream_keys WHERE stream = ANY(%s::text[])",
    dead="SELECT stream FROM destroyed_streams WHERE stream = ANY(%s::text[])",
    insert="""INSERT INTO stream_keys (stream, class, master, wrapped)
        SELECT * FROM unnest(%s::text[], %s::smallint[], %s::text[], %s::bytea[]) ON CONFLICT DO NOTHING""",
    bury="INSERT INTO destroyed_streams SELECT unnest(%s::text[]), %s ON CONFLICT DO NOTHING",
    destroy="UPDATE stream_keys SET master = %s, wrapped = '' WHERE stream = ANY(%s::text[]) AND master <> %s",
    rewrap="""UPDATE stream_keys AS old SET master = %s, wrapped = new.wrapped
        FROM unnest(%s::bigint[], %s::bytea[]) AS new (id, wrapped) WHERE old.id = new.id""",
)
