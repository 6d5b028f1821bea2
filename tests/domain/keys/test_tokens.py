"""Surrogates, blind tokens and fingerprint keys: stable under one secret, unlinkable under another."""

import hashlib
import hmac

import pytest

from domain.keys import KeysError, blind, fingerprint_key, surrogate

SECRET, OTHER = b"s" * 32, b"o" * 32


def hexes(secret: bytes, text: str) -> str:
    return hmac.new(secret, text.encode(), hashlib.sha256).hexdigest()[:32]


def test_a_surrogate_stands_for_one_value_in_one_namespace_under_one_secret() -> None:
    token = surrogate(SECRET, "phone", "+48601234567")
    assert token == hexes(SECRET, "surrogate\0phone\0+48601234567")
    others = [
        surrogate(OTHER, "phone", "+48601234567"),
        surrogate(SECRET, "fax", "+48601234567"),
        surrogate(SECRET, "phone", "+48601234568"),
    ]
    assert len({token, *others}) == 4


@pytest.mark.parametrize("ns", ["", "a\0b"])
def test_a_surrogate_needs_a_namespace(ns: str) -> None:
    with pytest.raises(KeysError, match=r"^A surrogate needs a namespace, not "):
        surrogate(SECRET, ns, "x")


def test_a_blind_token_keeps_the_namespace_and_hides_the_value() -> None:
    token = blind(SECRET, "email:jan@x.pl")
    assert token == f"email:{hexes(SECRET, chr(0).join(('blind', 'email:jan@x.pl')))}"
    others = [blind(OTHER, "email:jan@x.pl"), blind(SECRET, "email:jan@x.p"), blind(SECRET, "login:jan@x.pl")]
    assert len({token, *others}) == 4


def test_a_value_with_colons_is_one_value() -> None:
    assert blind(SECRET, "urn:a:b").startswith("urn:")
    assert blind(SECRET, "urn:a:b") != blind(SECRET, "urn:a")


@pytest.mark.parametrize("key", ["jan@x.pl", ":jan@x.pl", "email:", ""])
def test_a_blind_token_of_no_identifier_is_refused_without_showing_it(key: str) -> None:
    with pytest.raises(KeysError) as told:
        blind(SECRET, key)
    assert str(told.value) == (
        "A blind token needs an identifier like email:…, with a namespace and a value."
    )


def test_a_fingerprint_key_hangs_on_the_secret_and_on_every_key_and_class() -> None:
    one, two = b"1" * 32, b"2" * 32
    base = fingerprint_key(SECRET, [(1, one), (2, two)])
    others = [
        fingerprint_key(OTHER, [(1, one), (2, two)]),
        fingerprint_key(SECRET, [(1, two), (2, one)]),
        fingerprint_key(SECRET, [(1, one), (3, two)]),
        fingerprint_key(SECRET, [(1, one)]),
        fingerprint_key(SECRET, []),
    ]
    assert base == fingerprint_key(SECRET, [(1, one), (2, two)])
    assert len({base, *others}) == 6
    assert {len(key) for key in (base, *others)} == {32}
