"""Missed calls: one obligation to ring back, returned in time, late, never, or settled by the customer."""

from dataclasses import dataclass, field
from typing import Any

from domain.events.contacts import ContactInitiated, ContactMissed
from ingestion.demo.channels import call, pace
from ingestion.demo.draft import Draft, World
from ingestion.demo.hours import hours_of
from ingestion.demo.instants import HOUR, MINUTE, recorded
from ingestion.demo.names import SERVICE, TEAMS
from ingestion.demo.plan import CALLBACK, draft_for, finish, iso, story_in, wind_up
from ingestion.demo.recognition import phone


@dataclass(kw_only=True)
class Obligation:
    """From the first hang-up to whatever ends it."""

    draft: Draft
    team: str
    agent: str
    missed: list[str] = field(default_factory=list)
    start: int = 0
    attempts: list[tuple[int, bool]] = field(default_factory=list)
    thread: str = ""

    def miss(self, at: int, *, rang: int | None = None) -> int:
        """The customer rings and reaches nobody; the instant of hanging up."""
        rng = self.draft.world.rng
        is_open = hours_of("phone").is_open(at)
        rang = rang or (rng.randint(20, 110) if is_open else rng.randint(8, 20))
        why = rng.choice(("hung_up", "hung_up", "time_out", "voicemail")) if is_open else "closed"
        name = f"call-{self.draft.world.number('thread.phone')}"
        event = self._tell(
            ContactMissed, at, name, "observed", actor_kind="customer", direction="inbound",
            rang_for_s=float(rang), why="hung_up" if rang <= 5 else why,
        )  # fmt: skip
        if rang > 5:
            self.missed.append(event)
            self.start = self.start or at + rang
            self.thread = self.thread or name
            self.draft.ledger.totals["missed_calls"] += 1
        return at + rang

    def attempt(self, seconds: int, *, reached: bool) -> int:
        """We ring back so many working seconds after the start."""
        at = hours_of("phone").after(self.start, seconds)
        self.attempts.append((at, reached))
        self._tell(
            ContactInitiated, at, self.thread, "dialled", actor_kind="human_agent", actor=self.agent,
            direction="outbound", connected=reached, purpose="callback",
        )  # fmt: skip
        return at

    def _tell(self, event: type[Any], at: int, name: str, obtained: str, **fields: Any) -> str:
        customer = self.draft.customer
        return self.draft.emit(
            event, "telephony", at, f"contact:{name}", known=recorded("phone", at), channel="phone", thread=name,
            queue=self.team, points=phone(customer, obtained) if customer else (), **fields,
        )  # fmt: skip

    def plant(self, pattern: str, kept_at: int | None, state: str) -> None:
        """Write the obligation to the truth."""
        lines = hours_of("phone")
        first = self.attempts[0][0] if self.attempts else None
        row = {
            "person": self.draft.person, "missed": self.missed, "started_at": iso(self.start),
            "attempted_at": iso(first), "attempted_s": None if first is None else lines.elapsed(self.start, first),
            "kept_at": iso(kept_at), "kept_s": None if kept_at is None else lines.elapsed(self.start, kept_at),
            "state": state,
        }  # fmt: skip
        self.draft.ledger.plant(pattern, row)
        self.draft.ledger.totals[f"callbacks.{state}"] += 1


def missing(draft: Draft) -> Obligation:
    """An obligation about to begin."""
    team = draft.world.rng.choice(SERVICE)
    return Obligation(draft=draft, team=team, agent=draft.world.rng.choice(TEAMS[team]))


def missed(world: World, at: int, _: str) -> bool:
    """A missed call that we return, as well as the phone channel does at that time."""
    draft = draft_for(world, at, "phone")
    if draft is None:
        return False
    owed, rng = missing(draft), world.rng
    hung_up = owed.miss(at)
    kept = world.keeps("phone", at)
    due = pace(rng, CALLBACK, kept=kept)
    joined = due > 12 * MINUTE and world.happens("joined", 0.15)
    if joined:
        owed.miss(hung_up + rng.randint(60, 8 * MINUTE))
    if not kept and rng.random() < 0.5:
        owed.attempt(rng.randint(3 * MINUTE, 15 * MINUTE), reached=False)
        at = owed.attempt(due, reached=rng.random() < 0.7)
    else:
        at = owed.attempt(due, reached=True)
    owed.plant("callback_in_time" if kept else "callback_late", at, "met" if kept else "breached")
    if joined:
        draft.ledger.plant("callback_joined", {"person": draft.person, "missed": owed.missed})
    return finish(draft)


def insisted(world: World, at: int, _: str) -> bool:
    """Nobody picks up at first; the second documented attempt keeps the promise, whether it is picked up or not."""
    draft = draft_for(world, at, "phone")
    if draft is None:
        return False
    owed, rng = missing(draft), world.rng
    owed.miss(at)
    first = rng.randint(3 * MINUTE, 15 * MINUTE)
    owed.attempt(first, reached=False)
    second = owed.attempt(first + rng.randint(31 * MINUTE, 38 * MINUTE), reached=rng.random() < 0.6)
    owed.plant("callback_second_attempt", second, "met")
    return finish(draft)


def self_recovered(world: World, at: int, _: str) -> bool:
    """The customer rings again and gets through before we do."""
    draft = draft_for(world, at, "phone")
    if draft is None:
        return False
    owed = missing(draft)
    owed.miss(at)
    again = hours_of("phone").after(owed.start, world.rng.randint(5 * MINUTE, 6 * HOUR))
    story = story_in(draft, again)
    wind_up(story, call(story, again))
    owed.plant("callback_self_recovered", None, "self_recovered")
    return finish(draft, story)


def too_short(world: World, at: int, _: str) -> bool:
    """Hung up at once: nobody waits for a call."""
    draft = draft_for(world, at, "phone")
    if draft is None:
        return False
    missing(draft).miss(at, rang=world.rng.randint(1, 4))
    draft.ledger.plant("hung_up_at_once", {"person": draft.person, "at": iso(at)})
    return finish(draft)
