"""One verdict per draft of a batch: new, here already, or in contradiction to what is here."""

from collections.abc import Callable, Collection, Mapping, Sequence

import msgspec

from domain.log.records import Changed, Draft, Outcome
from domain.log.session import Kept, Session

Erased = Callable[[Collection[str]], Collection[str]]
"""Which of these streams are erased: whatever they hold cannot be compared any more."""


class Verdict(msgspec.Struct, gc=False):
    """What is to become of one draft; a stored one gets its position only when it is written.

    `first` is the draft of the same batch whose content this one repeats.
    """

    draft: Draft
    outcome: Outcome
    position: int | None = None
    first: "Verdict | None" = None


Known = Mapping[str, tuple[bytes, int]]
"""By stored event id: fingerprint and position."""
Seen = dict[str, tuple[bytes, int | Verdict]]
"""By event id: the fingerprint, and the position, or the verdict of this batch that will have one."""


def judge(
    session: Session, drafts: Sequence[Draft], known: Known, *, changed: Changed, erased: Erased
) -> list[Verdict]:
    """One verdict per draft, in order; drafts that become later revisions are renumbered."""
    seen: Seen = dict(known)
    contested: Contested | None = None
    verdicts = []
    for draft in drafts:
        before = seen.get(draft.event_id)
        if before is None and draft.revision == 1:
            verdict = Verdict(draft, "stored")
            seen[draft.event_id] = (draft.payload_hash, verdict)
        elif before is not None and (draft.once or before[0] == draft.payload_hash):
            verdict = _duplicate(draft, before[1])
        else:
            contested = contested or Contested(session, drafts, seen, changed=changed, erased=erased)
            verdict = contested.judge(draft, before)
        verdicts.append(verdict)
    return verdicts


def _duplicate(draft: Draft, at: int | Verdict) -> Verdict:
    return Verdict(draft, "duplicate", at) if isinstance(at, int) else Verdict(draft, "duplicate", first=at)


class Contested:
    """The records of a batch that are here with other content, or come as later revisions.

    What has other content than the erased stream that holds it is a duplicate: nobody can tell any more. A
    revision stays in the stream of its record: under another subject it is a conflict.
    """

    def __init__(
        self, session: Session, drafts: Sequence[Draft], seen: Seen, *, changed: Changed, erased: Erased
    ) -> None:
        self._seen = seen
        self._changed = changed
        records, differing = _contested(drafts, seen)
        self._kept = session.revisions(list(records)) if records else {}
        streams = {draft.originator_id for draft in differing}
        streams |= {kept.stream for draft in differing for kept in self._kept.get(draft.record, ())}
        self._erased = erased(streams) if streams else ()
        self._homes: dict[str, str] = {}

    def judge(self, draft: Draft, before: tuple[bytes, int | Verdict] | None) -> Verdict:
        """The verdict on a later revision, or on other content under an id that is taken."""
        kept = self._kept.get(draft.record, ())
        if before is None:
            return Verdict(draft, "conflict") if self._moves(draft, kept) else self._stored(draft)
        if draft.originator_id in self._erased or any(one.stream in self._erased for one in kept):
            return _duplicate(draft, before[1])
        return Verdict(draft, "conflict") if draft.revision != 1 else self._revised(draft, kept)

    def _revised(self, draft: Draft, kept: Sequence[Kept]) -> Verdict:
        """The verdict on an unnumbered change: an older revision again, the next one, or a conflict."""
        newest = 1
        for one in kept:
            if one.payload_hash == draft.payload_hash:
                return Verdict(draft, "duplicate", one.position)
            newest = max(newest, one.revision)
        while (later := self._seen.get(f"{draft.record}|{newest + 1}")) is not None:
            if later[0] == draft.payload_hash:
                return _duplicate(draft, later[1])
            newest += 1
        if self._changed == "conflict" or self._moves(draft, kept):
            return Verdict(draft, "conflict")
        draft.revise(newest + 1)
        return self._stored(draft)

    def _stored(self, draft: Draft) -> Verdict:
        verdict = Verdict(draft, "stored")
        self._seen[draft.event_id] = (draft.payload_hash, verdict)
        self._homes.setdefault(draft.record, draft.originator_id)
        return verdict

    def _moves(self, draft: Draft, kept: Sequence[Kept]) -> bool:
        """Whether the record stands in another stream, in the log or earlier in this batch."""
        first = self._seen.get(f"{draft.record}|1")
        if first is not None and isinstance(first[1], Verdict):
            self._homes.setdefault(draft.record, first[1].draft.originator_id)
        homes = {*(one.stream for one in kept), self._homes.get(draft.record, draft.originator_id)}
        return homes != {draft.originator_id}


def _contested(drafts: Sequence[Draft], seen: Seen) -> tuple[set[str], list[Draft]]:
    """The records to look up, and the drafts whose content differs from what is here or came before."""
    hashes = {key: found[0] for key, found in seen.items()}
    records, differing = set(), []
    for draft in drafts:
        if hashes.setdefault(draft.event_id, draft.payload_hash) != draft.payload_hash:
            records.add(draft.record)
            differing.append(draft)
        elif draft.revision != 1 and draft.event_id not in seen:
            records.add(draft.record)
    return records, differing
