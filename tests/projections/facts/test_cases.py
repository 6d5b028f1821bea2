"""Cases: their effort, their channels and topics where reports leave gaps, and what shares an instant."""

import pytest

from tests.given import FAR, POLICY, Given, asserted, event, given, local, table

CUSTOMER = {"actor_kind": "customer", "direction": "inbound"}
AGENT = {"actor_kind": "human_agent", "actor": "Ada", "direction": "outbound"}
HOUR = 3600


def came(
    id: str, at: str, subject: str = "contact:1", mail: str = "anna@example.com", **fields: object
) -> list[object]:
    return [
        event(
            "ContactReceived",
            id,
            local(at),
            subject,
            **{"case": "A", "channel": "email", **CUSTOMER, **fields},
        ),
        asserted(subject, "email", mail, local(at), "login"),
    ]


def told(id: str, at: str, state: str | None, **fields: object) -> object:
    return event("StateReported", id, local(at), "contact:1", case="A", state=state, **{**AGENT, **fields})


def solved(id: str, at: str) -> object:
    return event("CaseResolved", id, local(at), "contact:1", case="A", **AGENT)


def asked(home: Given, key: str, moment: str) -> tuple[object, ...]:
    row = home.reader(local(moment)).kpi(key).row(0, named=True)
    return row["n"], row["waiting"], row["median_s"]


def test_waiting_that_began_before_the_customer_came_is_not_taken_from_the_time_after(tmp_path):
    home = given(
        tmp_path,
        [
            told("s", "03-02 10:00", "awaiting_customer"),
            *came("1", "03-02 14:00"),
            solved("r", "03-02 15:00"),
        ],
    )
    (row,) = home.rows("cycles", "paused_us", "resolution_us")
    assert (row["paused_us"], row["resolution_us"]) == (0, HOUR * 1_000_000)


def test_a_cycle_that_an_agent_opened_adds_its_own_time_to_the_effort(tmp_path):
    events = [
        *came("1", "03-02 10:00"),
        solved("r1", "03-02 11:00"),
        told("s", "03-03 10:00", "open"),
        solved("r2", "03-03 12:00"),
    ]
    home = given(tmp_path, events)
    assert [(row["effort_us"], row["idle_us"]) for row in home.rows("cases")] == [
        (3 * HOUR * 1_000_000, 7 * HOUR * 1_000_000)
    ]
    assert asked(home, "resolution_effort", "03-10 12:00") == (1, 0, 3.0 * HOUR)
    by = home.reader().kpi("reopened", by=["channel"])
    assert table(home.reader().kpi("resolution_effort", by=["channel"]), "channel", "n") == [("email", 1)]
    assert table(by, "channel", "events") == [("email", 1)]


def test_an_open_case_has_spent_its_effort_and_neither_pauses_nor_the_quiet_between_cycles(tmp_path):
    open_again = [
        *came("1", "03-02 10:00"),
        solved("r1", "03-02 11:00"),
        *came("2", "03-03 10:00"),
        told("s", "03-03 10:30", "awaiting_customer"),
    ]
    home = given(tmp_path, open_again)
    reader = home.reader(local("03-06 16:00"))
    effort = reader.prepared("cases", "first_customer_at", "idle_us")
    assert table(effort, "effort_us", "spent_us") == [(None, 5400 * 1_000_000)]
    cycles = reader.prepared("cycles", "customer_at", "paused_us").sort("number")
    assert table(cycles, "resolution_us", "spent_us")[1] == (None, 1800 * 1_000_000)
    went_on = home.more(came("3", "03-03 12:30")).reader(local("03-03 13:00"))
    assert went_on.prepared("cases", "first_customer_at", "idle_us")["spent_us"].to_list() == [
        7200 * 1_000_000
    ]


def test_a_turn_without_a_channel_hides_no_switch(tmp_path):
    home = given(tmp_path, [
        *came("1", "03-02 10:00"), *came("2", "03-02 11:00", channel=None), *came("3", "03-02 12:00", channel="chat"),
    ])  # fmt: skip
    assert home.rows("cases", "switches") == [{"switches": 1}]
    assert home.rows("switches", "from_channel", "to_channel") == [
        {"from_channel": "email", "to_channel": "chat"}
    ]
    assert home.rows("handovers", "turn", "cause") == [{"turn": "shop|3|1", "cause": "channel"}]


def test_a_report_without_a_topic_takes_none_away(tmp_path):
    home = given(
        tmp_path,
        [
            *came("1", "03-02 10:00"),
            told("s1", "03-02 10:10", "open", topic="vpn"),
            told("s2", "03-02 10:20", "open"),
        ],
    )
    for fact in ("cases", "contacts", "cycles"):
        assert home.rows(fact, "topic") == [{"topic": "vpn"}], fact


