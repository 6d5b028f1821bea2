"""Promises to come back: kept, late, missed, withdrawn, still pending, or asked for before we came."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from domain.events.followups import FollowUpCancelled, FollowUpDone, FollowUpPlanned
from ingestion.demo.channels import call, respond, turn_to_us
from ingestion.demo.draft import Draft, World
from ingestion.demo.hours import free_days
from ingestion.demo.instants import DAY, HOUR, MINUTE, UNTIL, local, midnight, stamp
from ingestion.demo.plan import awake, draft_for, finish, iso, news, story_in, wind_up, work
from ingestion.demo.story import Story
from ingestion.demo.texts import ANSWERS


@dataclass(frozen=True, kw_only=True)
class Promise:
    """A planned follow-up."""

    story: Story
    number: str
    planned_at: int
    due_at: int

    def tell(self, event: type[Any], at: int, **fields: Any) -> None:
        """Put something about the promise on the member's record."""
        story = self.story
        story.draft.emit(
            event, "crm", at, f"customer:{story.draft.person}", follow_up=self.number, case=story.case,
            topic=story.topic, actor_kind="human_agent", actor=story.agent, direction="internal", **fields,
        )  # fmt: skip

    def come(self, at: int) -> int:
        """We call as promised."""
        self.story.ring(at)
        self.tell(FollowUpDone, at + 3 * MINUTE)
        return at + 3 * MINUTE

    def plant(self, state: str, done_at: int | None = None, asked_at: int | None = None) -> bool:
        """Write the promise to the truth and keep its story."""
        draft = self.story.draft
        row = {
            "person": draft.person, "follow_up": self.number, "case": self.story.case, "state": state,
            "planned_at": iso(self.planned_at), "due_at": iso(self.due_at), "done_at": iso(done_at),
            "asked_at": iso(asked_at),
        }  # fmt: skip
        draft.ledger.plant(f"follow_up_{state}", row)
        draft.ledger.totals[f"follow_ups.{state}"] += 1
        if asked_at is not None:
            draft.ledger.plant("follow_up_preempted", row)
        return finish(draft, self.story)


def promise(world: World, at: int, channel: str, *, days: tuple[int, int] = (3, 6)) -> Promise | None:
    """A matter that ends with a promise, due on a working day at five in the afternoon."""
    draft = draft_for(world, at, channel, "phone", wanted=lambda customer: customer.member)
    if draft is None:
        return None
    story = story_in(draft, at)
    written = channel != "phone"
    planned = respond(story, turn_to_us(story, channel, at)) + MINUTE if written else call(story, at)
    return promised(story, planned, days=world.rng.randint(*days))


def promised(story: Story, planned: int, *, days: int) -> Promise:
    """The promise itself, put on the member's record."""
    due = local(planned).date() + timedelta(days=days)
    while due.weekday() > 4 or due in free_days():
        due += timedelta(days=1)
    made = Promise(
        story=story,
        number=f"F-{5_000 + story.draft.world.number('follow_up')}",
        planned_at=planned,
        due_at=midnight(due) + 17 * HOUR,
    )
    made.tell(
        FollowUpPlanned, planned, due_at=stamp(made.due_at), owner=story.agent, channel=story.turns[-1].channel,
        what="Oddzwonić z ustaleniami.",
    )  # fmt: skip
    return made


def in_time(made: Promise) -> int:
    """Working time on the last day, clearly before it is due."""
    return made.due_at - made.story.draft.world.rng.randint(HOUR, 6 * HOUR)


def kept(world: World, at: int, channel: str) -> bool:
    """We come back before it is due."""
    made = promise(world, at, channel)
    if made is None:
        return False
    done = made.come(in_time(made))
    wind_up(made.story, done + 10 * MINUTE)
    return made.plant("kept", done)


def late(world: World, at: int, channel: str) -> bool:
    """We come back after it was due."""
    made = promise(world, at, channel)
    if made is None:
        return False
    done = made.come(work(world, "email", made.due_at, HOUR, 20 * HOUR))
    wind_up(made.story, done + 10 * MINUTE)
    return made.plant("late", done)


def forgotten(world: World, at: int, channel: str) -> bool:
    """We never come back, though the history goes on."""
    made = promise(world, at, channel)
    if made is None or made.due_at > UNTIL - DAY:
        return False
    wind_up(made.story, made.planned_at + 5 * MINUTE)
    return made.plant("missed")


def withdrawn(world: World, at: int, channel: str) -> bool:
    """Cancelled, with a reason."""
    made = promise(world, at, channel)
    if made is None:
        return False
    cancelled = work(world, "email", made.planned_at, HOUR, 8 * HOUR)
    made.tell(FollowUpCancelled, cancelled, reason="customer_settled")
    wind_up(made.story, cancelled + 5 * MINUTE)
    return made.plant("cancelled")


def preempted(world: World, at: int, channel: str) -> bool:
    """The customer asks before we come; then we do, in time or late."""
    made = promise(world, at, channel, days=(5, 7))
    if made is None:
        return False
    asked = awake(made.planned_at + world.rng.randint(8 * HOUR, 2 * DAY))
    thread = made.story.threads[0]
    made.story.receive(thread, asked, news(made.story), fresh=True)
    made.story.answer(thread, work(world, channel, asked, HOUR // 4, 3 * HOUR), world.rng.choice(ANSWERS))
    in_due = world.rng.random() < 0.5
    done = made.come(in_time(made) if in_due else work(world, "email", made.due_at, HOUR, 16 * HOUR))
    wind_up(made.story, done + 10 * MINUTE)
    return made.plant("kept" if in_due else "late", done, asked)


def plant_pending(draft: Draft, at: int) -> None:
    """Promised in the last days of the history and due after it."""
    story = story_in(draft, at)
    promised(story, call(story, at), days=4).plant("pending")
