"""One call reads the `data` of a canonical record: the fields that its event adds to the envelope, and no others."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

import msgspec

from domain.events.envelope import Event, own_fields

LARGEST = 10**28
"""Money and quantities from here on are no numbers of this world."""
WHOLE = 2**63


class Unfit(Exception):
    """Why a record becomes no event: a reason code, and a sentence."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason, self.detail = reason, detail


def own_data(event: type[Event], data: msgspec.Raw) -> dict[str, Any]:
    """The fields by name; instants in UTC."""
    raw = bytes(data)
    try:
        own = _decoder(event).decode(b"{}" if raw in (b"", b"null") else raw)
    except msgspec.ValidationError as error:
        raise unfit(error, "data: ") from None
    found = {name: getattr(own, name) for name in own.__struct_fields__}
    for name, number in _numbers(found):
        check_number(f"data: {name}", number)
    instants = {name: value for name, value in found.items() if isinstance(value, datetime)}
    return found | {name: _in_utc(name, value) for name, value in instants.items()}


@lru_cache
def _decoder(event: type[Event]) -> msgspec.json.Decoder[Any]:
    declared = {field.name: field for field in msgspec.structs.fields(event)}
    fields: list[Any] = []
    for name in own_fields(event):
        field = declared[name]
        if field.required:
            fields.append((name, field.type))
        elif field.default_factory is not msgspec.NODEFAULT:
            fields.append((name, field.type, msgspec.field(default_factory=field.default_factory)))
        else:
            fields.append((name, field.type, field.default))
    own = msgspec.defstruct(f"{event.__name__}Data", fields, kw_only=True, forbid_unknown_fields=True)
    return msgspec.json.Decoder(own)


def unfit(error: msgspec.ValidationError, where: str) -> Unfit:
    """The refusal that a decoder's error amounts to."""
    text = str(error)
    reason = "unknown_key" if "unknown field" in text else "malformed"
    return Unfit(reason, f"{where}{text[:1].lower()}{text[1:]}".replace("`", '"'))


def check_number(name: str, number: int | Decimal) -> None:
    """Refuse a number that no column could hold."""
    if isinstance(number, Decimal):
        if not number.is_finite() or abs(number) >= LARGEST or int(number.as_tuple().exponent) < -28:
            raise Unfit("bad_number", f"{name} is {str(number)[:40]}, which is no amount")
    elif not -WHOLE <= number < WHOLE:
        raise Unfit("bad_number", f"{name} is {str(number)[:40]}, which is too large")


def _numbers(found: dict[str, Any]) -> Iterator[tuple[str, int | Decimal]]:
    """The numbers among fields, those of an order's lines too."""
    for name, value in found.items():
        if isinstance(value, (int, Decimal)):
            yield name, value
        elif isinstance(value, tuple):
            for line in value:
                yield from _numbers(msgspec.structs.asdict(line))


def _in_utc(name: str, value: datetime) -> datetime:
    if value.tzinfo is None:
        raise Unfit("bad_time", f"data: {name} has no zone; write +01:00 or Z after it")
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise Unfit("bad_time", f"data: {name} is {value.isoformat()}, which is before all time") from None
