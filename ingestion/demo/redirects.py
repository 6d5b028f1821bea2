"""Customers whom we send to another channel: they go there, go late, or are lost."""

from ingestion.demo.again import come_back, serve
from ingestion.demo.cases import moved
from ingestion.demo.channels import respond, turn_to_us
from ingestion.demo.draft import World
from ingestion.demo.instants import DAY, HOUR
from ingestion.demo.plan import awake, draft_for, finish, iso, story_in, wind_up, work
from ingestion.demo.story import Story
from ingestion.demo.texts import CHANNELS, REDIRECTED

Sent = tuple[Story, int, dict[str, str | None]]
"""The story, the instant of sending, and the row for the truth."""


def sent(world: World, at: int, channel: str, other: str, *, why: str) -> Sent | None:
    """The first half: the customer is answered by being sent elsewhere."""
    draft = draft_for(world, at, channel, other)
    if draft is None:
        return None
    story = story_in(draft, at)
    thread = turn_to_us(story, channel, at)
    answered = respond(story, thread, text=REDIRECTED.format(channel=CHANNELS[other]))
    event = story.redirect(thread, answered + 1, other, why)
    row = {"person": draft.person, "case": story.case, "contact": story.turns[0].event, "redirected": event}
    return story, answered + 1, row | {"from": channel, "to": other, "at": iso(answered + 1), "why": why}


def bounced(world: World, at: int, channel: str, why: str | None = None) -> bool:
    """Sent away and there within two days: a confirmed bounce; an identity check is excused."""
    other = world.rng.choice(("phone", "email"))
    why = why or world.rng.choice(("capacity", "unspecified"))
    begun = sent(world, at, channel, other, why=why)
    if begun is None:
        return False
    story, left, row = begun
    if other == "phone":
        back = work(world, "phone", left, HOUR // 2, 9 * HOUR)
    else:
        back = awake(left + world.rng.randint(HOUR // 2, 30 * HOUR))
    if back - left > 46 * HOUR:
        return False
    thread = story.thread(other, back)
    come_back(story, thread, back, "channel", fresh=True)
    moved(story, channel, other, "company_forced")
    story.draft.ledger.plant(
        "bounce_excused" if why == "identity_check" else "bounce", row | {"back_at": iso(back)}
    )
    wind_up(story, serve(story, thread, back))
    return finish(story.draft, story)


def excused(world: World, at: int, channel: str) -> bool:
    """Sent away because the law wants the person identified elsewhere."""
    return bounced(world, at, channel, why="identity_check")


def bounced_late(world: World, at: int, channel: str) -> bool:
    """There only after two days, so merely suspected."""
    begun = sent(world, at, channel, "email", why="capacity")
    if begun is None:
        return False
    story, left, row = begun
    back = awake(left + world.rng.randint(50 * HOUR, 6 * DAY))
    thread = story.thread("email", back)
    come_back(story, thread, back, "channel", fresh=True)
    moved(story, channel, "email", "company_forced")
    story.draft.ledger.plant("bounce_late", row | {"back_at": iso(back)})
    wind_up(story, serve(story, thread, back))
    return finish(story.draft, story)


def lost(world: World, at: int, channel: str) -> bool:
    """Sent away and never seen there."""
    begun = sent(world, at, channel, world.rng.choice(("phone", "email")), why="unspecified")
    if begun is None:
        return False
    story, left, row = begun
    story.resolve(left + HOUR)
    story.draft.ledger.plant("bounce_lost", row)
    return finish(story.draft, story)
