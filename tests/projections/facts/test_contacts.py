"""Turns become contacts: what continues one, what begins the next, and what counts as a repeat."""

import pytest

from tests.given import asserted, event, given, local, table

CUSTOMER = {"actor_kind": "customer", "direction": "inbound"}
AGENT = {"actor_kind": "human_agent", "actor": "Ada", "direction": "outbound"}


def came(
    id: str, at: str, subject: str = "contact:1", channel: str = "email", **fields: object
) -> list[object]:
    return [
        event("ContactReceived", id, local(at), subject, channel=channel, **{**CUSTOMER, **fields}),
        asserted(subject, "email", "anna@example.com", local(at), "login"),
    ]


def answered(
    id: str, at: str, subject: str = "contact:1", channel: str = "email", **fields: object
) -> list[object]:
    return [event("ContactAnswered", id, local(at), subject, channel=channel, **{**AGENT, **fields})]


def contacts(folder, events):
    rows = given(folder, events).rows("contacts")
    ordered = sorted(rows, key=lambda row: (row["start_at"], row["contact"]))
    return [
        (row["contact"].split("|")[1], row["turns"], row["customer_turns"], row["handled"]) for row in ordered
    ]


def test_mails_before_the_answer_are_one_contact_and_the_reply_to_it_another(tmp_path):
    events = [
        *came("1", "03-02 10:00"),
        *came("2", "03-02 15:00"),
        *answered("3", "03-03 10:00"),
        *came("4", "03-03 11:00"),
    ]
    assert contacts(tmp_path, events) == [("1", 3, 2, True), ("4", 1, 1, False)]


@pytest.mark.parametrize(("again", "expected"), [
    ("10:31:59", [("1", 3, 2, True)]),
    ("10:32:00", [("1", 2, 1, True), ("3", 1, 1, False)]),
])  # fmt: skip
def test_a_chat_is_over_after_half_an_hour_of_quiet(tmp_path, again, expected):
    events = [
        *came("1", "03-02 10:00", channel="chat"),
        *answered("2", "03-02 10:02", channel="chat"),
        *came("3", f"03-02 {again}", channel="chat"),
    ]
    assert contacts(tmp_path, events) == expected


def test_a_contact_is_not_over_while_the_customer_waits(tmp_path):
    events = [*came("1", "03-02 10:00", channel="chat"), *answered("2", "03-03 10:00", channel="chat")]
    assert contacts(tmp_path, events) == [("1", 2, 1, True)]


def test_turns_of_different_subjects_never_merge(tmp_path):
    events = [*came("1", "03-02 10:00"), *came("2", "03-02 10:01", subject="contact:2")]
    assert contacts(tmp_path, events) == [("1", 1, 1, False), ("2", 1, 1, False)]


@pytest.mark.parametrize("fields", [
    {"substantive": False}, {"actor_kind": "automation"}, {"fired_by": "rule"}, {"public": False},
    {"reaction": True}, {"direction": "internal"}, {"actor_kind": "system"},
])  # fmt: skip
def test_what_is_no_human_response_answers_nobody(tmp_path, fields):
    home = given(tmp_path, [*came("1", "03-02 10:00"), *answered("2", "03-02 10:05", **fields)])
    assert [row["stopped_at"] for row in home.rows("clocks") if row["kind"] == "frt_human"] == [None]
    assert [row["handled"] for row in home.rows("contacts")] == [False]


def test_a_template_that_a_person_chose_is_a_response(tmp_path):
    home = given(
        tmp_path, [*came("1", "03-02 10:00"), *answered("2", "03-02 10:05", template="t", fired_by="person")]
    )
    assert [row["stopped_at"] for row in home.rows("clocks") if row["kind"] == "frt_human"] == [
        local("03-02 10:05")
    ]


@pytest.mark.parametrize(("second", "repeats"), [("03-09 10:00:00", 1), ("03-09 10:00:01", 0)])
def test_a_contact_repeats_within_seven_days_to_the_second(tmp_path, second, repeats):
    events = [
        *came("1", "03-02 10:00", topic="invoice"),
        *came("2", second, subject="contact:2", channel="phone", topic="invoice"),
    ]
    row = given(tmp_path, events).reader().kpi("repeat_contact").row(0, named=True)
    assert (row["of"], row["bad"]) == (2, repeats)


def test_contacts_without_a_topic_never_repeat_each_other(tmp_path):
    events = [*came("1", "03-02 10:00"), *came("2", "03-02 11:00", subject="contact:2")]
    assert given(tmp_path, events).reader().kpi("repeat_contact")["bad"].item() == 0


def test_anonymous_contacts_are_counted_but_not_judged_as_repeats(tmp_path):
    nobody = event("ContactReceived", "9", local("03-02 10:00"), "contact:9", channel="email", **CUSTOMER)
    reader = given(tmp_path, [*came("1", "03-02 09:00"), nobody]).reader()
    assert reader.kpi("contacts")["events"].item() == 2
    assert reader.kpi("repeat_contact")["of"].item() == 1


def test_one_case_number_in_two_persons_hands_is_two_cases(tmp_path):
    other = event(
        "ContactReceived", "2", local("03-02 11:00"), "contact:2", channel="chat", case="7", **CUSTOMER
    )
    stranger = asserted("contact:2", "email", "ola@example.com", local("03-02 11:00"), "login")
    home = given(tmp_path, [*came("1", "03-02 10:00", case="7"), other, stranger])
    assert sorted((row["person"], row["case"], row["switches"]) for row in home.rows("cases")) == [
        ("contact:shop:1", "7", 0),
        ("contact:shop:2", "7", 0),
    ]
    assert home.reader().kpi("cases_known")["cases"].item() == 2


def test_a_report_names_topic_and_team_of_its_own_persons_case_alone(tmp_path):
    at = local("03-02 11:00")
    home = given(tmp_path, [
        *came("1", "03-02 10:00", case="7"),
        event("StateReported", "s", at, "contact:1", case="7", state="open", topic="vpn", group="network"),
        event("ContactReceived", "2", at, "contact:2", channel="email", case="7", **CUSTOMER),
        asserted("contact:2", "email", "ola@example.com", at, "login"),
        *answered("3", "03-02 12:00", subject="contact:2", case="7"),
    ])  # fmt: skip
    shown = ("contact", "person", "case", "topic", "group", "agent", "turns")
    assert table(home.engine.facts("contacts").sort("contact"), *shown) == [
        ("shop|1|1", "contact:shop:1", "7", "vpn", "network", None, 1),
        ("shop|2|1", "contact:shop:2", "7", None, None, "Ada", 2),
    ]
