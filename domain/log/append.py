"""One batch, exactly once: what is new, what was here before, what contradicts; then versions, chain and rows."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

import msgspec

from domain.log.chain import leaf, link
from domain.log.records import Changed, Draft, Outcome, microseconds
from domain.log.session import Kept, Session


class Verdict(msgspec.Struct, gc=False):
    """What is to become of one draft; a stored one gets its position only when it is written.

    `first` is the draft of the same batch whose content this one repeats.
    """

    draft: Draft
    outcome: Outcome
    position: int | None = None
    first: "Verdict | None" = None


Seen = dict[str, tuple[bytes, int | Verdict]]
"""By event id: the fingerprint, and the position, or the verdict of this batch that will have one."""


def judge(session: Session, drafts: Sequence[Draft], *, changed: Changed) -> list[Verdict]:
    """One verdict per draft, in order; drafts that become later revisions are renumbered."""
    seen: Seen = dict(session.known([draft.event_id for draft in drafts]))
    revisions: dict[str, list[Kept]] | None = None
    verdicts = []
    for draft in drafts:
        before = seen.get(draft.event_id)
        if before is None:
            verdict = Verdict(draft, "stored")
            seen[draft.event_id] = (draft.payload_hash, verdict)
        elif draft.once or before[0] == draft.payload_hash:
            verdict = _duplicate(draft, before[1])
        elif draft.revision != 1:
            verdict = Verdict(draft, "conflict")
        else:
            if revisions is None:
                revisions = session.revisions(_doubtful(drafts, seen))
            verdict = _changed(draft, revisions.get(draft.record, ()), seen, changed)
        verdicts.append(verdict)
    return verdicts


def _duplicate(draft: Draft, at: int | Verdict) -> Verdict:
    return Verdict(draft, "duplicate", at) if isinstance(at, int) else Verdict(draft, "duplicate", first=at)


def _doubtful(drafts: Sequence[Draft], seen: Seen) -> list[str]:
    """The records of which this batch brings other content than the first that was seen."""
    hashes = {key: found[0] for key, found in seen.items()}
    return list(
        {
            draft.record
            for draft in drafts
            if hashes.setdefault(draft.event_id, draft.payload_hash) != draft.payload_hash
        }
    )


def _changed(draft: Draft, stored: Iterable[Kept], seen: Seen, changed: Changed) -> Verdict:
    """The verdict on other content under a known id: an older revision again, a new one, or a conflict."""
    record, newest = draft.record, 1
    for kept in stored:
        if kept.payload_hash == draft.payload_hash:
            return Verdict(draft, "duplicate", kept.position)
        newest = max(newest, kept.revision)
    while (later := seen.get(f"{record}|{newest + 1}")) is not None:
        if later[0] == draft.payload_hash:
            return _duplicate(draft, later[1])
        newest += 1
    if changed == "conflict":
        return Verdict(draft, "conflict")
    draft.revise(newest + 1)
    verdict = Verdict(draft, "stored")
    seen[draft.event_id] = (draft.payload_hash, verdict)
    return verdict


def write(session: Session, drafts: Sequence[Draft], *, run: int, now: datetime | None) -> Sequence[int]:
    """Store new drafts at the end of the log; their positions."""
    if not drafts:
        return ()
    tip = session.tip()
    recorded_at = tip.recorded_at if now is None else max(microseconds(now), tip.recorded_at)
    heads = session.heads(list({draft.originator_id for draft in drafts if draft.version is None}))
    first = session.reserve(len(drafts), tip=tip)
    session.insert(_rows(drafts, first, chain=tip.chain, heads=heads, recorded_at=recorded_at, run=run))
    return range(first, first + len(drafts))


def _rows(
    drafts: Sequence[Draft], first: int, *, chain: bytes, heads: dict[str, int], recorded_at: int, run: int
) -> Iterator[tuple[Any, ...]]:
    """Complete rows, made while the database takes the ones before: position, version and chain value each."""
    for position, draft in enumerate(drafts, first):
        stream = draft.originator_id
        version = draft.version
        if version is None:
            version = heads[stream] = heads.get(stream, 0) + 1
        row = (
            position,
            stream,
            version,
            draft.topic,
            draft.state,
            draft.event_id,
            draft.occurred_at,
            recorded_at if draft.known_at is None else draft.known_at,
            recorded_at,
            run,
            draft.payload_hash,
            draft.metadata,
        )
        chain = link(chain, leaf(row))
        yield (*row, chain)