def test_one_case_number_of_two_persons_counts_as_two_switched_cases(tmp_path):
    ola = {"mail": "ola@example.com"}
    home = given(tmp_path, [
        *came("1", "03-02 10:00"), *came("2", "03-02 11:00", channel="chat"),
        *came("3", "03-02 10:00", "contact:2", **ola), *came("4", "03-02 11:00", "contact:2", channel="chat", **ola),
    ])  # fmt: skip
    found = home.reader().switches(None, None)
    assert table(found, "from_channel", "to_channel", "switches", "cases") == [("email", "chat", 2, 2)]


@pytest.mark.parametrize("ids", [("1", "2", "3"), ("3", "2", "1"), ("2", "3", "1")])
def test_question_answer_and_solution_of_one_minute_stand_in_that_order_whatever_their_ids(tmp_path, ids):
    asked, answered, closed = ids
    at, phone = local("03-02 10:00"), {"channel": "phone", "case": "A"}
    home = given(tmp_path, [
        *came(asked, "03-02 10:00", channel="phone"),
        event("ContactAnswered", answered, at, "contact:1", **phone, **{**AGENT, "direction": "inbound"}),
        event("CaseResolved", closed, at, "contact:1", **phone, **AGENT),
    ])  # fmt: skip
    assert home.rows("cycles", "number", "human_at", "resolved_at") == [
        {"number": 1, "human_at": at, "resolved_at": at}
    ]
    assert home.rows("contacts", "direction", "turns") == [{"direction": "inbound", "turns": 2}]


def test_a_channels_kind_is_what_the_policy_in_force_said(tmp_path):
    changed = POLICY.replace("test-1", "test-2").replace(
        '[channels.chat]\nkind = "synchronous"', '[channels.chat]\nkind = "asynchronous"'
    )
    adopted = event(
        "PolicyAdopted", "p", local("03-03 00:00"), "policy:omniline", version="test-2",
        starts_at=local("03-03 00:00"), digest="d", content=changed,
    )  # fmt: skip

    def chat(day: str) -> list[object]:
        subject, told = f"contact:{day}", {"channel": "chat", "case": day}
        return [
            *came(f"{day}-1", f"{day} 10:00", subject, **told),
            event("ContactAnswered", f"{day}-2", local(f"{day} 10:01"), subject, **told, **AGENT),
            *came(f"{day}-3", f"{day} 10:02", subject, **told),
        ]

    home = given(tmp_path, [*chat("03-02"), *chat("03-03"), adopted])
    assert sorted((row["contact"], row["turns"]) for row in home.rows("contacts")) == [
        ("shop|03-02-1|1", 3), ("shop|03-03-1|1", 2), ("shop|03-03-3|1", 1),
    ]  # fmt: skip


def test_only_the_contact_that_a_bot_handed_over_is_for_people(tmp_path):
    def bot(kind: str, id: str, at: str) -> object:
        return event(kind, id, local(at), "contact:1", case="A", channel="chat", actor_kind="bot")

    home = given(tmp_path, [
        *came("1", "03-02 10:00", channel="chat"), bot("BotAnswered", "b1", "03-02 10:01"),
        *came("2", "03-02 12:00", channel="chat"), bot("BotAnswered", "b2", "03-02 12:01"),
        bot("BotHandedOff", "h", "03-02 12:02"),
    ])  # fmt: skip
    assert sorted((row["contact"], row["human"]) for row in home.rows("contacts")) == [
        ("shop|1|1", False),
        ("shop|2|1", True),
    ]


def test_events_that_tell_next_to_nothing_are_built_and_answered(tmp_path):
    at = local("03-02 10:00")
    kinds = (
        "ContactReceived",
        "ContactAnswered",
        "ContactInitiated",
        "ContactMissed",
        "StateReported",
        "CaseResolved",
        "NoteAdded",
        "OrderPlaced",
    )
    home = given(tmp_path, [event(kind, kind, at, f"contact:{kind}") for kind in kinds])
    assert {name: view.error for name, view in home.engine.positions().items() if view.error} == {}
    # without an actor an answer is nobody's: no turn, no clock stopped
    assert home.rows("contacts", "contact", "channel", "identified") == [
        {"contact": "shop|ContactReceived|1", "channel": None, "identified": False}
    ]
    assert table(home.reader(FAR).waiting(), "channel", "waiting") == [(None, 2)]
