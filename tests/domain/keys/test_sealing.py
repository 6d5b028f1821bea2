"""Sealed columns: what goes in comes out, and only with the right key, event, topic and class."""

import hashlib
from itertools import count

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from domain.keys import KeysError, Pair, Sealed, Unsealed, open_all, open_one, pairs_in, seal_all, seal_one

ONE, TWO = "contact:crm:1", "contact:crm:2"
CODES = (1, 2, 3)
EMAIL, TEXT = b'"email":"jan@x.pl"', '"text":"Dzień dobry"'.encode()
KEYS: dict[Pair, bytes | None] = {
    (stream, code): hashlib.sha256(f"{stream}{code}".encode()).digest()
    for stream in (ONE, TWO)
    for code in CODES
}
MAIL: Unsealed = (ONE, "crm|m1|1", "contact.received", ((1, EMAIL), (2, TEXT)))
UNFIT = (
    "The sealed fields of {} do not open with their key, so event or key was altered: run `omniline verify`, "
    "or restore log and key store from a backup."
)
_numbers = count(1)


def sealed(*events: Unsealed) -> list[Sealed]:
    """Events as they are stored, no nonce used twice."""
    nonces = b"".join(next(_numbers).to_bytes(12) for *_, parts in events for _ in parts)
    columns = seal_all(events, keys=KEYS, nonces=nonces)
    return [(*event[:3], column) for event, column in zip(events, columns, strict=True)]


def refused(row: Sealed) -> str:
    """What is told of a row that does not open."""
    with pytest.raises(KeysError) as told:
        open_one(row, keys=KEYS)
    return str(told.value)


fragments = (
    st.lists(st.sampled_from(CODES), unique=True)
    .map(sorted)
    .flatmap(
        lambda codes: st.tuples(
            *(st.tuples(st.just(code), st.binary(min_size=1, max_size=60)) for code in codes)
        )
    )
)
unsealed = st.lists(
    st.tuples(st.sampled_from([ONE, TWO]), st.text(max_size=12), st.text(max_size=12), fragments), max_size=12
)


@given(unsealed)
def test_what_is_sealed_opens_again(events: list[Unsealed]) -> None:
    rows = sealed(*events)
    assert open_all(rows, keys=KEYS) == [b",".join(one for _, one in parts) for *_, parts in events]
    assert pairs_in(rows) == {(stream, code) for stream, _, _, parts in events for code, _ in parts}


def test_a_column_holds_code_length_nonce_and_ciphertext_class_by_class() -> None:
    first, second = b"n" * 12, b"m" * 12
    column = seal_one(MAIL, keys=KEYS, nonces=first + second)
    expected = b""
    for (code, fragment), nonce, name in zip(MAIL[3], (first, second), (b"contact", b"content"), strict=True):
        cipher = AESGCM(KEYS[ONE, code] or b"")
        body = nonce + cipher.encrypt(nonce, fragment, b"crm|m1|1\0contact.received\0" + name)
        expected += bytes([code]) + len(body).to_bytes(4, "big") + body
    assert column == expected
    assert EMAIL not in column


def test_an_event_without_personal_fields_has_an_empty_column() -> None:
    assert sealed((ONE, "crm|m1|1", "contact.received", ())) == [(ONE, "crm|m1|1", "contact.received", b"")]
    assert open_all([(ONE, "crm|m1|1", "contact.received", b"")], keys={}) == [b""]


@pytest.mark.parametrize(
    ("place", "other"),
    [(0, TWO), (1, "crm|m1|2"), (1, "crm|m1"), (2, "contact.sent"), (2, "contact.received\0contact")],
)
def test_a_column_opens_in_no_other_stream_event_or_topic(place: int, other: str) -> None:
    [row] = sealed(MAIL)
    changed = [*row]
    changed[place] = other
    stream, event_id, topic, column = changed
    assert refused((str(stream), str(event_id), str(topic), row[3])) == UNFIT.format(event_id)
    assert column == row[3]
    assert open_one(row, keys=KEYS) == EMAIL + b"," + TEXT


def test_a_part_opens_as_no_other_class_though_the_key_were_the_same() -> None:
    keys = {(ONE, code): b"k" * 32 for code in CODES}
    event = (ONE, "crm|m1|1", "contact.received", ((1, EMAIL),))
    column = seal_one(event, keys=keys, nonces=b"n" * 12)
    assert open_one((*event[:3], column), keys=keys) == EMAIL
    for code in (b"\x02", b"\x03"):
        with pytest.raises(KeysError):
            open_one((*event[:3], code + column[1:]), keys=keys)


def test_swapped_columns_of_one_stream_do_not_open() -> None:
    first, second = sealed(MAIL, (ONE, "crm|m2|1", *MAIL[2:]))
    assert refused((*first[:3], second[3])) == UNFIT.format("crm|m1|1")
    assert refused((*second[:3], first[3])) == UNFIT.format("crm|m2|1")


def test_a_column_changed_in_any_bit_does_not_open() -> None:
    [row] = sealed(MAIL)
    for bit in range(len(row[3]) * 8):
        column = bytearray(row[3])
        column[bit // 8] ^= 1 << bit % 8
        assert refused((*row[:3], bytes(column))) == UNFIT.format("crm|m1|1")


def test_a_column_cut_inside_a_part_does_not_open() -> None:
    [row] = sealed(MAIL)
    first = 5 + 12 + len(EMAIL) + 16
    for size in {*range(1, len(row[3]))} - {first}:
        assert refused((*row[:3], row[3][:size])) == UNFIT.format("crm|m1|1")
    assert open_one((*row[:3], row[3][:first]), keys=KEYS) == EMAIL


def test_parts_that_run_over_the_end_are_told_where_keys_are_listed() -> None:
    [row] = sealed(MAIL)
    for column in (b"\x01\x00", row[3][:-1]):
        with pytest.raises(KeysError, match=r"^The sealed fields of crm\|m1\|1 do not open"):
            pairs_in([(*row[:3], column)])


@pytest.mark.parametrize(
    ("gone", "rest"), [((1,), TEXT), ((2,), EMAIL), ((1, 2), b""), ((3,), EMAIL + b"," + TEXT)]
)
def test_a_destroyed_or_missing_key_leaves_its_fields_out(gone: tuple[int, ...], rest: bytes) -> None:
    [row] = sealed(MAIL)
    destroyed = {pair: None if pair[1] in gone else key for pair, key in KEYS.items()}
    missing = {pair: key for pair, key in KEYS.items() if pair[1] not in gone}
    assert open_one(row, keys=destroyed) == open_one(row, keys=missing) == rest


def test_fields_whose_key_is_destroyed_are_not_sealed() -> None:
    keys = {**KEYS, (ONE, 1): None}
    column = seal_one(MAIL, keys=keys, nonces=b"n" * 24)
    assert pairs_in([(*MAIL[:3], column)]) == {(ONE, 2)}
    assert open_one((*MAIL[:3], column), keys=KEYS) == TEXT


def test_nothing_is_sealed_without_a_key_of_its_own_or_a_nonce_of_its_own() -> None:
    with pytest.raises(KeyError):
        seal_one(MAIL, keys={(ONE, 1): KEYS[ONE, 1]}, nonces=b"n" * 24)
    for size in (0, 12, 20, 23):
        with pytest.raises(ValueError, match=r"nonce|Nonce"):
            seal_one(MAIL, keys=KEYS, nonces=bytes(range(size)))
