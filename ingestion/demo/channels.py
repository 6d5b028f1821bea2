"""One plain matter per channel: the customer turns to us, is answered sooner or later, and it is solved."""

from random import Random

from ingestion.demo.draft import Draft, World
from ingestion.demo.hours import hours_of
from ingestion.demo.instants import DAY, HOUR, MINUTE, UNTIL, is_live
from ingestion.demo.plan import TARGETS, awake, draft_for, finish, news, story_in, wind_up, work
from ingestion.demo.story import Story, Thread
from ingestion.demo.texts import ANSWERS, BOT, CALM, FAREWELL, HUMAN_PLEASE, NOTES, opening

PRIORITIES = ("normal", "high", "urgent")
ANONYMOUS = {"chat": (0.22, 0.1), "phone": (0.12, 0.07)}
"""Share of visitors whom nothing identifies, before and after go-live."""


def pace(rng: Random, target: int, *, kept: bool) -> int:
    """Working seconds to an answer, clearly before or clearly after the promise ends."""
    if kept:
        return max(5, int(target * (0.04 + 0.72 * rng.random() ** 1.5)))
    return int(target * (1.2 + min(rng.expovariate(1.4), 2.8)))


def turn_to_us(story: Story, channel: str, at: int, *, text: str | None = None) -> Thread:
    """The first turn of a case, with what the machines do at once."""
    rng = story.draft.world.rng
    thread = story.thread(channel, at)
    story.receive(thread, at, text or opening(rng, story.told), fresh=True)
    if channel in ("email", "web_form"):
        if rng.random() < 0.6:
            story.acknowledge(thread, at + 20)
        story.report(at + 40, "open", priority=rng.choices(PRIORITIES, weights=(80, 15, 5))[0])
    return thread


def respond(story: Story, thread: Thread, *, kept: bool | None = None, text: str | None = None) -> int:
    """The first human answer of the cycle, as the channel keeps its promises at that time."""
    world, cycle = story.draft.world, story.cycles[-1]
    start = cycle.start if cycle.human_start is None else cycle.human_start
    kept = world.keeps(thread.channel, start) if kept is None else kept
    at = hours_of(thread.channel).after(start, pace(world.rng, TARGETS[thread.channel], kept=kept))
    story.answer(thread, at, text or world.rng.choice(ANSWERS))
    return at


def plain(world: World, at: int, channel: str) -> bool:
    """An ordinary matter."""
    draft = passer_by(world, at, channel) or draft_for(world, at, channel)
    if draft is None:
        return False
    story = story_in(draft, at)
    end = told(story, channel, at)
    if end is not None:
        wind_up(story, end)
    return finish(draft, story)


def told(story: Story, channel: str, at: int) -> int | None:
    """An ordinary course of things, and the instant at which to resolve it unless the bot has."""
    if channel == "phone":
        return call(story, at)
    return dialogue(story, channel, at) if channel in ("chat", "messenger") else letter(story, channel, at)


def passer_by(world: World, at: int, channel: str) -> Draft | None:
    """A visitor who leaves no name, now and then."""
    shares = ANONYMOUS.get(channel)
    if shares and world.rng.random() < shares[is_live(channel, at)]:
        return Draft(world=world, customer=None)
    return None


def call(story: Story, at: int) -> int:
    """A call that is taken at once; seconds of ringing do not count as waiting."""
    rng = story.draft.world.rng
    thread = story.thread("phone", at)
    story.receive(thread, at, opening(rng, story.told), fresh=True, seq=1)
    story.answer(thread, at, None, direction="inbound", seq=2)
    end = at + rng.randint(2 * MINUTE, 14 * MINUTE)
    if rng.random() < 0.3:
        story.note(end, rng.choice(NOTES))
    return end + 30


def letter(story: Story, channel: str, at: int) -> int:
    """E-mail or form: answered, in a third of cases with a second round."""
    world = story.draft.world
    rng = world.rng
    thread = turn_to_us(story, channel, at)
    answered = respond(story, thread)
    if answered - at > HOUR and rng.random() < 0.12:
        story.receive(thread, at + rng.randint(3 * MINUTE, 40 * MINUTE), news(story), fresh=False)
    while rng.random() < 0.24:
        back = awake(answered + rng.randint(HOUR, 2 * DAY))
        story.receive(thread, back, news(story), fresh=True)
        answered = work(world, channel, back, 10 * MINUTE, 5 * HOUR)
        story.answer(thread, answered, rng.choice(ANSWERS))
    return (
        answered + rng.randint(5, 600)
        if rng.random() < 0.7
        else work(world, channel, answered, HOUR, 9 * HOUR)
    )


def dialogue(story: Story, channel: str, at: int) -> int | None:
    """Chat or Messenger: after go-live a bot is first; None where the bot ended it."""
    rng = story.draft.world.rng
    thread = turn_to_us(story, channel, at)
    if is_live(channel, at):
        chance = rng.random()
        if chance < 0.12:
            bot_alone(story, thread, at)
            return None
        if chance < 0.2 and channel == "chat":
            asked = at + rng.randint(25, 120)
            story.bot(thread, at + 4, BOT, useful=True)
            story.receive(thread, asked, HUMAN_PLEASE, fresh=False, seq=1)
            story.hand_off(thread, asked, seq=2)
        elif chance < 0.55:
            story.hand_off(thread, at + 5)
    return talk(story, thread, respond(story, thread))


def bot_alone(story: Story, thread: Thread, at: int) -> None:
    """The bot answers and that is all."""
    story.bot(thread, at + 4, BOT, useful=True, solved=True)
    story.resolve(at + 90, by="bot")
    story.draft.ledger.plant(
        "bot_solved", {"person": story.draft.person, "case": story.case, "turn": story.turns[0].event}
    )


def talk(story: Story, thread: Thread, answered: int) -> int:
    """What follows the first answer: a chat goes on for minutes, Messenger may for hours."""
    rng = story.draft.world.rng
    at = answered
    if thread.channel == "messenger":
        while rng.random() < 0.24:
            back = awake(at + rng.randint(4 * MINUTE, 9 * HOUR))
            story.receive(thread, back, news(story), fresh=True)
            at = work(story.draft.world, "messenger", back, 60, 40 * MINUTE)
            story.answer(thread, at, rng.choice(ANSWERS))
        return at + rng.randint(60, HOUR)
    for text in (news(story), rng.choice(CALM))[: rng.choice((1, 2, 2))]:
        at += rng.randint(20, 90)
        story.receive(thread, at, text, fresh=False)
        at += rng.randint(15, 80)
        story.answer(thread, at, FAREWELL if text in CALM else rng.choice(ANSWERS))
    return at + rng.randint(20, 120)


def portal(world: World, at: int, _: str) -> bool:
    """A signed-in visit whose question the assistant answers."""
    draft = draft_for(world, at, "portal")
    if draft is None:
        return False
    story = story_in(draft, at)
    thread = turn_to_us(story, "portal", at)
    bot_alone(story, thread, at)
    return finish(draft, story) and at < UNTIL
