"""Notes: what staff wrote down about a customer."""

from datetime import datetime
from typing import ClassVar

from domain.events.envelope import Content, Event, Open


class NoteAdded(Event, frozen=True, kw_only=True, omit_defaults=True):
    """A note; `about` and `value` where it states a fact ("children" = "4"), `written_at` if made offline."""

    TOPIC: ClassVar[str] = "note.added"
    about: Open | None = None
    value: Content | None = None
    written_at: datetime | None = None
