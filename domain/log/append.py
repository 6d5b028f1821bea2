"""One batch, exactly once: judged and sealed without the lock, judged again under it only where the log has grown.

Whoever loses the connection while a transaction commits cannot know whether it did. The next attempt looks for the
last row of the one before, which no other attempt can have written alike.
"""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from itertools import count
from typing import Any

from domain.keys import CLASSES, KeyStore, Pair
from domain.log.chain import leaf, link
from domain.log.judging import Known, Verdict, judge
from domain.log.records import Changed, Draft, Receipt, microseconds
from domain.log.sealed import fingerprint, pairs, seal
from domain.log.session import Session, Tip

Row = tuple[Any, ...]


class Batch:
    """The drafts of one batch, what is to become of each, and the keys of what is personal in them."""

    def __init__(self, drafts: Sequence[Draft], store: KeyStore, *, changed: Changed) -> None:
        self.verdicts: list[Verdict] = []
        self._last: Row | None = None
        self._drafts = drafts
        self._store = store
        self._changed: Changed = changed
        self._numbers = [draft.revision for draft in drafts]
        self._personal = [draft for draft in drafts if draft.codes]
        self._keys: dict[Pair, bytes | None] = {}
        self._head = -1

    @property
    def settled(self) -> bool:
        """Whether everything is here already."""
        return {verdict.outcome for verdict in self.verdicts} <= {"duplicate"}

    @property
    def fresh(self) -> list[Verdict]:
        """What is to be stored."""
        return [verdict for verdict in self.verdicts if verdict.outcome == "stored"]

    def judge(self, session: Session, *, mint: bool) -> None:
        """Decide on every draft, as the log is now; keys are made for what is new, if at all."""
        if self.verdicts:
            self._number_anew()
        self._head = session.tip().position
        known = session.known([draft.event_id for draft in self._drafts])
        self._find_keys(known, mint=mint)
        self.verdicts = judge(session, self._drafts, known, changed=self._changed, erased=self._erased)

    def _number_anew(self) -> None:
        """Take back what the last judgement made of revisions."""
        for draft, number in zip(self._drafts, self._numbers, strict=True):
            if draft.revision != number:
                draft.revise(number)

    def seal(self) -> None:
        """Seal what is new and not sealed for its event id yet."""
        drafts = [verdict.draft for verdict in self.fresh]
        absent = pairs(drafts) - self._keys.keys()
        if absent:
            self._keys |= self._store.provide(absent)
            fingerprint(self._personal, self._keys, self._store.secret("log"))
        seal(drafts, self._keys)

    def write(self, session: Session, *, run: int, now: datetime) -> bool:
        """Store what is new, judged again if others were faster; False if the last attempt did so already."""
        tip = session.tip()
        if tip.position != self._head:
            if self.landed(session):
                return False
            self.judge(session, mint=True)
            self.seal()
        rows = Rows([verdict.draft for verdict in self.fresh], run=run, now=now)
        rows.store(session, tip)
        self._last = rows.last
        self._place()
        return True

    def landed(self, session: Session) -> bool:
        """Whether the rows of the last attempt are in the log; if so, what is new has their positions."""
        if self._last is None or [*session.rows([self._last[0]])] != [self._last[:-1]]:
            return False
        self._place()
        return True

    def _place(self) -> None:
        """Tell what is new its position: the last row's, and those before it."""
        fresh = self.fresh
        if self._last is not None:
            for verdict, position in zip(fresh, count(self._last[0] - len(fresh) + 1), strict=False):
                verdict.position = position

    def receipts(self) -> list[Receipt]:
        """What became of each event."""
        return [
            Receipt(
                event_id=verdict.draft.event_id,
                outcome=verdict.outcome,
                position=verdict.first.position if verdict.first else verdict.position,
            )
            for verdict in self.verdicts
        ]

    def _find_keys(self, known: Known, *, mint: bool) -> None:
        """Fingerprint what is personal, under keys that are there or, for unknown ids, are made now."""
        new = pairs([draft for draft in self._personal if draft.event_id not in known])
        old = pairs([draft for draft in self._personal if draft.event_id in known and not draft.once])
        found = (self._store.provide if mint else self._store.fetch)(new - self._keys.keys())
        found |= self._store.fetch(old - new - self._keys.keys())
        self._keys |= found
        if found or not self.verdicts:
            fingerprint(self._personal, self._keys, self._store.secret("log"))

    def _erased(self, streams: Collection[str]) -> set[str]:
        found = self._store.fetch({(stream, code) for stream in streams for code in CLASSES})
        return {stream for (stream, _), key in found.items() if key is None}


class Rows:
    """The complete rows of new drafts, made while the database stores those before: `last` is the last of them."""

    def __init__(self, drafts: Sequence[Draft], *, run: int, now: datetime | None) -> None:
        self.last: Row | None = None
        self._drafts = drafts
        self._run = run
        self._now = now

    def store(self, session: Session, tip: Tip | None = None) -> Sequence[int]:
        """Store them at the end of the log; their positions."""
        if not self._drafts:
            return ()
        tip = tip or session.tip()
        heads = session.heads(list({draft.originator_id for draft in self._drafts if draft.version is None}))
        first = session.reserve(len(self._drafts), tip=tip)
        session.insert(self._rows(first, heads, tip))
        return range(first, first + len(self._drafts))

    def _rows(self, first: int, heads: dict[str, int], tip: Tip) -> Iterator[Row]:
        """Position, version and chain value for each."""
        recorded_at = tip.recorded_at if self._now is None else max(microseconds(self._now), tip.recorded_at)
        chain, run = tip.chain, self._run
        for position, draft in enumerate(self._drafts, first):
            stream, version = draft.originator_id, draft.version
            if version is None:
                version = heads[stream] = heads.get(stream, 0) + 1
            row = (
                position,
                stream,
                version,
                draft.topic,
                draft.state,
                draft.sealed,
                draft.event_id,
                draft.occurred_at,
                recorded_at if draft.known_at is None else draft.known_at,
                recorded_at,
                run,
                draft.payload_hash,
                draft.metadata,
            )
            chain = link(chain, leaf(row))
            self.last = (*row, chain)
            yield self.last
