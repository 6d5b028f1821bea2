"""Bot: what the machine said before a person did."""

from typing import ClassVar

from domain.events.envelope import Event, Open


class BotAnswered(Event, frozen=True, kw_only=True, omit_defaults=True):
    """A bot turn; `useful` is False for a menu, a question or an acknowledgement."""

    TOPIC: ClassVar[str] = "bot.answered"
    intent: Open | None = None
    item: Open | None = None
    useful: bool = True
    solved: bool | None = None


class BotHandedOff(Event, frozen=True, kw_only=True, omit_defaults=True):
    """The bot passed the dialogue to people."""

    TOPIC: ClassVar[str] = "bot.handed_off"
    queue: Open | None = None
    reason: Open | None = None


class BotAbandoned(Event, frozen=True, kw_only=True, omit_defaults=True):
    """The customer left while talking to the bot."""

    TOPIC: ClassVar[str] = "bot.abandoned"
    intent: Open | None = None
