"""How much a log holds, how much room that takes, and how fast it grows: a few looks, however long the log is."""

from bisect import bisect_right
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from domain.keys.copying import size_of
from domain.log.address import parse
from domain.log.errors import LogDamaged
from domain.log.log import Log
from domain.log.notes import NoteError, parse_note
from domain.log.records import instant, microseconds
from domain.log.scan import POSITION
from domain.log.session import Session

HOUR, DAY = timedelta(hours=1), timedelta(days=1)

_PAGES = "SELECT page_count - freelist_count, page_size FROM pragma_page_count, pragma_freelist_count, pragma_page_size"
_RELATIONS = "SELECT pg_table_size('stored_events'), pg_indexes_size('stored_events')"
_MAY = "SELECT has_function_privilege('pg_ls_waldir()', 'execute')"
_WAL = "SELECT coalesce(sum(size), 0)::bigint FROM pg_ls_waldir()"


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """One log in numbers; bytes that cannot be told apart, or that we may not see, are None.

    `bytes` is what the events take with their indexes: on SQLite the whole file, where indexes do not show.
    `wal_bytes` is on PostgreSQL the whole server's, and shown only to those who may list it.
    """

    events: int
    bytes: int
    index_bytes: int | None
    wal_bytes: int | None
    keys_bytes: int
    first_at: datetime | None
    last_at: datetime | None
    last_hour: int
    last_day: int

    @property
    def bytes_per_event(self) -> float | None:
        """What one event takes on average; None for an empty log."""
        return self.bytes / self.events if self.events else None


def sizes(log: Log, *, now: datetime) -> Sizes:
    """The numbers of a log as of now; what was appended in the last hour and day goes by `recorded_at`."""
    with log.session() as session:
        rows = _Rows(session, log.dialect)
        head = rows.head()
        events = rows.number(head)
        day, hour = (rows.number(rows.recorded_by(microseconds(now - age), head)) for age in (DAY, HOUR))
        first, last = rows.after(0), rows.after(head - 1)
        table, index, wal = _weighed(session, log)
    return Sizes(
        events=events,
        bytes=table + (index or 0),
        index_bytes=index,
        wal_bytes=wal,
        keys_bytes=size_of(log.keys),
        first_at=instant(first[1]) if first else None,
        last_at=instant(last[1]) if last else None,
        last_hour=events - hour,
        last_day=events - day,
    )


class _Rows:
    """The rows of a log in one transaction, of which few are read."""

    def __init__(self, session: Session, dialect: str) -> None:
        self._session = session
        self._gapless = dialect == "sqlite"
        self._at = POSITION[dialect]

    def head(self) -> int:
        return int(self._session.run(f"SELECT coalesce(max({self._at}), 0) FROM stored_events")[0][0])  # noqa: S608

    def after(self, position: int) -> tuple[int, int] | None:
        """Position and instant of the first row after a position."""
        rows = f"FROM stored_events WHERE {self._at} > ? ORDER BY {self._at} LIMIT 1"
        found = self._session.run(f"SELECT {self._at}, recorded_at {rows}", [position])
        return (found[0][0], found[0][1]) if found else None

    def recorded_by(self, moment: int, head: int) -> int:
        """The last position recorded by then, or 0; found by halving, because `recorded_at` never goes back."""
        low, high = 0, head
        while low < high:
            middle = (low + high) // 2
            found = self.after(middle)
            if found and found[1] <= moment:
                low = found[0]
            else:
                high = middle
        return low

    def number(self, position: int) -> int:
        """How many there are up to a position: the size of the last checkpoint by then, and those after it."""
        if self._gapless:
            return position
        signed = self._signed
        at = bisect_right(signed, position, key=self._position)
        size, since = (signed[at - 1], self._position(signed[at - 1])) if at else (0, 0)
        statement = f"SELECT count(*) FROM stored_events WHERE {self._at} > ? AND {self._at} <= ?"  # noqa: S608
        return size + int(self._session.run(statement, [since, position])[0][0])

    @cached_property
    def _signed(self) -> list[int]:
        """The sizes of all checkpoints."""
        if "checkpoints" not in self._session.tables():
            return []
        return [size for (size,) in self._session.run("SELECT size FROM checkpoints ORDER BY size")]

    def _position(self, size: int) -> int:
        """Where the checkpoint of this size stands."""
        note: str = self._session.run("SELECT note FROM checkpoints WHERE size = ?", [size])[0][0]
        try:
            return parse_note(note).checkpoint.position
        except NoteError as error:
            raise LogDamaged(
                f"The log's checkpoint of size {size} is none ({error}): run `omniline verify`."
            ) from error


def _weighed(session: Session, log: Log) -> tuple[int, int | None, int | None]:
    """The bytes of events, of their indexes and of the write-ahead log."""
    if log.dialect == "postgresql":
        table, index = session.run(_RELATIONS)[0]
        return table, index, session.run(_WAL)[0][0] if session.run(_MAY)[0][0] else None
    pages, size = session.run(_PAGES)[0]
    path = parse(log.url).path
    wal = path.with_name(f"{path.name}-wal")
    return pages * size, None, wal.stat().st_size if wal.exists() else 0
