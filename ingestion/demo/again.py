"""The next turn after a hand-over: one call lets the customer explain again, or go on, and tells the truth of it."""

from ingestion.demo.channels import respond, talk
from ingestion.demo.draft import World
from ingestion.demo.instants import HOUR, LIVE_AT, MINUTE, START, UNTIL, is_live, recorded
from ingestion.demo.plan import news, work
from ingestion.demo.story import Story, Thread, Turn
from ingestion.demo.texts import ANSWERS, restated

PACE = {
    "email": (HOUR // 2, 5 * HOUR),
    "web_form": (HOUR // 2, 5 * HOUR),
    "messenger": (60, 14 * MINUTE),
    "chat": (10, 100),
}
"""Working seconds to an answer that no promise judges."""


def share_again(channel: str, at: int) -> float:
    """How many must explain again: half as many once the channel is live, fewer from year to year."""
    year = (at - START) / (UNTIL - START)
    return (0.3 if channel in LIVE_AT and not is_live(channel, at) else 0.17) - 0.06 * year


def come_back(
    story: Story, thread: Thread, at: int, cause: str, *, fresh: bool, told: Turn | None = None
) -> None:
    """A customer turn that is a hand-over opportunity; `told` is the turn that had the facts."""
    draft, rng = story.draft, story.draft.world.rng
    facts = told or story.turns[0]
    repeats = draft.world.happens("again", share_again(thread.channel, at))
    stated = repeats and draft.world.happens("stated", 0.35)
    text = restated(rng, story.told) if repeats and not stated else news(story)
    turn = story.receive(thread, at, text, fresh=fresh, seq=1 if thread.channel == "phone" else None)
    row = {
        "person": draft.person,
        "case": story.case,
        "turn": turn,
        "channel": thread.channel,
        "cause": cause,
    }
    if repeats and not stated:
        known = recorded(facts.channel, facts.at) <= at
        draft.ledger.plant("explained_again_restated", row | {"restates": facts.event, "known_then": known})
    elif stated:
        event = story.complain(thread, at + 2)
        draft.ledger.plant("explained_again_stated", row | {"stated": event})
    else:
        draft.ledger.plant("explained_once", row)


def serve(story: Story, thread: Thread, at: int, *, promised: bool = False) -> int:
    """People answer a turn; `promised` where it opened a cycle with a promise. The instant at which they are done."""
    rng, world = story.draft.world.rng, story.draft.world
    if thread.channel == "phone":
        story.answer(thread, at, None, direction="inbound", seq=2)
        return at + rng.randint(2 * MINUTE, 12 * MINUTE)
    if promised:
        answered = respond(story, thread)
    else:
        answered = work(world, thread.channel, at, *PACE[thread.channel])
        story.answer(thread, answered, rng.choice(ANSWERS))
    return talk(story, thread, answered) if thread.channel == "chat" else answered + rng.randint(30, HOUR)


def arrive(world: World, channel: str, at: int) -> int:
    """When the customer gets there: calls that are answered fall into the hours of the lines."""
    return work(world, "phone", at, 0, 3 * HOUR) if channel == "phone" else at


def same_or_new(story: Story, channel: str, at: int) -> Thread:
    """Mail and forms go on in their thread; everything else begins a new one."""
    known = [
        thread for thread in story.threads if thread.channel == channel and channel in ("email", "web_form")
    ]
    return known[-1] if known else story.thread(channel, at)
