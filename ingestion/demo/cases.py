"""Courses that cases take: reopened, on other channels, in other hands, paused, repeated."""

from ingestion.demo.again import arrive, come_back, same_or_new, serve
from ingestion.demo.channels import respond, told, turn_to_us
from ingestion.demo.draft import Draft, World
from ingestion.demo.instants import DAY, HOUR, MINUTE
from ingestion.demo.names import PRODUCTS
from ingestion.demo.orders import place
from ingestion.demo.plan import awake, draft_for, finish, iso, news, story_in, wind_up, work
from ingestion.demo.recognition import own
from ingestion.demo.story import Story
from ingestion.demo.texts import ANSWERS, ASKING, matter

TOWARDS = {"email": 34, "chat": 21, "messenger": 14, "phone": 21, "web_form": 10}
"""Where customers go on, by weight."""


def solved(story: Story, channel: str, at: int) -> int:
    """The case runs its ordinary course and is resolved for sure."""
    end = told(story, channel, at)
    if end is None:
        return story.cycles[-1].resolved_at or at
    story.resolve(end)
    return end


def reopened(world: World, at: int, channel: str, *, least: int, most: int, pattern: str) -> bool:
    """Solved, then the customer is back with the same matter."""
    draft = draft_for(world, at, channel)
    if draft is None:
        return False
    story = story_in(draft, at)
    end = solved(story, channel, at)
    back = arrive(world, channel, awake(end + world.rng.randint(least, most)))
    thread = same_or_new(story, channel, back)
    story.receive(thread, back, news(story), fresh=True, seq=1 if channel == "phone" else None)
    if channel != "messenger":
        story.reopen(back + 30, by="customer")
    wind_up(story, serve(story, thread, back, promised=True))
    row = {"person": draft.person, "case": story.case, "resolved_at": iso(end), "reopened_at": iso(back)}
    draft.ledger.plant(pattern, row | {"by": "customer", "gap_s": back - end})
    return finish(draft, story)


def reopened_within(world: World, at: int, channel: str) -> bool:
    """Back within seven days."""
    return reopened(world, at, channel, least=5 * HOUR, most=4 * DAY, pattern="reopened_within_7_days")


def reopened_after(world: World, at: int, channel: str) -> bool:
    """Back after more than seven days."""
    return reopened(world, at, channel, least=9 * DAY, most=25 * DAY, pattern="reopened_after_7_days")


