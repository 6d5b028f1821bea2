"""One call notes in the log what a mapping says its source is believed, if that is new."""

import hashlib
import json
from datetime import datetime

from domain.events.decisions import SourceDeclared
from domain.log import Log, Pending
from ingestion.language import SourceMapping


def declare(log: Log, mapping: SourceMapping, *, source: str, run: int, now: datetime) -> None:
    """Append a `SourceDeclared` when the newest one of this source says something else.

    A declaration that returns after another is a new revision of its first; whoever declares it for the
    first time, in however many processes at once, stores it once.
    """
    if not mapping.declares:
        return
    digest = _digest(mapping)
    event = SourceDeclared(
        source=source,
        id=f"declared/{digest}",
        subject=f"source:{source}",
        occurred_at=now,
        precision="microsecond",
        actor_kind="system",
        trust=dict(sorted(mapping.trust.items())),
        known_at_trusted=mapping.known_at_trusted,
        digest=digest,
    )
    states = [json.loads(state) for state in log.arrow_of([event.stream])["state"].to_pylist()]
    told = [state["digest"] for state in states]
    if not told or told[-1] != digest:
        pending = Pending(event=event, once=digest not in told)
        log.append_batch([pending], run=run, now=now, changed="revise")


def _digest(mapping: SourceMapping) -> str:
    said = {"known_at": mapping.known_at_trusted, "trust": dict(mapping.trust)}
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()
