"""Policies: the shipped file, strict reading, the promise that fits, and which version holds when."""

from datetime import UTC, date, datetime, timedelta
from itertools import permutations

import pytest

from domain.calendar import microseconds
from domain.events.decisions import CalendarAdopted, PolicyAdopted
from domain.policy import BEGINNING, END, Policies, PolicyError, parse_policy, policies_from, shipped_policy

SMALL = """
version = "small"
zone = "Europe/Warsaw"
calendar = "office"
[calendars.office]
zone = "Europe/Warsaw"
monday = ["09:00-17:00"]
[calendars.always]
zone = "UTC"
every_day = ["00:00-24:00"]
[channels.email]
label = { en = "E-mail", pl = "Poczta" }
order = 2
[channels.chat]
kind = "synchronous"
calendar = "always"
order = 1
[[promises]]
clock = "frt_human"
channel = "email"
target = "6h"
[[promises]]
clock = "frt_human"
channel = "email"
tier = "gold"
target = "3h"
[[promises]]
clock = "frt_human"
channel = "email"
priority = "urgent"
target = "1h 30min"
[[promises]]
clock = "frt_human"
channel = "email"
priority = "urgent"
tier = "gold"
target = "45s"
[[hours]]
queue = "night"
calendar = "always"
[blocked]
phone = ["22 827 00 00"]
email = ["Brak@Brak.pl"]
[trust.shop]
known_at = true
"email.login" = 2
"""
START = datetime(2026, 6, 1, tzinfo=UTC)
LATER = datetime(2026, 7, 1, tzinfo=UTC)


def adopted(
    content: str, starts_at: datetime, *, decided_at: datetime = START, name: str = "1"
) -> PolicyAdopted:
    return PolicyAdopted(
        source="omniline",
        id=f"policy/{name}",
        subject="policy:omniline",
        occurred_at=decided_at,
        version="small",
        starts_at=starts_at,
        digest="",
        content=content,
    )


def replaced(
    calendar: str, content: str, starts_at: datetime, *, decided_at: datetime = START, name: str = "c"
) -> CalendarAdopted:
    return CalendarAdopted(
        source="omniline",
        id=f"calendar/{name}",
        subject="policy:omniline",
        occurred_at=decided_at,
        calendar=calendar,
        starts_at=starts_at,
        digest="0123456789abcdef",
        content=content,
    )


def test_the_shipped_policy_promises_six_business_hours_by_email_and_an_hour_for_missed_calls() -> None:
    promised = {(p.clock, p.channel, p.priority, p.tier): p.target for p in shipped_policy().promises}
    assert promised == {
        ("frt_human", "email", None, None): timedelta(hours=6),
        ("frt_customer", "email", None, None): timedelta(hours=6),
        ("callback_kept", "phone", None, None): timedelta(minutes=60),
    }


def test_the_shipped_policy_knows_the_channels_in_order_and_in_two_languages() -> None:
    assert [(c.code, c.label["en"], c.label["pl"], c.kind) for c in shipped_policy().ordered()] == [
        ("email", "E-mail", "E-mail", "asynchronous"),
        ("chat", "Chat", "Czat", "synchronous"),
        ("messenger", "Messenger", "Messenger", "asynchronous"),
        ("phone", "Phone", "Telefon", "synchronous"),
        ("web_form", "Web form", "Formularz", "asynchronous"),
        ("portal", "Portal", "Portal klienta", "asynchronous"),
        ("app", "App", "Aplikacja", "asynchronous"),
        ("sms", "SMS", "SMS", "asynchronous"),
        ("web", "Website", "Strona internetowa", "asynchronous"),
        ("store", "Store", "Sklep", "synchronous"),
        ("desk", "Service desk", "Punkt obsługi", "synchronous"),
        ("ivr", "Voice menu", "Menu głosowe", "synchronous"),
        ("post", "Post", "Poczta", "asynchronous"),
        ("unknown", "Unknown", "Nieznany", "asynchronous"),
    ]


