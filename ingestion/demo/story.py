"""One story is one case as it is planned: threads, turns, cycles; what it plans is written to the truth."""

from dataclasses import dataclass, field
from typing import Any

from domain.events.bot import BotAnswered, BotHandedOff
from domain.events.cases import CaseReopened, CaseResolved, HandedOver, StateReported
from domain.events.contacts import (
    ContactAnswered,
    ContactInitiated,
    ContactReceived,
    ExplanationRepeated,
    RedirectedToChannel,
)
from domain.events.notes import NoteAdded
from ingestion.demo.draft import Draft
from ingestion.demo.instants import DAY, HOUR, LIVE_AT, is_live, recorded, stamp
from ingestion.demo.names import SERVICE, TEAMS
from ingestion.demo.recognition import Point, email, phone, recognised
from ingestion.demo.texts import ACKNOWLEDGED, Matter

SOURCES = {"email": "mail", "web_form": "shop", "portal": "shop", "phone": "telephony"}
PREFIXES = {
    "email": "mail",
    "web_form": "form",
    "portal": "portal",
    "chat": "chat",
    "messenger": "msg",
    "phone": "call",
}
STATING = ("mail", "shop")
"""Sources that report states; the others report transitions."""
WORDS = {"open": "w toku", "awaiting_customer": "czeka na klienta", "resolved": "rozwiązane"}


@dataclass(kw_only=True)
class Thread:
    """One conversation on one channel."""

    channel: str
    source: str
    subject: str
    name: str
    points: tuple[Point, ...] = ()


@dataclass(kw_only=True)
class Cycle:
    """From the customer turn that opens the case to its resolution."""

    channel: str
    turn: str
    start: int
    human_start: int | None
    human_at: int | None = None
    useful_at: int | None = None
    resolved_at: int | None = None


@dataclass(kw_only=True)
class Turn:
    """Something the customer said; `fresh` begins a contact."""

    at: int
    channel: str
    event: str
    fresh: bool


