"""Identity: what a source asserted about who the subject belongs to."""

from typing import ClassVar

from domain.events.envelope import Contact, Event, Open


class IdentifierAsserted(Event, frozen=True, kw_only=True, omit_defaults=True):
    """The subject bears this identifier; `obtained` tells how the source got it, trust is looked up."""

    TOPIC: ClassVar[str] = "identifier.asserted"
    ns: Open
    value: Contact
    obtained: Open
    verified_by: Open | None = None
