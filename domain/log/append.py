"""One batch, exactly once: what is new, what was here before, what contradicts; then versions, chain and rows."""

from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

from domain.log.chain import leaf, link
from domain.log.records import Changed, Draft, Outcome, microseconds
from domain.log.session import Kept, Session


class Verdict(msgspec.Struct):
    """What is to become of one draft; a stored one gets its position only when it is written."""

    draft: Draft
    outcome: Outcome
    position: int | None = None
    first: "Verdict | None" = None

    @property
    def at(self) -> int | None:
        """Where the content stands: an earlier row, or the row of the same batch that it repeats."""
        return self.first.position if self.first else self.position


class Seen(msgspec.Struct):
    """The fingerprint under an event id, and where it stands: stored before, or earlier in this batch."""

    payload_hash: bytes
    position: int | None
    verdict: Verdict | None = None


def judge(session: Session, drafts: Sequence[Draft], *, changed: Changed) -> list[Verdict]:
    """One verdict per draft, in order; drafts that become later revisions are renumbered."""
    keys = [draft.event_id for draft in drafts]
    seen = {key: Seen(*found) for key, found in session.known(keys).items()}
    doubtful = _changed_records(drafts, keys, seen)
    revisions = session.revisions(doubtful) if doubtful else {}
    verdicts = []
    for draft, key in zip(drafts, keys, strict=True):
        before = seen.get(key)
        if before is None:
            verdict = Verdict(draft, "stored")
            seen[key] = Seen(draft.payload_hash, None, verdict)
        elif draft.once or before.payload_hash == draft.payload_hash:
            verdict = Verdict(draft, "duplicate", before.position, before.verdict)
        else:
            verdict = _changed(draft, revisions.get(draft.record, ()), seen, changed)
        verdicts.append(verdict)
    return verdicts


def _changed_records(drafts: Sequence[Draft], keys: Sequence[str], seen: dict[str, Seen]) -> list[str]:
    hashes = {key: found.payload_hash for key, found in seen.items()}
    return list(
        dict.fromkeys(
            draft.record
            for draft, key in zip(drafts, keys, strict=True)
            if hashes.setdefault(key, draft.payload_hash) != draft.payload_hash
            and draft.revision == 1
            and not draft.once
        )
    )


def _changed(draft: Draft, stored: Iterable[Kept], seen: dict[str, Seen], changed: Changed) -> Verdict:
    """The verdict on other content under a known id: an older revision again, a new one, or a conflict."""
    if draft.revision != 1:
        return Verdict(draft, "conflict")
    newest = 1
    for kept in stored:
        if kept.payload_hash == draft.payload_hash:
            return Verdict(draft, "duplicate", kept.position)
        newest = max(newest, kept.revision)
    while (later := seen.get(f"{draft.record}|{newest + 1}")) is not None:
        if later.payload_hash == draft.payload_hash:
            return Verdict(draft, "duplicate", later.position, later.verdict)
        newest += 1
    if changed == "conflict":
        return Verdict(draft, "conflict")
    draft.revision = newest + 1
    verdict = Verdict(draft, "stored")
    seen[draft.event_id] = Seen(draft.payload_hash, None, verdict)
    return verdict


def write(session: Session, drafts: Sequence[Draft], *, run: int, now: datetime | None) -> list[int]:
    """Store new drafts at the end of the log: position, version, recording time and chain value each."""
    if not drafts:
        return []
    tip = session.tip()
    recorded_at = tip.recorded_at if now is None else max(microseconds(now), tip.recorded_at)
    heads = session.heads(list({draft.originator_id for draft in drafts if draft.version is None}))
    first = session.reserve(len(drafts), tip=tip)
    chain = tip.chain
    rows = []
    for position, draft in enumerate(drafts, first):
        stream = draft.originator_id
        version = draft.version
        if version is None:
            version = heads[stream] = heads.get(stream, 0) + 1
        known_at = recorded_at if draft.known_at is None else draft.known_at
        row = (
            position,
            stream,
            version,
            draft.topic,
            draft.state,
            draft.event_id,
            draft.occurred_at,
            known_at,
            recorded_at,
            run,
            draft.payload_hash,
            draft.metadata,
        )
        chain = link(chain, leaf(*row))
        rows.append((*row, chain))
    session.insert(rows)
    return list(range(first, first + len(rows)))