def test_the_shipped_policy_believes_sources_as_the_trust_table_says() -> None:
    trust = shipped_policy().trust
    assert sorted(trust) == [
        *("agent", "chat", "crm", "helpdesk", "mail", "marketplace", "messenger", "shop", "telephony", "till")
    ]
    asked = [
        *(("shop", "email.login", 2), ("shop", "email.typed", 1), ("shop", "phone.login", 1)),
        *(("shop", "order.issued", 3), ("till", "crm.issued", 3), ("till", "phone.typed", 1)),
        *(("mail", "email.dkim", 2), ("mail", "email.observed", 1), ("mail", "phone.observed", 0)),
        *(("telephony", "phone.observed", 1), ("chat", "chat.issued", 3), ("chat", "email.typed", 1)),
        *(("messenger", "psid.issued", 3), ("marketplace", "email.issued", 2), ("agent", "email.typed", 1)),
    ]
    assert [(source, pair, trust[source].pairs[pair]) for source, pair, _ in asked] == asked


def test_placeholders_are_blocked_whatever_their_spelling() -> None:
    assert {"email:brak@brak.pl", "phone:+48123456789"} <= set(shipped_policy().blocked)
    assert parse_policy(SMALL, where="small.toml").blocked == ("email:brak@brak.pl", "phone:+48228270000")


@pytest.mark.parametrize(
    ("priority", "tier", "target"),
    [
        (None, None, timedelta(hours=6)),
        ("low", "silver", timedelta(hours=6)),
        (None, "gold", timedelta(hours=3)),
        ("low", "gold", timedelta(hours=3)),
        ("urgent", None, timedelta(hours=1, minutes=30)),
        ("urgent", "silver", timedelta(hours=1, minutes=30)),
        ("urgent", "gold", timedelta(seconds=45)),
    ],
)
def test_the_most_specific_promise_wins(priority: str | None, tier: str | None, target: timedelta) -> None:
    promise = parse_policy(SMALL, where="small.toml").promise("frt_human", "email", priority, tier)
    assert promise is not None
    assert promise.target == target


def test_nothing_is_promised_where_no_row_fits() -> None:
    policy = parse_policy(SMALL, where="small.toml")
    assert policy.promise("frt_human", "chat") is None
    assert policy.promise("callback_kept", "email") is None


def test_a_channel_the_policy_does_not_know_is_usable() -> None:
    policy = parse_policy(SMALL, where="small.toml")
    pigeon = policy.channel("pigeon")
    assert (pigeon.label, pigeon.calendar, pigeon.kind) == (
        {"en": "pigeon", "pl": "pigeon"},
        "office",
        "asynchronous",
    )
    assert pigeon.order > max(channel.order for channel in policy.channels.values())
    assert policy.calendar_of("pigeon").name == "office"


def test_hours_are_the_queues_own_else_the_channels_else_the_default() -> None:
    policy = parse_policy(SMALL, where="small.toml")
    asked = [("email", "night"), ("email", "day"), ("chat", None), (None, None)]
    assert [policy.calendar_of(*one).name for one in asked] == ["always", "office", "always", "office"]


def test_a_channel_without_labels_is_labelled_by_its_code_in_the_order_given() -> None:
    policy = parse_policy(SMALL, where="small.toml")
    assert [(c.code, c.label["pl"]) for c in policy.ordered()] == [("chat", "chat"), ("email", "Poczta")]


def test_the_digest_is_of_the_content_not_of_its_layout() -> None:
    first, *rest = SMALL.strip().split("\n", 1)
    laid_out_anew = f"# a comment\n\n{first}   # another\n{rest[0]}\n"
    digest = parse_policy(SMALL, where="a.toml").digest
    assert parse_policy(laid_out_anew, where="b.toml").digest == digest
    assert parse_policy(SMALL.replace('"6h"', '"5h"'), where="a.toml").digest != digest
    assert len(digest) == 64


