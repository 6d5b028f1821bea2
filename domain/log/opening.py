"""Opening a log: made where there is none and we are told to, recognised and checked where there is one."""

import fcntl
import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any

import psycopg

from domain.keys import KeyStore, Master, master_beside, open_keys
from domain.log import postgres, sqlite
from domain.log.address import Address, parse
from domain.log.errors import LogError, LogMismatch, LogMissing, told
from domain.log.log import Log
from domain.log.recorders import PostgresLogRecorder, SQLiteLogRecorder

SCHEMA_VERSION = 2
MASTER = "master.key"
"""Where the master key lies, beside a key store that is a file."""
_META = "SELECT name, value FROM log_meta"
_FILE = "sqlite:///"


def open_log(
    url: str,
    *,
    keys: Path | str,
    master: Master | None = None,
    create: bool = False,
    torn: bool = False,
    patience: int = 60,
) -> Log:
    """The log at `url` with its key store at `keys`, a file or a URL; both are made where `create` says so.

    Without `master`, the master key is in the file master.key beside the key store and is made together with it.
    `torn` opens one whose tail was cut off too, for whoever looks into what is wrong with it.
    `patience` bounds in seconds how long a writer waits for another one.
    """
    address, place = parse(url), _place(keys)
    make = create and not address.read_only
    if address.dialect == "sqlite" and not address.path.exists():
        if not make:
            raise LogMissing(
                f"There is no log at {address.shown}: ingest something first, or check the address."
            )
        address.path.parent.mkdir(parents=True, exist_ok=True)
    with told(address.shown), ExitStack() as failing:
        recorder = _recorder(address, create=create, patience=patience)
        failing.callback(recorder.datastore.close)
        with _starting(address, place) if make else nullcontext():
            meta = _meta(recorder, address)
            _check_version(meta, address, make=make)
            store = _keys(place, master, create=not meta, patience=patience)
            failing.callback(store.close)
            meta = meta or _create(recorder, store)
        _check_keys(meta, address, store)
        if not torn:
            with recorder.session() as session:
                session.tip()
        failing.pop_all()
    return Log(address, recorder, url=url, epoch=meta["epoch"], store=store)


def _place(keys: Path | str) -> Path | str:
    """The file of a key store, or the URL of one on a server."""
    if isinstance(keys, str) and keys.startswith(_FILE):
        keys = Path(keys.removeprefix(_FILE))
    return keys if isinstance(keys, str) else keys.absolute()


def _keys(place: Path | str, master: Master | None, *, create: bool, patience: int) -> KeyStore:
    if master is None:
        if isinstance(place, str):
            raise LogError(
                "A key store on a server needs its master key: set OMNILINE_MASTER_KEY or OMNILINE_MASTER_KEY_FILE."
            )
        master = master_beside(place.with_name(MASTER), keys=place, create=create)
    return open_keys(place, master=master, create=create, patience=patience)


@contextmanager
def _starting(address: Address, place: Path | str) -> Iterator[None]:
    """Let one process at a time create what is lacking; where nothing can be made, nobody waits.

    Where log and keys are on a server, its own locks see to that.
    """
    files = [place] if isinstance(place, Path) else []
    files += [address.path] if address.dialect == "sqlite" else []
    with ExitStack() as held:
        with suppress(OSError, IndexError):
            folder = files[0].parent
            folder.mkdir(parents=True, exist_ok=True)
            fcntl.flock(held.enter_context((folder / ".starting").open("w")), fcntl.LOCK_EX)
        yield


def _recorder(address: Address, *, create: bool, patience: int) -> Any:
    if address.dialect == "sqlite":
        uri = address.uri(create=create)
        return SQLiteLogRecorder(sqlite.LogDatastore(uri, path=address.path, lock_timeout=patience))
    with told(address.shown), psycopg.connect(address.conninfo) as connection:
        row = connection.execute("SELECT current_schema()").fetchone()
    if row is None or row[0] is None:
        raise LogMismatch(f"The search path of {address.shown} names no schema that exists: create one.")
    return PostgresLogRecorder(postgres.LogDatastore(address.conninfo, schema=row[0], patience=patience))


def _create(recorder: Any, store: KeyStore) -> dict[str, str]:
    """Make tables and meta in one transaction; whoever comes second finds them made."""
    epoch = secrets.token_hex(16)
    made = {"epoch": epoch, "schema_version": str(SCHEMA_VERSION), "keys": store.mark(epoch)}
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


def _check_version(meta: dict[str, str], address: Address, *, make: bool) -> None:
    """Refuse a log that is not there, or whose tables are not ours of today."""
    if not meta:
        if make:
            return
        raise LogMissing(f"There is no log at {address.shown} yet: run `omniline log init`.")
    version = meta.get("schema_version", "")
    if version == "1":
        raise LogMismatch(
            f"The log {address.shown} was made before personal data was sealed: "
            "ingest its sources again into a new home."
        )
    if version != str(SCHEMA_VERSION):
        raise LogMismatch(
            f"The log {address.shown} has tables of version {version}, this Omniline knows {SCHEMA_VERSION}: "
            "update Omniline."
        )


def _check_keys(meta: dict[str, str], address: Address, store: KeyStore) -> None:
    """Refuse the keys of another log: every redelivery would look like a conflict."""
    if meta.get("keys") != store.mark(meta.get("epoch", "")):
        raise LogMismatch(
            f"The key store {store.shown} belongs to another log than {address.shown}: put back the one made with it."
        )