@dataclass(kw_only=True)
class Story:
    """A case in the making; its team and agent answer unless it is handed over."""

    draft: Draft
    topic: str
    team: str
    agent: str
    case: str
    told: Matter
    order: str | None = None
    threads: list[Thread] = field(default_factory=list)
    turns: list[Turn] = field(default_factory=list)
    cycles: list[Cycle] = field(default_factory=list)

    @property
    def is_open(self) -> bool:
        """Whether a cycle is unresolved."""
        return bool(self.cycles) and self.cycles[-1].resolved_at is None

    def thread(self, channel: str, at: int) -> Thread:
        """Begin a conversation."""
        name = f"{PREFIXES.get(channel, channel)}-{self.draft.world.number(f'thread.{channel}')}"
        source = SOURCES.get(channel, channel)
        made = Thread(channel=channel, source=source, subject=f"contact:{name}", name=name)
        made.points = self._points(made, at)
        self.threads.append(made)
        return made

    def _points(self, thread: Thread, at: int) -> tuple[Point, ...]:
        """How a channel recognises the person; before go-live chats are matched by hand, weeks later."""
        customer = self.draft.customer
        if customer is None:
            return self.draft.points
        if thread.channel == "chat" and not is_live("chat", at):
            matched = LIVE_AT["chat"] + HOUR + self.draft.world.rng.randrange(20 * DAY)
            self.draft.identify("chat", thread.subject, email(customer, "typed"), matched)
            return ()
        return recognised(customer, thread.channel)

    def _tell(self, event: type[Any], thread: Thread, at: int, **fields: Any) -> str:
        fields = {
            "channel": thread.channel,
            "case": self.case,
            "thread": thread.name,
            "topic": self.topic,
        } | fields
        known = fields.pop("known", None) or recorded(thread.channel, at)
        return self.draft.emit(
            event, thread.source, at, thread.subject, known=known, points=thread.points, **fields
        )

    def receive(self, thread: Thread, at: int, text: str | None, *, fresh: bool, **fields: Any) -> str:
        """The customer says something; in a solved case, or the first time, a cycle begins."""
        event = self._tell(
            ContactReceived, thread, at, actor_kind="customer", direction="inbound", text=text,
            order=self.order, queue=self.team, length=len(text) if text else None, language="pl", **fields,
        )  # fmt: skip
        self.turns.append(Turn(at=at, channel=thread.channel, event=event, fresh=fresh))
        if not self.is_open:
            self.cycles.append(Cycle(channel=thread.channel, turn=event, start=at, human_start=at))
        elif self.cycles[-1].human_start is None:
            self.cycles[-1].human_start = at
        return event

    def acknowledge(self, thread: Thread, at: int) -> None:
        """The machine confirms receipt, which answers nothing."""
        self._tell(
            ContactAnswered, thread, at, actor_kind="automation", direction="outbound", text=ACKNOWLEDGED,
            substantive=False, template="auto-ack", fired_by="rule",
        )  # fmt: skip

    def answer(self, thread: Thread, at: int, text: str | None, **fields: Any) -> str:
        """The agent in charge answers."""
        event = self._tell(
            ContactAnswered, thread, at, actor_kind="human_agent", actor=self.agent,
            text=text, queue=self.team, **{"direction": "outbound"} | fields,
        )  # fmt: skip
        self._stop(at)
        return event

    def _stop(self, at: int) -> None:
        cycle = self.cycles[-1]
        cycle.useful_at = at if cycle.useful_at is None else cycle.useful_at
        if cycle.human_at is None and cycle.human_start is not None and cycle.resolved_at is None:
            cycle.human_at = at

    def ring(self, at: int, **fields: Any) -> str:
        """The agent calls the person in this case and reaches them."""
        call = self.thread("phone", at)
        call.points = phone(self.draft.customer, "dialled") if self.draft.customer else ()
        return self._tell(
            ContactInitiated, call, at, actor_kind="human_agent", actor=self.agent, direction="outbound",
            queue=self.team, connected=True, purpose="service", **fields,
        )  # fmt: skip

    def bot(self, thread: Thread, at: int, text: str, *, useful: bool, **fields: Any) -> None:
        """The bot speaks first: people's clock waits for a hand-off or the next customer turn."""
        self._tell(
            BotAnswered, thread, at, actor_kind="bot", actor="asystent", direction="outbound",
            text=text, intent=self.topic, useful=useful, **fields,
        )  # fmt: skip
        cycle = self.cycles[-1]
        cycle.human_start = None
        if useful and cycle.useful_at is None:
            cycle.useful_at = at

    def hand_off(self, thread: Thread, at: int, **fields: Any) -> None:
        """The bot passes the dialogue to people."""
        self._tell(BotHandedOff, thread, at, actor_kind="bot", actor="asystent", queue=self.team, **fields)
        cycle = self.cycles[-1]
        if cycle.human_start is None or cycle.human_start == cycle.start:
            cycle.human_start = at

    def report(self, at: int, state: str, **fields: Any) -> None:
        """The system where the case began states its state."""
        told = {"actor_kind": "automation", "direction": "internal", "group": self.team} | fields
        self._tell(StateReported, self.threads[0], at, state=state, source_state=WORDS[state], **told)

    def resolve(self, at: int, *, by: str = "human_agent", **fields: Any) -> None:
        """The matter is solved, told as the system where it began tells it."""
        actor = self.agent if by == "human_agent" else "asystent"
        if self.threads[0].source in STATING:
            self.report(
                at, "resolved", actor_kind=by, actor=actor, agent=actor if by == "human_agent" else None
            )
        else:
            self._tell(
                CaseResolved, self.threads[0], at, actor_kind=by, actor=actor, direction="internal", **fields
            )
        self.cycles[-1].resolved_at = at

    def reopen(self, at: int, *, by: str) -> None:
        """The system tells that the case is open again; a customer turn has opened the cycle already."""
        actor = self.agent if by == "human_agent" else None
        if self.threads[0].source in STATING:
            self.report(at, "open", actor_kind="automation" if by == "customer" else by, actor=actor)
        else:
            self._tell(CaseReopened, self.threads[0], at, actor_kind=by, actor=actor, direction="internal")

    def hand_over(self, at: int, *, team: str | None = None, passed: bool = True) -> None:
        """Another agent takes over, in the same team or in another."""
        rng = self.draft.world.rng
        before = self.agent, self.team
        self.team = team or self.team
        self.agent = rng.choice([agent for agent in TEAMS[self.team] if agent != self.agent])
        self._tell(
            HandedOver, self.threads[-1], at, actor_kind="human_agent", actor=before[0], direction="internal",
            from_agent=before[0], to_agent=self.agent, from_group=before[1], to_group=self.team,
            warm=passed, context_passed=passed,
        )  # fmt: skip

    def redirect(self, thread: Thread, at: int, channel: str, why: str) -> str:
        """We ask the customer to go elsewhere."""
        return self._tell(
            RedirectedToChannel, thread, at, actor_kind="human_agent", actor=self.agent, direction="outbound",
            to_channel=channel, why=why,
        )  # fmt: skip

    def complain(self, thread: Thread, at: int) -> str:
        """The agent ticks that the customer had to tell the matter again."""
        return self._tell(
            ExplanationRepeated, thread, at, actor_kind="human_agent", actor=self.agent, direction="internal",
            stated_by="agent",
        )  # fmt: skip

    def other_team(self) -> str:
        """A service team that does not hold the case."""
        return self.draft.world.rng.choice([team for team in SERVICE if team != self.team])

    def note(self, at: int, text: str, *, known: int | None = None, **fields: Any) -> str | None:
        """Somebody writes a note about a member."""
        customer = self.draft.customer
        if customer is None or not customer.member:
            return None
        written = stamp(at) if known else None
        return self.draft.emit(
            NoteAdded, "crm", at, f"customer:{customer.label}", known=known, written_at=written, case=self.case,
            topic=self.topic, actor_kind="human_agent", actor=self.agent, direction="internal", text=text, **fields,
        )  # fmt: skip