def test_what_was_read_is_kept_word_for_word() -> None:
    assert parse_policy(SMALL, where="small.toml").content == SMALL


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        ('version = "small"\n', "", "p.toml: version is missing; write text."),
        ('version = "small"', 'version = ""', "p.toml: version is empty; write text."),
        ('version = "small"', "version = 3", "p.toml: version must be text, not 3."),
        (
            'zone = "Europe/Warsaw"\ncalendar',
            'zone = "Warsaw"\ncalendar',
            'p.toml: zone is "Warsaw", which is no time zone; write one such as Europe/Warsaw.',
        ),
        (
            'calendar = "office"',
            'calendar = "offise"',
            'p.toml: calendar names the calendar "offise", which is not defined; defined: always, office.',
        ),
        (
            'calendar = "always"\norder',
            'calendar = "alway"\norder',
            'p.toml: channels.chat.calendar names the calendar "alway", which is not defined; '
            "defined: always, office.",
        ),
        (
            'kind = "synchronous"',
            'kind = "fast"',
            "p.toml: channels.chat.kind must be synchronous or asynchronous, not 'fast'.",
        ),
        ("order = 1", "order = true", "p.toml: channels.chat.order must be a whole number, not True."),
        (
            'en = "E-mail"',
            'eng = "E-mail"',
            "p.toml: channels.email.label.eng is not a known key; did you mean en?",
        ),
        ("order = 2", "ordre = 2", "p.toml: channels.email.ordre is not a known key; did you mean order?"),
        (
            'channel = "email"\ntarget = "6h"',
            'channel = "emial"\ntarget = "6h"',
            'p.toml: promises[1].channel names the channel "emial", which is not defined; defined: email, chat.',
        ),
        (
            'target = "6h"',
            'target = "6 days"',
            'p.toml: promises[1].target is "6 days", which is no duration; write it as 6h, 60min or 1h 30min.',
        ),
        (
            'target = "6h"',
            'target = "0h"',
            'p.toml: promises[1].target is "0h", which is no duration; write it as 6h, 60min or 1h 30min.',
        ),
        ('target = "6h"', "", "p.toml: promises[1].target is missing; write text."),
        (
            'tier = "gold"\ntarget = "3h"',
            'target = "3h"',
            "p.toml: promises[2].clock promises frt_human in email a second time; keep one of the two.",
        ),
        (
            'queue = "night"\ncalendar = "always"',
            'queue = "night"\ncalendar = "nights"',
            'p.toml: hours[1].calendar names the calendar "nights", which is not defined; '
            "defined: always, office.",
        ),
        (
            '"email.login" = 2',
            '"email.login" = 4',
            'p.toml: trust.shop."email.login" is 4; a level is 0, 1, 2 or 3.',
        ),
        (
            '"email.login" = 2',
            "email = 2",
            'p.toml: trust.shop."email" is no pair; write "namespace.obtained" = level, '
            'such as "email.login" = 2.',
        ),
        (
            '"22 827 00 00"',
            '"22 827"',
            'p.toml: blocked.phone holds "22 827", which is no identifier of this kind; mend or remove it.',
        ),
        ("[trust.shop]", "[trsut.shop]", "p.toml: trsut is not a known key; did you mean trust?"),
        ("[trust.shop]", "[trust]\nshop = 1\n[x]", "p.toml: trust.shop must be a table, not 1."),
        (
            "[[hours]]",
            "[hours]",
            "p.toml: hours must be a list, not {'queue': 'night', 'calendar': 'always'}.",
        ),
    ],
)
def test_a_wrong_policy_is_refused_in_one_sentence(before: str, after: str, sentence: str) -> None:
    assert before in SMALL
    with pytest.raises(PolicyError) as refusal:
        parse_policy(SMALL.replace(before, after, 1), where="p.toml")
    assert str(refusal.value) == sentence


def test_what_is_no_toml_is_refused_with_its_line() -> None:
    with pytest.raises(PolicyError, match=r"^p\.toml: not readable as TOML: .*line 1"):
        parse_policy("version = small", where="p.toml")


def test_without_adoptions_the_shipped_policy_holds_for_ever() -> None:
    policies = policies_from([])
    assert policies == Policies(adopted=((BEGINNING, shipped_policy()),))
    assert policies.spans == [(BEGINNING, END, shipped_policy())]
    assert policies.at(BEGINNING) == policies.latest == shipped_policy()


