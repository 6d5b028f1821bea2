"""Identifiers: every trap of written numbers and addresses, and keys that normalise to themselves."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from domain.identifiers import Identifier, identify, normalise, split

ANNA = "phone:+48601234567"
SWITCHBOARD = "phone:+48228270000"


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ("601234567", ANNA),
        ("601 234 567", ANNA),
        ("601-234-567", ANNA),
        ("601–234–567", ANNA),
        ("+48 601 234 567", ANNA),
        ("0048 601 234 567", ANNA),
        ("48601234567", ANNA),
        ("0601234567", ANNA),
        ("(0601) 234 567", ANNA),
        ("+480601234567", ANNA),
        ("+48(0)601234567", ANNA),
        ("+48 (0) 601 234 567", ANNA),
        ("(+48) 601234567", ANNA),
        ("tel. (+48) 601-234-567", ANNA),
        ("(0048) 601 234 567", ANNA),
        ("tel:+48601234567", ANNA),
        ("tel. 601 234 567", ANNA),
        ("601 234 567 (Anna)", ANNA),
        ("\u202a+48601234567\u202c", ANNA),
        ("６０１ ２３４ ５６７", ANNA),
        (" 601\u00a0234\u00a0567 ", ANNA),
        ("022 827 00 00", SWITCHBOARD),
        ("(22) 827-00-00", SWITCHBOARD),
        ("+44 20 7946 0958", "phone:+442079460958"),
        ("+49 (0)30 1234567", "phone:+49301234567"),
        ("+39 06 1234 5678", "phone:+390612345678"),
    ],
)
def test_a_number_has_one_key_however_it_is_written(written: str, key: str) -> None:
    assert normalise("phone", written) == (key, None)


@pytest.mark.parametrize(
    ("written", "key", "reason"),
    [
        ("601 234 567 wew. 12", ANNA, "extension"),
        ("22 827 00 00 w. 5", SWITCHBOARD, "extension"),
        ("22 827 00 00 w 5", SWITCHBOARD, "extension"),
        ("22 827 00 00 wewn. 12", SWITCHBOARD, "extension"),
        ("22 827 00 00 wewnętrzny 12", SWITCHBOARD, "extension"),
        ("+48 22 827 00 00 ext. 3", SWITCHBOARD, "extension"),
        ("22 827 00 00 x5", SWITCHBOARD, "extension"),
        ("tel:+48-22-827-00-00;ext=12", SWITCHBOARD, "extension"),
        ("123456789", "phone:+48123456789", "placeholder"),
        ("500500500", "phone:+48500500500", "placeholder"),
        ("666 666 666", "phone:+48666666666", "placeholder"),
        ("700 123 456", "phone:+48700123456", "service_number"),
        ("800 123 456", "phone:+48800123456", "service_number"),
        ("801 123 456", "phone:+48801123456", "service_number"),
        ("0 801 123 456", "phone:+48801123456", "service_number"),
        ("anonymous", None, "withheld"),
        ("Restricted", None, "withheld"),
        ("numer zastrzeżony", None, "withheld"),
        ("sip:anna@example.com", None, "not_a_number"),
        ("nie ma", None, "not_a_number"),
        ("112", None, "not_valid"),
        ("987654321", None, "not_valid"),
        ("60123456", None, "not_valid"),
        ("601 234 5678", None, "not_valid"),
        ("+48 601 ABC 567", None, "not_valid"),
        ("601234567/602345678", None, "several"),
        ("", None, "empty"),
        (" \u00a0 ", None, "empty"),
    ],
)
def test_a_number_that_must_not_link_keeps_its_reason(written: str, key: str | None, reason: str) -> None:
    assert identify("phone", written) == Identifier(ns="phone", key=key, reason=reason)
    assert normalise("phone", written) == (None, reason)


@pytest.mark.parametrize(
    "written", ["601234567/602345678", "601 234 567, 602 345 678", "601234567 ; 602345678"]
)
def test_two_numbers_in_one_field_are_two_assertions(written: str) -> None:
    keys = [normalise("phone", part) for part in split("phone", written)]
    assert keys == [("phone:+48601234567", None), ("phone:+48602345678", None)]


def test_two_addresses_in_one_field_are_two_assertions() -> None:
    written = '"Kowalska, Anna" <anna@example.com>; jan@example.com'
    assert split("email", written) == ("anna@example.com", "jan@example.com")
    assert split("email", '"Kowalska, Anna" <anna@example.com>') == ('"Kowalska, Anna" <anna@example.com>',)


def test_one_number_and_other_namespaces_are_not_split() -> None:
    assert split("phone", "22 827 00 00/1") == ("22 827 00 00/1",)
    assert split("order", "2026/601234567/602345678") == ("2026/601234567/602345678",)


def test_the_region_of_the_source_reads_numbers_without_a_country() -> None:
    assert normalise("phone", "030 1234567", region="DE") == ("phone:+49301234567", None)
    assert normalise("phone", "601 234 567", region="GB") == (None, "not_valid")


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ("anna@example.com", "email:anna@example.com"),
        ("Anna@Example.COM", "email:anna@example.com"),
        ("ａｎｎａ@example.com", "email:anna@example.com"),
        ("ﬁona@example.com", "email:fiona@example.com"),
        ("anna@example.com ", "email:anna@example.com"),
        ("mailto:anna@example.com", "email:anna@example.com"),
        ("MAILTO:anna@example.com?subject=Hi", "email:anna@example.com"),
        ("Anna K <anna@example.com>", "email:anna@example.com"),
        ('"Kowalska, Anna" <ANNA@example.com>', "email:anna@example.com"),
        ("an\u200bna@example.com", "email:anna@example.com"),
        ("anna@example.com (Anna K)", "email:anna@example.com"),
        ("anna@example.com.", "email:anna@example.com"),
        ("anna+shop@gmail.com", "email:anna@gmail.com"),
        ("an.na@gmail.com", "email:anna@gmail.com"),
        ("An.Na+shop@googlemail.com", "email:anna@gmail.com"),
        ("an.na+shop@outlook.com", "email:an.na@outlook.com"),
        ("an.na+shop@example.com", "email:an.na+shop@example.com"),
        ("a.+shop@outlook.com", "email:a@outlook.com"),
        ("anna@exämple.de", "email:anna@xn--exmple-cua.de"),
        ("anna@xn--exmple-cua.de", "email:anna@xn--exmple-cua.de"),
        ("ANNA@EXÄMPLE.de", "email:anna@xn--exmple-cua.de"),
        ("straße@straße.de", "email:strasse@xn--strae-oqa.de"),
        ("żółw@example.pl", "email:żółw@example.pl"),
        ("иван@пример.рф", "email:иван@xn--e1afmkfd.xn--p1ai"),
    ],
)
def test_an_address_has_one_key_however_it_is_written(written: str, key: str) -> None:
    assert normalise("email", written) == (key, None)


@pytest.mark.parametrize(
    ("written", "key", "reason"),
    [
        ("jаn@example.com", "email:jаn@example.com", "mixed_scripts"),
        ("anna@exаmple.com", "email:anna@xn--exmple-4nf.com", "mixed_scripts"),
        ("Biuro@firma.pl", "email:biuro@firma.pl", "role_mailbox"),
        ("no-reply@example.com", "email:no-reply@example.com", "role_mailbox"),
        ("nie mam", None, "not_valid"),
        ("anna@", None, "not_valid"),
        ("@example.com", None, "not_valid"),
        ("anna@localhost", None, "not_valid"),
        ("+shop@gmail.com", None, "not_valid"),
        ("anna@example.com, jan@example.com", None, "several"),
        ("", None, "empty"),
    ],
)
def test_an_address_that_must_not_link_keeps_its_reason(written: str, key: str | None, reason: str) -> None:
    assert identify("email", written) == Identifier(ns="email", key=key, reason=reason)
    assert normalise("email", written) == (None, reason)


def test_other_namespaces_keep_their_value_without_width_and_stray_space() -> None:
    assert normalise("shop", "  C-１２ 3 ") == ("shop:C-12 3", None)
    assert normalise("order", "fv/12/2026") == ("order:fv/12/2026", None)
    assert normalise("crm", "\t") == (None, "empty")


NUMBERISH = st.text(alphabet="0123456789+()- ./,;wewext#", max_size=24)
ADDRESSISH = st.builds(
    "{}@{}".format,
    st.text(min_size=1, max_size=12),
    st.sampled_from(["gmail.com", "outlook.com", "example.com", "straße.de", "ПРИМЕР.рф", "EXAMPLE.com."]),
)


@settings(deadline=None)
@given(st.sampled_from(["phone", "email", "shop"]), NUMBERISH | ADDRESSISH | st.text(max_size=30))
@example("email", "a.+x@outlook.com")
@example("email", "ǰ" * 40 + "@example.com")
@example("email", "İ@example.com")
@example("email", "\u0345a@example.com")
@example("phone", "+48 (0) 601 234 567")
@example("phone", "700500500")
def test_a_key_is_its_own_key(ns: str, value: str) -> None:
    found = identify(ns, value)
    if found.key is not None:
        again = identify(ns, found.key.removeprefix(f"{ns}:"))
        assert again.key == found.key
        assert again.reason == (None if found.reason == "extension" else found.reason)
