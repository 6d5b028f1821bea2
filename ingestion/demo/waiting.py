"""The last hours of the history: who waits for us on Saturday evening, on every channel, some too long already."""

from ingestion.demo.calls import missing
from ingestion.demo.cases import plant_left_open
from ingestion.demo.channels import turn_to_us
from ingestion.demo.draft import Draft, World
from ingestion.demo.followups import plant_pending
from ingestion.demo.hours import hours_of
from ingestion.demo.identities import record_of, taken
from ingestion.demo.instants import DAY, HOUR, UNTIL, instant
from ingestion.demo.plan import CALLBACK, TARGETS, awake, finish, iso, story_in
from ingestion.demo.recognition import email, own

SINCE: dict[str, tuple[tuple[int, ...], ...]] = {
    "email": (
        (18, 10, 5), (20, 9, 35), (20, 11, 12), (20, 15, 20), (20, 16, 40), (20, 19, 10),
        (21, 10, 20), (21, 18, 35), (21, 20, 41),
    ),
    "web_form": ((20, 13, 24), (20, 15, 30), (21, 9, 5), (21, 12, 40), (21, 16, 0), (21, 20, 15)),
    "chat": ((21, 14, 57, 28), (21, 14, 58, 14), (21, 14, 59, 22), (21, 19, 12), (21, 20, 37), (21, 20, 58, 40)),
    "messenger": ((21, 14, 46, 50), (21, 14, 55, 30), (21, 18, 20), (21, 20, 49)),
    "phone": ((19, 15, 40), (20, 11, 15), (21, 13, 40), (21, 14, 5), (21, 14, 41), (21, 17, 30), (21, 20, 20)),
}  # fmt: skip
"""November 2026: day, hour, minute, second. People stop at 17:00 on Friday in the office, at 15:00 on Saturday."""
QUIET_HOURS = (instant(2026, 11, 21, 15, 30), UNTIL - HOUR)


def plant_waiting(world: World, customers: int) -> None:
    """The fixed list above, and with the size of the population more who came after closing."""
    for channel, instants in SINCE.items():
        later = [world.rng.randrange(*QUIET_HOURS) for _ in range(customers // 1_500)]
        for at in [instant(2026, 11, *moment) for moment in instants] + later:
            wait(world, channel, at)
    plant_promises(world)
    plant_forgotten(world, 3 + customers // 100)


def plant_promises(world: World) -> None:
    """Follow-ups promised in the last working days, due in the week that comes."""
    for hour in (9, 11, 13, 15, 18):
        for day in (19, 20):
            plant_pending(known_to_all(world), instant(2026, 11, day, hour, world.rng.randrange(60)))


def plant_forgotten(world: World, number: int) -> None:
    """Cases of the last quarter that somebody answered and nobody closed."""
    for _ in range(number):
        at = UNTIL - world.rng.randrange(12 * DAY, 90 * DAY)
        plant_left_open(known_to_all(world), awake(at), world.rng.choice(("email", "web_form")))


def state_of(used: float) -> str:
    """In time up to three fifths of the target, at risk from six sevenths; nothing is planted between."""
    return "late" if used > 1 else "at_risk" if used > 6 / 7 else "in_time"


def wait(world: World, channel: str, at: int) -> None:
    """Somebody who has had no answer."""
    draft = known_to_all(world)
    if channel == "phone":
        owed = missing(draft)
        since = owed.miss(at)
        case, target = None, CALLBACK
    else:
        story = story_in(draft, at)
        turn_to_us(story, channel, at)
        since, case, target = at, story.case, TARGETS[channel]
    used = hours_of(channel).elapsed(since, UNTIL)
    row = {"person": draft.person, "case": case, "channel": channel, "since": iso(since), "elapsed_s": used}
    state = state_of(used / target)
    draft.ledger.plant("waiting", row | {"state": state})
    draft.ledger.totals[f"waiting.{channel}.{state}"] += 1
    if UNTIL - since > DAY + HOUR:
        draft.ledger.plant("unanswered", row | {"state": state})
    if channel == "phone":
        late = used > target
        owed.plant(
            "callback_never" if late else "callback_pending", None, "running_breached" if late else "running"
        )
        finish(draft)
    else:
        finish(draft, story)


def known_to_all(world: World) -> Draft:
    """A member whose contact points were tied together from the beginning."""
    customer = taken(world)
    draft = Draft(world=world, customer=customer)
    record_of(draft, customer, customer.since + 60)
    draft.identify(
        "crm", f"customer:{customer.label}", own("psid", customer.psid, "typed"), customer.since + 120
    )
    account = own("shop", customer.account, "issued") + email(customer, "login")
    draft.identify("shop", f"account:{customer.account}", account, customer.since + 180)
    return draft