@pytest.mark.parametrize(
    ("instant", "version"),
    [
        (START - timedelta(microseconds=1), shipped_policy().version),
        (START, "one"),
        (LATER - timedelta(microseconds=1), "one"),
        (LATER, "two"),
        (END, "two"),
    ],
)
def test_the_newest_start_not_after_an_instant_holds(instant: datetime, version: str) -> None:
    one, two = (SMALL.replace('"small"', f'"{name}"', 1) for name in ("one", "two"))
    policies = policies_from([adopted(two, LATER, name="2"), adopted(one, START, name="1")])
    assert policies.at(instant).version == version
    assert [(start, end, policy.version) for start, end, policy in policies.spans] == [
        (BEGINNING, START, shipped_policy().version),
        (START, LATER, "one"),
        (LATER, END, "two"),
    ]


def test_of_one_start_the_latest_decision_wins_in_whatever_order_they_arrive() -> None:
    contents = {name: SMALL.replace('"small"', f'"{name}"', 1) for name in ("a", "b", "c")}
    events = [
        adopted(contents["a"], START, decided_at=START, name="1"),
        adopted(contents["b"], START, decided_at=LATER, name="0"),
        adopted(contents["c"], LATER, decided_at=START, name="2"),
    ]
    histories = {
        tuple((starts_at, policy.version) for starts_at, policy in policies_from(order).adopted)
        for order in permutations(events)
    }
    assert histories == {((BEGINNING, shipped_policy().version), (START, "b"), (LATER, "c"))}


def test_an_adopted_calendar_replaces_one_calendar_until_the_next_policy() -> None:
    shorter = 'zone = "Europe/Warsaw"\nmonday = ["09:00-12:00"]'
    policies = policies_from([replaced("office", shorter, START), adopted(SMALL, LATER)])
    week = [policy.calendars["office"].week[0] for _, policy in policies.adopted]
    assert week == [((540, 1020),), ((540, 720),), ((540, 1020),)]
    _, changed, _ = (policy for _, policy in policies.adopted)
    assert changed.version == f"{shipped_policy().version}+office:01234567"
    assert changed.digest not in (shipped_policy().digest, policies.latest.digest)
    assert changed.promises == shipped_policy().promises


def test_opening_hours_are_composed_over_every_version_in_force() -> None:
    changed_at = datetime(2026, 6, 1, 10, 30, tzinfo=UTC)
    policies = policies_from([replaced("office", 'zone = "UTC"\nmonday = ["11:00-12:00"]', changed_at)])
    for hours in ("office", policies.hours("email"), policies.hours("pigeon")):
        windows = policies.windows(hours, date(2026, 5, 31), date(2026, 6, 9))
        assert windows == [
            (microseconds(datetime(2026, 6, 1, 7, tzinfo=UTC)), microseconds(changed_at)),
            *(
                (
                    microseconds(datetime(2026, 6, day, 11, tzinfo=UTC)),
                    microseconds(datetime(2026, 6, day, 12, tzinfo=UTC)),
                )
                for day in (1, 8)
            ),
        ]


def test_a_channel_moved_to_another_calendar_has_its_own_hours_in_each_version() -> None:
    moved = SMALL.replace('label = { en = "E-mail", pl = "Poczta" }', 'calendar = "always"')
    policies = policies_from([adopted(moved, START)])
    day = date(2026, 5, 31), date(2026, 6, 2)
    assert policies.windows(policies.hours("email"), *day) == [
        (microseconds(START), microseconds(START + timedelta(days=1)))
    ]
    assert policies.windows(policies.hours("email", "unknown queue"), *day) == policies.windows(
        policies.hours("email"), *day
    )


def test_a_queue_with_its_own_hours_has_its_channels_before_it_got_them() -> None:
    policies = policies_from([adopted(SMALL, START)])
    windows = policies.windows(policies.hours("email", "night"), date(2026, 5, 29), date(2026, 6, 2))
    friday = datetime(2026, 5, 29, 7, tzinfo=UTC)
    assert windows == [
        (microseconds(friday), microseconds(friday + timedelta(hours=8))),
        (microseconds(START), microseconds(START + timedelta(days=1))),
    ]


def test_an_adopted_policy_that_cannot_be_read_is_named() -> None:
    with pytest.raises(PolicyError, match=r"^policy small \(omniline\|policy/1\|1\): zone is missing"):
        policies_from([adopted('version = "small"', START)])
    with pytest.raises(PolicyError, match=r"^calendar office \(omniline\|calendar/c\|1\): zone is missing"):
        policies_from([replaced("office", "", START)])
