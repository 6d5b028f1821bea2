"""What the fault runs send: batches that follow from a seed and a number alone, so that a retry repeats them."""

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from domain.events.cases import CaseResolved
from domain.events.contacts import ContactAnswered, ContactReceived
from domain.events.envelope import Event
from domain.events.identity import IdentifierAsserted
from domain.log import Pending

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
FIRST = datetime(2026, 2, 2, 8, tzinfo=UTC)
PEOPLE = 400
"""Customers by their addresses: their contacts link, and late ones change what is known of the earlier."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What one sender sends: batches of these sizes, about so many contacts at most, with so many seconds between."""

    seed: int
    sizes: tuple[int, ...] = (1, 7, 50, 1000)
    contacts: int = 10**9
    pause: float = 0

    @property
    def source(self) -> str:
        """The sender's name in the log."""
        return f"desk{self.seed}"

    def word(self) -> str:
        """The plan as a word of a command."""
        return json.dumps(asdict(self))

    @classmethod
    def of(cls, word: str) -> "Plan":
        """The plan that a word of a command tells."""
        return cls(**json.loads(word))

    def batch(self, number: int) -> list[Pending]:
        """The batch of this number: a few contacts of four events each."""
        size = Random(f"{self.seed}/{number}").choice(self.sizes)
        return [Pending(event=self.event(number, place)) for place in range(size)]

    def event(self, number: int, place: int) -> Event:
        """A mail, whom it is from, our answer, or the end of the matter."""
        contact = (number * 251 + place // 4) % self.contacts
        told: dict[str, Any] = {
            "source": self.source,
            "id": f"{number}-{place}",
            "subject": f"contact:{contact}",
            "occurred_at": FIRST + timedelta(minutes=(contact * 7) % 40_000 + (place % 4) * 9),
            "channel": "email",
            "case": f"S-{contact}",
        }
        agent: dict[str, Any] = {"actor_kind": "human_agent", "actor": "a.lis"}
        match place % 4:
            case 0:
                text = f"Paczka {number}-{place} nie dotarła."
                return ContactReceived(**told, direction="inbound", actor_kind="customer", text=text)
            case 1:
                value = f"klient{contact % PEOPLE}@poczta.example"
                return IdentifierAsserted(**told, ns="email", value=value, obtained="typed")
            case 2:
                text = f"Szukamy przesyłki {number}-{place}."
                return ContactAnswered(**told, **agent, direction="outbound", text=text)
            case _:
                return CaseResolved(**told, **agent)


def place_of(event_id: str) -> tuple[int, int]:
    """The batch that an event belongs to, and its place there."""
    number, _, place = event_id.split("|")[1].partition("-")
    return int(number), int(place)
