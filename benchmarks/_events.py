"""Events of one help desk, the same for a number every time: with personal fields and without, about 420 bytes each."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from domain.events.contacts import ContactAnswered, ContactReceived
from domain.log import Pending

START = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
TURNS = 4
"""Turns of one conversation, which is one stream."""
TEXT = "Dzień dobry, zamówienie nadal nie dotarło, a termin minął w piątek. " * 6
TEMPLATE = "delivery/late/apology-with-a-new-date-and-a-tracking-link/" * 6


def length(number: int, around: int) -> int:
    """Lengths that differ from event to event, half of `around` to half as much again."""
    return around // 2 + number * 7919 % around


def mail(number: int) -> Pending:
    """A customer's mail: its text and its title are personal."""
    conversation = number // TURNS
    return Pending(
        event=ContactReceived(
            source="crm1",
            id=f"{conversation}-{number % TURNS}",
            subject=f"contact:{conversation}",
            occurred_at=START + timedelta(seconds=number),
            known_at=START + timedelta(seconds=number + 2),
            actor_kind="customer",
            channel="email",
            direction="inbound",
            case=f"INC{conversation:07}",
            topic="delivery.late",
            text=TEXT[: length(number, 240)],
            title="Gdzie jest moja paczka?",
            language="pl",
        )
    )


def reply(number: int) -> Pending:
    """A template sent by a rule: nothing in it is personal."""
    conversation = number // TURNS
    return Pending(
        event=ContactAnswered(
            source="crm1",
            id=f"{conversation}-{number % TURNS}",
            subject=f"contact:{conversation}",
            occurred_at=START + timedelta(seconds=number),
            known_at=START + timedelta(seconds=number + 2),
            actor_kind="automation",
            channel="email",
            direction="outbound",
            case=f"INC{conversation:07}",
            topic="delivery.late",
            in_answer_to=f"{conversation}-0",
            template=TEMPLATE[: length(number, 220)],
            fired_by="rule",
            queue="returns-and-complaints",
        )
    )


def events(made: Callable[[int], Pending], first: int, count: int) -> list[Pending]:
    """A batch of consecutive events of one kind."""
    return [made(number) for number in range(first, first + count)]
