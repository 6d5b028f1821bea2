"""One call takes files into the log: records in, a balance out; what is malformed goes to the quarantine."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from domain.adoption import policies_of
from domain.log import Log, Pending, Receipt
from domain.policy import Policy
from ingestion.assertions import Assertions
from ingestion.balance import Balance
from ingestion.canonical import SOURCE, Canonical
from ingestion.declaring import declare
from ingestion.dry import DryRun
from ingestion.files import check
from ingestion.language import SourceMapping
from ingestion.lookups import read_lookup
from ingestion.mapping import find_mapping
from ingestion.opening import open_rows
from ingestion.plan import bind
from ingestion.source import IngestError, Translated
from ingestion.translate import Translation

__all__ = ["Balance", "IngestError", "ingest"]

AHEAD = timedelta(minutes=5)
"""A source's clock may be this much ahead of ours."""
TABLES = (".csv", ".tsv", ".parquet")
"""How files are named whose rows mean nothing without a mapping."""
Now = Callable[[], datetime] | datetime


def ingest(
    log: Log,
    paths: Sequence[Path],
    *,
    source: str,
    mapping: SourceMapping | None,
    now: Now,
    dry_run: bool = False,
    progress: Callable[[int], None] | None = None,
    policy: Policy | None = None,
) -> Balance:
    """Append the records of files, exactly once however often they are ingested; IngestError is one sentence.

    Without a mapping the shipped one of the source's name is used; if there is none, the files are canonical
    records. `progress` is called with the records read so far. Channels and trust are those of `policy`, by
    default the one that the log says is in force.
    """
    if not SOURCE.fullmatch(source):
        raise IngestError(
            f'The source "{source}" is no name; write small letters, digits, _ . and -, as in shop_pl.'
        )
    for path in paths:
        check(path)
    instant = now if isinstance(now, datetime) else now()
    intake = Intake(
        log=log,
        source=source,
        mapping=mapping or _shipped(source, paths),
        now=now,
        policy=policy or policies_of(log).at(instant),
    )
    balance = Balance(source=source, files=[str(path) for path in paths])
    for path in paths:
        for part in intake.translated(path, balance):
            balance.add(part, intake.receipts(part, dry_run=dry_run))
            if progress is not None:
                progress(balance.read)
    balance.untrusted = intake.untrusted()
    return balance


def _shipped(source: str, paths: Sequence[Path]) -> SourceMapping | None:
    """The source's shipped mapping; without one, tables are refused whole and do not fill the quarantine."""
    found = find_mapping(source)
    for path in paths if found is None else ():
        if path.name.lower().removesuffix(".gz").endswith(TABLES):
            raise IngestError(
                f'{path} is a table, and the source "{source}" has no mapping that says what its rows mean; '
                "name one, or write one as docs/mappings.md tells."
            )
    return found


@dataclass(kw_only=True)
class Intake:
    """The files of one call on their way into the log."""

    log: Log
    source: str
    mapping: SourceMapping | None
    now: Now
    policy: Policy
    run: int | None = None
    assertions: Assertions = field(init=False)
    dry: DryRun = field(init=False)

    def __post_init__(self) -> None:
        self.assertions = Assertions(self.log.surrogate)
        self.dry = DryRun(log=self.log)

    def instant(self) -> datetime:
        """The present, as the caller tells it."""
        return self.now if isinstance(self.now, datetime) else self.now()

    def translated(self, path: Path, balance: Balance) -> Iterator[Translated]:
        """The records of one file."""
        mapping, latest = self.mapping, self.instant() + AHEAD
        if mapping is None or mapping.format == "canonical":
            zone = mapping.zone if mapping else None
            yield from Canonical(
                path=path, source=self.source, channels=self.policy.channels, latest=latest,
                assertions=self.assertions, zone=zone,
            ).records()  # fmt: skip
            return
        table = open_rows(path, mapping.format, mapping.separator)
        plan = bind(mapping, table.header, str(path), self.policy.channels)
        balance.notes.extend(note for note in plan.notes if note not in balance.notes)
        translation = Translation(
            plan=plan,
            source=self.source,
            file=str(path),
            latest=latest,
            assertions=self.assertions,
            lookups=tuple(read_lookup(join, mapping, path.parent) for join in mapping.joins),
        )
        yield from translation.records(table.rows(plan.from_file))

    def receipts(self, part: Translated, *, dry_run: bool) -> list[Receipt]:
        """Store a part, or find out what storing it would do."""
        pending: list[Pending] = [one for record in part.records for one in record]
        changed = self.mapping.changed if self.mapping else "conflict"
        if dry_run:
            return self.dry.receipts(pending, changed)
        if not pending and not part.refused:
            return []
        return self.log.append_batch(
            pending, run=self._run(), now=self.instant(), changed=changed, refused=part.refused
        )

    def _run(self) -> int:
        if self.run is None:
            now = self.instant()
            adapter = self.mapping.where if self.mapping else "canonical"
            self.run = self.log.begin_run(source=self.source, adapter=adapter, now=now)
            if self.mapping is not None:
                declare(self.log, self.mapping, source=self.source, run=self.run, now=now)
        return self.run

    def untrusted(self) -> list[str]:
        """What was asserted in a way that neither the mapping nor the policy says how far to believe."""
        declared = self.mapping.trust if self.mapping else {}
        return sorted(
            f"{source}: {pair}"
            for source, pair in self.assertions.pairs
            if pair not in (self.policy.trust[source].pairs if source in self.policy.trust else declared)
        )
