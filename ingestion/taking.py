"""Files into a home: one call reads them by their mapping, under the policy in force there."""

from collections.abc import Callable, Sequence
from pathlib import Path

from domain.adoption import policies_of
from domain.home import Home
from ingestion.intake import Balance, ingest
from ingestion.mapping import load_mapping


def take_in(
    home: Home,
    paths: Sequence[Path],
    *,
    source: str,
    mapping: str | None,
    dry_run: bool,
    progress: Callable[[int], None] | None,
) -> Balance:
    """Append the records of files, each exactly once; a dry run tells the same and writes nothing."""
    read = load_mapping(mapping) if mapping else None
    with home.trial(dry_run) as where, where.log(create=True) as log:
        return ingest(
            log,
            paths,
            source=source,
            mapping=read,
            policy=policies_of(log).at(home.clock()),
            now=home.clock,
            dry_run=dry_run,
            progress=progress,
        )
