"""The beginning and the end of every story: whom and what it is about, and what it adds to the truth."""

from collections.abc import Callable
from itertools import pairwise

from ingestion.demo.draft import Draft, World
from ingestion.demo.hours import hours_of
from ingestion.demo.instants import DAY, HOUR, MINUTE, UNTIL, WEEK, local, stamp
from ingestion.demo.names import PRODUCTS, SERVICE, TEAMS, TOPIC_WEIGHTS, TOPICS
from ingestion.demo.population import Customer
from ingestion.demo.story import Cycle, Story
from ingestion.demo.texts import NEWS, matter

TARGETS = {"email": 6 * HOUR, "web_form": 6 * HOUR, "chat": 2 * MINUTE, "messenger": 15 * MINUTE}
"""Working seconds within which we promise an answer, as policy.toml beside this file says."""
CALLBACK = HOUR


def draft_for(
    world: World, at: int, *channels: str, wanted: Callable[[Customer], bool] | None = None
) -> Draft | None:
    """A draft about somebody who is free and uses all these channels."""
    found = world.people.pick(at, frozenset(channels), wanted=wanted)
    return Draft(world=world, index=found[0], customer=found[1]) if found else None


def story_in(draft: Draft, at: int, *, topic: str | None = None) -> Story:
    """A new case of the draft's person, with a team, an agent and facts to tell."""
    world, rng = draft.world, draft.world.rng
    topic = topic or rng.choices(TOPICS, weights=TOPIC_WEIGHTS)[0]
    team = rng.choice(SERVICE)
    placed = [
        order for when, order in world.orders.get(draft.person or "", ()) if at - 60 * DAY < when < at - HOUR
    ]
    order = placed[-1] if placed and topic not in ("product", "contract") else None
    return Story(
        draft=draft,
        topic=topic,
        team=team,
        agent=rng.choice(TEAMS[team]),
        case=f"S-{100_000 + world.number('case')}",
        told=matter(rng, topic, rng.choice(PRODUCTS), order),
        order=order,
    )


def news(story: Story) -> str:
    """Something that this person has not said on this topic before."""
    world, person = story.draft.world, story.draft.person
    said = world.said.setdefault(f"{person}/{story.topic}", set()) if person else set()
    fresh = [number for number in range(len(NEWS)) if number not in said] or list(range(len(NEWS)))
    chosen = world.rng.choice(fresh)
    said.add(chosen)
    return NEWS[chosen]


def iso(at: int | None) -> str | None:
    """An instant as the truth writes it."""
    return None if at is None else stamp(at).isoformat().replace("+00:00", "Z")


def awake(at: int) -> int:
    """The same instant, or the day after for one in the night: people sleep."""
    return at + 8 * HOUR if local(at).hour < 7 else at


def work(world: World, channel: str, at: int, least: int, most: int) -> int:
    """When somebody of ours gets to it: some working seconds later."""
    return hours_of(channel).after(at, world.rng.randint(least, most))


def wind_up(story: Story, at: int) -> None:
    """Resolve the case, unless the history ends before that."""
    if at < UNTIL - 2 * MINUTE:
        story.resolve(at)


def finish(draft: Draft, *stories: Story) -> bool:
    """Write what the stories planned to the truth and keep them, or tell that they do not fit."""
    if not draft.fits():
        return False
    for story in stories:
        for number, cycle in enumerate(story.cycles, start=1):
            clocks(story, number, cycle)
        count(story)
    count_contacts(draft, stories)
    draft.keep()
    return True


def clocks(story: Story, number: int, cycle: Cycle) -> None:
    """The response promises of a cycle, with their verdict when the history ends."""
    target = TARGETS.get(cycle.channel)
    if target is None or not cycle.turn:
        return
    spans = (
        ("frt_human", cycle.human_start, cycle.human_at),
        ("frt_customer", cycle.start, cycle.useful_at),
    )
    for clock, start, stop in spans:
        if start is None:
            continue
        elapsed = hours_of(cycle.channel).elapsed(start, UNTIL if stop is None else stop)
        kept = ("met", "breached") if stop is not None else ("running", "running_breached")
        verdict = kept[elapsed > target]
        story.draft.ledger.clocks.append(
            {
                "clock": clock, "case": story.case, "cycle": number, "channel": cycle.channel,
                "person": story.draft.person, "turn": cycle.turn, "started_at": iso(start), "stopped_at": iso(stop),
                "elapsed_s": elapsed, "verdict": verdict,
            }
        )  # fmt: skip
        story.draft.ledger.totals[f"clocks.{clock}.{cycle.channel}.{verdict}"] += 1


def count(story: Story) -> None:
    """Cases, cycles and channel switches."""
    totals = story.draft.ledger.totals
    totals["cases.all"] += 1
    totals["cases.open" if story.is_open else "cases.resolved"] += 1
    totals["cycles.all"] += len(story.cycles)
    totals["cycles.resolved"] += sum(cycle.resolved_at is not None for cycle in story.cycles)
    totals["cycles.reopened"] += len(story.cycles) - 1
    moved = [
        (one.channel, other.channel) for one, other in pairwise(story.turns) if one.channel != other.channel
    ]
    totals["cases.with_two_turns"] += len(story.turns) > 1
    totals["cases.switched"] += bool(moved)
    for one, other in moved:
        totals[f"switches.{one}.{other}"] += 1


def count_contacts(draft: Draft, stories: tuple[Story, ...]) -> None:
    """Contacts by channel, and which of them come within a week of another on the same case or topic."""
    contacts = sorted(
        (turn.at, turn.event, turn.channel, story.case, story.topic)
        for story in stories
        for turn in story.turns
        if turn.fresh
    )
    for number, (at, event, channel, case, topic) in enumerate(contacts):
        draft.ledger.totals[f"contacts.{channel}"] += 1
        if draft.person is None:
            draft.ledger.totals[f"contacts_anonymous.{channel}"] += 1
            continue
        near = [
            other
            for other in contacts[:number]
            if at - other[0] <= WEEK and (other[3] == case or other[4] == topic)
        ]
        if near:
            draft.ledger.totals[f"contacts_repeated.{channel}"] += 1
            draft.ledger.plant(
                "repeat_contact",
                {"person": draft.person, "contact": event, "repeat_of": near[-1][1], "case": case},
            )