def reopened_by_us(world: World, at: int, channel: str) -> bool:
    """An agent finds that the matter was not solved."""
    draft = draft_for(world, at, channel)
    if draft is None:
        return False
    story = story_in(draft, at)
    end = solved(story, channel, at)
    back = work(world, channel, end + DAY, HOUR, 2 * DAY // 3)
    story.reopen(back, by="human_agent")
    story.cycles.append(type(story.cycles[0])(channel=channel, turn="", start=back, human_start=None))
    story.resolve(work(world, channel, back, HOUR, 6 * HOUR))
    row = {"person": draft.person, "case": story.case, "resolved_at": iso(end), "reopened_at": iso(back)}
    draft.ledger.plant("reopened_by_us", row | {"by": "human_agent", "gap_s": back - end})
    return finish(draft, story)


def elsewhere(world: World, channel: str) -> str:
    """Another channel."""
    others = {name: weight for name, weight in TOWARDS.items() if name != channel}
    return world.rng.choices(list(others), weights=list(others.values()))[0]


def moved(story: Story, one: str, other: str, by: str) -> None:
    """Write a switch to the truth."""
    row = {"person": story.draft.person, "case": story.case, "turn": story.turns[-1].event}
    story.draft.ledger.plant("channel_switch", row | {"from": one, "to": other, "chosen_by": by})


def switched(world: World, at: int, channel: str) -> bool:
    """The customer goes on elsewhere: after our answer, before it, or because we wrote there."""
    other = elsewhere(world, channel)
    draft = draft_for(world, at, channel, other)
    if draft is None:
        return False
    story = story_in(draft, at)
    if channel in ("email", "web_form") and other in ("phone", "chat") and world.rng.random() < 0.4:
        return impatient(story, at, channel, other)
    thread = turn_to_us(story, channel, at)
    answered = serve(story, thread, at, promised=True)
    by = "customer_chosen"
    if other == "email" and world.rng.random() < 0.35:
        by = "company_offered"
        ours = story.thread("email", answered + 5 * MINUTE)
        story.answer(ours, answered + 5 * MINUTE, world.rng.choice(ANSWERS))
    elif world.rng.random() < 0.4:
        story.hand_over(answered + 10 * MINUTE, team=story.other_team())
    back = arrive(world, other, awake(answered + world.rng.randint(2 * HOUR, 3 * DAY)))
    thread = same_or_new(story, other, back)
    come_back(story, thread, back, "channel", fresh=True)
    moved(story, channel, other, by)
    wind_up(story, serve(story, thread, back))
    return finish(draft, story)


def impatient(story: Story, at: int, channel: str, other: str) -> bool:
    """Nobody has answered yet, so the customer calls or opens a chat; the answer there stops the first clock."""
    world = story.draft.world
    turn_to_us(story, channel, at)
    back = work(world, "email", at, HOUR, 4 * HOUR)
    thread = story.thread(other, back)
    come_back(story, thread, back, "channel", fresh=True)
    moved(story, channel, other, "customer_chosen")
    wind_up(story, serve(story, thread, back))
    return finish(story.draft, story)


def handed_over(world: World, at: int, channel: str) -> bool:
    """Another agent or team takes the case over before the customer's next turn."""
    draft = draft_for(world, at, channel)
    if draft is None:
        return False
    story = story_in(draft, at)
    thread = turn_to_us(story, channel, at)
    answered = respond(story, thread)
    other = story.other_team() if world.rng.random() < 0.5 else None
    swift = channel == "chat"
    gap = world.rng.randint(20, 60) if swift else 10 * MINUTE
    story.hand_over(answered + gap, team=other, passed=world.rng.random() < 0.5)
    pause = world.rng.randint(30, 200) if swift else world.rng.randint(2 * HOUR, 2 * DAY)
    back = answered + gap + pause if swift else awake(answered + gap + pause)
    come_back(story, thread, back, "team" if other else "agent", fresh=not swift)
    wind_up(story, serve(story, thread, back))
    return finish(draft, story)


def awaiting(world: World, at: int, channel: str) -> bool:
    """We wait for the customer: the resolution clock pauses until their next turn."""
    draft = draft_for(world, at, channel)
    if draft is None:
        return False
    story = story_in(draft, at)
    thread = turn_to_us(story, channel, at)
    answered = respond(story, thread, text=world.rng.choice(ASKING))
    story.report(answered + 5, "awaiting_customer", actor_kind="human_agent", actor=story.agent)
    back = awake(answered + world.rng.randint(4 * HOUR, 3 * DAY))
    story.receive(thread, back, news(story), fresh=True)
    end = work(world, channel, back, HOUR // 2, 5 * HOUR)
    story.answer(thread, end, world.rng.choice(ANSWERS))
    story.resolve(end + 60)
    row = {
        "person": draft.person,
        "case": story.case,
        "paused_from": iso(answered + 5),
        "paused_to": iso(back),
    }
    draft.ledger.plant("awaiting_customer", row)
    return finish(draft, story)


def again(world: World, at: int, channel: str) -> bool:
    """A second case on the same topic, or as a control on another one, within days of the first's resolution."""
    draft = draft_for(world, at, channel)
    if draft is None:
        return False
    first = story_in(draft, at)
    end = solved(first, channel, at)
    same = world.rng.random() < 0.6
    topic = first.topic if same else {"delivery": "invoice"}.get(first.topic, "delivery")
    back = arrive(world, channel, awake(end + world.rng.randint(30 * HOUR, 4 * DAY)))
    second = story_in(draft, back, topic=topic)
    solved(second, channel, back)
    row = {
        "person": draft.person,
        "contact": second.turns[0].event,
        "case": second.case,
        "earlier": first.case,
    }
    draft.ledger.plant(
        "same_topic_again" if same else "other_topic_next", row | {"gap_s": back - first.turns[-1].at}
    )
    return finish(draft, first, second)


def open_topic(world: World, at: int, channel: str) -> bool:
    """A second case on a topic whose first case is still open."""
    draft = draft_for(world, at, channel)
    if draft is None:
        return False
    first = story_in(draft, at)
    thread = turn_to_us(first, channel, at)
    answered = serve(first, thread, at, promised=True)
    back = arrive(world, channel, awake(answered + world.rng.randint(8 * HOUR, 3 * DAY)))
    second = story_in(draft, back, topic=first.topic)
    second.told, second.order = first.told, first.order
    thread = second.thread(channel, back)
    come_back(second, thread, back, "open_topic", fresh=True, told=first.turns[0])
    end = serve(second, thread, back, promised=True)
    second.resolve(end + 60)
    first.resolve(end + 120)
    return finish(draft, first, second)


def plant_left_open(draft: Draft, at: int, channel: str) -> None:
    """Answered and then forgotten: still open when the history ends."""
    story = story_in(draft, at)
    respond(story, turn_to_us(story, channel, at))
    draft.ledger.plant("left_open", {"person": draft.person, "case": story.case, "opened_at": iso(at)})
    finish(draft, story)


def order_only(world: World, at: int, channel: str) -> bool:
    """A stranger who bought in a store and gives nothing but the number on the receipt."""
    draft = Draft(world=world, customer=None, guest=f"G-{world.number('guest'):05}")
    number = place(draft, at - world.rng.randint(2 * DAY, 9 * DAY), store=True, number_told=True)
    draft.points = own("order", number, "typed")
    story = story_in(draft, at, topic="returns")
    story.told, story.order = matter(world.rng, "returns", world.rng.choice(PRODUCTS), number), number
    end = told(story, channel, at)
    if end is not None:
        wind_up(story, end)
    draft.ledger.plant(
        "order_number_only", {"person": draft.person, "order": number, "contact": story.turns[0].event}
    )
    return finish(draft, story)
