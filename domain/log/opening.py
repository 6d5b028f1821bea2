"""Opening a log: made where there is none and we are told to, recognised and checked where there is one."""

from pathlib import Path
from typing import Any

import psycopg

from domain.log import keys as keystore
from domain.log import postgres, sqlite
from domain.log.address import Address, parse
from domain.log.errors import LogMismatch, LogMissing, told
from domain.log.log import Log
from domain.log.recorders import PostgresLogRecorder, SQLiteLogRecorder

SCHEMA_VERSION = "1"
_META = "SELECT name, value FROM log_meta"


def open_log(url: str, *, keys: Path, create: bool = False, patience: int = 60) -> Log:
    """The log at `url`, with its key store at `keys`; both are made where `create` says so.

    `patience` bounds in seconds how long a writer waits for another one.
    """
    address = parse(url)
    if address.dialect == "sqlite" and not address.path.exists():
        if not create or address.read_only:
            raise LogMissing(
                f"There is no log at {address.shown}: ingest something first, or check the address."
            )
        address.path.parent.mkdir(parents=True, exist_ok=True)
    recorder = _recorder(address, create=create, patience=patience)
    try:
        with told(address.shown):
            if create and not address.read_only:
                with keystore.starting(keys.parent):
                    meta = _meta(recorder, address) or _create(recorder, keys)
            else:
                meta = _meta(recorder, address)
            epoch, secret = _recognised(meta, address, keys)
            with recorder.session() as session:
                session.tip()
    except BaseException:
        recorder.datastore.close()
        raise
    return Log(address, recorder, url=url, epoch=epoch, secret=secret)


def _recorder(address: Address, *, create: bool, patience: int) -> Any:
    if address.dialect == "sqlite":
        uri = address.uri(create=create)
        return SQLiteLogRecorder(sqlite.LogDatastore(uri, path=address.path, lock_timeout=patience))
    with told(address.shown), psycopg.connect(address.conninfo) as connection:
        row = connection.execute("SELECT current_schema()").fetchone()
    if row is None or row[0] is None:
        raise LogMismatch(f"The search path of {address.shown} names no schema that exists: create one.")
    return PostgresLogRecorder(postgres.LogDatastore(address.conninfo, schema=row[0], patience=patience))


def _create(recorder: Any, keys: Path) -> dict[str, str]:
    """Make keys first, then tables and meta in one transaction; whoever comes second finds them made."""
    secret = keystore.mint(keys)
    epoch = keystore.new_epoch()
    made = {"epoch": epoch, "schema_version": SCHEMA_VERSION, "keys": keystore.mark(secret, epoch)}
    with recorder.session(commit=True) as session:
        if "log_meta" in session.tables():
            return dict(session.run(_META))
        for statement in recorder.create_table_statements:
            session.run(statement)
        session.run_many("INSERT INTO log_meta VALUES (?, ?)", list(made.items()))
    return made


def _meta(recorder: Any, address: Address) -> dict[str, str]:
    """What the log tells about itself; nothing where it is still to be made."""
    with recorder.session() as session:
        tables = session.tables()
        if "log_meta" in tables:
            return dict(session.run(_META))
    if tables:
        raise LogMismatch(
            f"{address.shown} is a database, but no log of Omniline: give the log a place of its own."
        )
    return {}


def _recognised(meta: dict[str, str], address: Address, keys: Path) -> tuple[str, bytes]:
    """Epoch and secret, once version and key store are found to be the right ones."""
    if not meta:
        raise LogMissing(f"There is no log at {address.shown} yet: run `omniline log init`.")
    version = meta.get("schema_version")
    if version != SCHEMA_VERSION:
        raise LogMismatch(
            f"The log {address.shown} has tables of version {version}, this Omniline knows {SCHEMA_VERSION}: update it."
        )
    secret = keystore.read(keys)
    epoch = meta.get("epoch", "")
    if meta.get("keys") != keystore.mark(secret, epoch):
        raise LogMismatch(
            f"The key store {keys} belongs to another log than {address.shown}: put back the one made with it."
        )
    return epoch, secret
