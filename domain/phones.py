"""One call reads one written telephone number as E.164, or says why it identifies nobody."""

import re

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumber, PhoneNumberType

EXTENSION = re.compile(
    r"(?i)(?<![a-z])(?:wewn?\.?|wewnętrzny|w\.|w(?=\s*\d)|ext\.?|x\.?|int\.?|#|;ext=)\s*:?\s*(\d{1,7})\s*$"
)
WITHHELD = re.compile(
    r"(?i)(?:numer )?(anonymous|restricted|private|unknown|unavailable|withheld|zastrzeżony|prywatny|nieznany)( .*)?"
)
NUMBER = re.compile(r"[^\d+(]*(\(?\s*\+?[\d\s().\-–]*\d)\D*")
"""Words before or after a number are dropped; letters inside would be read as keys of a telephone."""
SEVERAL = re.compile(r"\s*[/;,]\s*")
SHARED_KINDS = frozenset(
    {
        PhoneNumberType.PREMIUM_RATE,
        PhoneNumberType.TOLL_FREE,
        PhoneNumberType.SHARED_COST,
        PhoneNumberType.UAN,
        PhoneNumberType.VOICEMAIL,
    }
)


def read_phone(text: str, region: str) -> tuple[str | None, str | None]:
    """The E.164 number, and the reason why it must not link; without a number only the reason."""
    if WITHHELD.fullmatch(text):
        return None, "withheld"
    if re.match(r"(?i)sips?:", text):
        return None, "not_a_number"
    rest = re.sub(r"(?i)^(tel|callto):", "", text).strip()
    extension = EXTENSION.search(rest)
    number = _parse(rest[: extension.start()] if extension else rest, region)
    if number is None:
        return None, "not_a_number" if not any(sign.isdigit() for sign in rest) else "not_valid"
    national = phonenumbers.national_significant_number(number)
    e164 = f"+{number.country_code}{national}"
    if extension:
        return e164, "extension"
    if phonenumbers.number_type(number) in SHARED_KINDS:
        return e164, "service_number"
    return e164, "placeholder" if _placeholder(national) else None


def numbers(text: str) -> tuple[str, ...]:
    """The numbers written in one field, between slashes, semicolons or commas."""
    return tuple(part for part in SEVERAL.split(text) if sum(sign.isdigit() for sign in part) >= 7)


def _parse(text: str, region: str) -> PhoneNumber | None:
    written = NUMBER.fullmatch(text)
    if not written:
        return None
    try:
        number = phonenumbers.parse(written.group(1), region)
    except NumberParseException:
        return None
    trunk_cut = PhoneNumber(country_code=number.country_code, national_number=number.national_number)
    return next((found for found in (number, trunk_cut) if phonenumbers.is_valid_number(found)), None)


def _placeholder(digits: str) -> bool:
    repeated = len(set(digits)) == 1 or (len(digits) == 9 and digits == digits[:3] * 3)
    return repeated or digits in ("123456789", "987654321")
