"""The people of the demo: one customer has a label for the truth, contact points, and a time of being linked."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random

from ingestion.demo.instants import DAY, LIVE_AT, MINUTE, START, UNTIL
from ingestion.demo.names import address, mobile

QUIET = 10 * DAY
"""Between two matters of a person; longer than any window that a KPI looks back over a topic."""
KINDS = ("member", "shopper", "mail_only", "phone_only", "messenger_only")
KIND_WEIGHTS = (52, 8, 22, 12, 6)


@dataclass(frozen=True, kw_only=True)
class Customer:
    """A true person. `linked_at` is when the CRM record received the contact points that tie everything."""

    label: str
    kind: str
    since: int
    linked_at: int
    email: str | None = None
    phone: str | None = None
    account: str | None = None
    psid: str | None = None
    style: int = 0

    @property
    def member(self) -> bool:
        """Whether the CRM knows the person, by card number."""
        return self.kind == "member"

    @property
    def channels(self) -> frozenset[str]:
        """Where the person may turn to us."""
        reached = {"email", "chat", "web_form"} if self.email else set()
        reached |= {"phone"} if self.phone and self.kind != "shopper" else set()
        reached |= {"messenger"} if self.psid else set()
        return frozenset(reached | {"portal"} if self.account else reached)


@dataclass(kw_only=True)
class People:
    """The population, and when each person is free for a next matter."""

    customers: Sequence[Customer]
    pool: Sequence[int]
    rng: Random
    free_at: list[int] = field(default_factory=list)
    offered_until: dict[str, int] = field(default_factory=dict)

    def pick(
        self, at: int, channels: frozenset[str], *, wanted: Callable[[Customer], bool] | None = None
    ) -> tuple[int, Customer] | None:
        """Somebody free who uses these channels, or nobody after a fair search."""
        for _ in range(60):
            number = self.rng.choice(self.pool)
            customer = self.customers[number]
            if (
                self.free_at[number] <= at
                and channels <= customer.channels
                and (not wanted or wanted(customer))
            ):
                return number, customer
        return None

    def occupy(self, number: int, until: int) -> None:
        """The person stays quiet for a while after `until`."""
        self.free_at[number] = max(self.free_at[number], until + QUIET)


def settle(rng: Random, total: int, *, reserved: int) -> People:
    """`total` people; the first `reserved` are members known from the beginning, kept out of the pool."""
    customers = [
        _reserved(rng, number) if number < reserved else _person(rng, number, total)
        for number in range(total)
    ]
    heavy = rng.choices((1, 2, 4, 8), weights=(60, 25, 12, 3), k=total)
    pool = [number for number in range(reserved, total) for _ in range(heavy[number])]
    free_at = [customer.since + DAY for customer in customers]
    return People(customers=customers, pool=pool, rng=rng, free_at=free_at)


def _reserved(rng: Random, number: int) -> Customer:
    since = START + 5 * MINUTE + number
    return Customer(
        label=f"K-{number + 1:06}", kind="member", since=since, linked_at=since, style=number,
        email=address(rng, number), phone=mobile(rng, number), account=str(70_000 + number), psid=f"psid-{number:07}",
    )  # fmt: skip


def _person(rng: Random, number: int, total: int) -> Customer:
    kind = rng.choices(KINDS, weights=KIND_WEIGHTS)[0]
    since = START + 5 * MINUTE + number
    if rng.random() < 0.3:
        since += rng.randrange(1, 330) * DAY + rng.randrange(8 * 60, 20 * 60) * MINUTE
    member = kind == "member"
    mailed = member or kind in ("shopper", "mail_only")
    return Customer(
        label=f"K-{number + 1:06}",
        kind=kind,
        since=since,
        linked_at=_linked_at(rng, since),
        email=address(rng, number) if mailed else None,
        phone=mobile(rng, number) if member or kind == "phone_only" else None,
        account=str(70_000 + number) if kind == "shopper" or (member and rng.random() < 0.6) else None,
        psid=f"psid-{number:07}" if kind == "messenger_only" or (member and rng.random() < 0.45) else None,
        style=rng.randrange(total),
    )


def _linked_at(rng: Random, since: int) -> int:
    """At once for some; for the others in the weeks after one of the go-lives."""
    if rng.random() < 0.3:
        return since
    wave = rng.choices(("email", "chat", "messenger", "phone"), weights=(18, 22, 22, 38))[0]
    at = LIVE_AT[wave] + int(rng.expovariate(1 / 70) * DAY) + rng.randrange(DAY)
    return min(max(at, since), UNTIL - 2 * DAY - rng.randrange(DAY))
