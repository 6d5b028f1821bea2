"""What pages and commands ask of the reader: breaches, who waits, who is at risk, one person's line."""

from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

from domain.asof import AsOf
from projections import promised
from projections.reader import Reader, ReaderError
from tests.given import POLICY, Given, asserted, event, given, local, table
from tests.golden_timeline import EMAIL, NUMBER, timeline

CUSTOMER = {"actor_kind": "customer", "direction": "inbound"}
AGENT = {"actor_kind": "human_agent", "actor": "Ada", "direction": "outbound"}


@pytest.fixture
def golden(tmp_path) -> Given:
    return given(tmp_path, timeline())


def came(id: str, at: str, channel: str = "email", **fields: object) -> list[object]:
    subject = f"contact:{id}"
    return [
        event("ContactReceived", id, local(at), subject, channel=channel, **{**CUSTOMER, **fields}),
        asserted(subject, "email", f"{id}@example.com", local(at), "login"),
    ]


def at(home: Given, moment: str) -> Reader:
    return home.reader().at(AsOf(instant=local(moment), known=True))


def test_a_breach_tells_who_when_and_how_late(golden):
    found = golden.reader(local("11-13 12:00")).breaches(date(2026, 10, 1), date(2026, 11, 14))
    assert table(found, "person", "channel", "kind", "breached_at", "answered", "elapsed_s", "target_s") == [
        ("customer:shop:C1", "phone", "callback_kept", local("11-02 09:40:30"), True, 4170.0, 3600.0)
    ]
    assert golden.reader(local("11-13 12:00")).breaches(date(2026, 11, 3), date(2026, 11, 14)).height == 0


def test_a_breach_stands_from_the_deadline_not_from_the_answer(tmp_path):
    home = given(tmp_path, came("1", "03-02 10:00"))
    assert at(home, "03-02 15:59:59").breaches(None, None).height == 0
    assert table(at(home, "03-02 16:00").breaches(None, None), "answered", "elapsed_s") == [(False, 21_600.0)]


def test_waiting_names_the_oldest_and_its_state(tmp_path):
    home = given(
        tmp_path, [*came("1", "03-02 10:00"), *came("2", "03-02 12:00"), *came("3", "03-02 12:00", "chat")]
    )
    shown = ("channel", "waiting", "oldest_s", "target_s", "state")
    assert table(at(home, "03-02 14:29:59").waiting(), *shown) == [
        ("chat", 1, 8_999.0, 21_600.0, "in_time"),
        ("email", 2, 16_199.0, 21_600.0, "in_time"),
    ]
    assert table(at(home, "03-02 14:30").waiting(), *shown)[1] == ("email", 2, 16_200.0, 21_600.0, "at_risk")
    assert table(at(home, "03-02 16:01").waiting(), *shown)[1] == ("email", 2, 21_660.0, 21_600.0, "late")


def test_who_waits_without_a_promise_is_neither_late_nor_in_time(tmp_path):
    home = given(tmp_path, came("1", "03-02 10:00", "phone"))
    assert table(at(home, "03-02 12:00").waiting(), "channel", "waiting", "target_s", "state") == [
        ("phone", 1, None, None)
    ]


@pytest.mark.parametrize(("moment", "risky"), [("14:29:59", 0), ("14:30", 1), ("16:00", 1), ("16:00:01", 0)])
def test_at_risk_from_a_quarter_of_the_target_until_it_is_due(tmp_path, moment, risky):
    home = given(tmp_path, came("1", "03-02 10:00"))
    assert at(home, f"03-02 {moment}").kpi("at_risk")["events"].item() == risky


def test_a_queue_too_long_for_its_pace_is_at_risk_early(tmp_path):
    answered = [
        *came("0", "03-02 09:00"),
        event("ContactAnswered", "0a", local("03-02 10:00"), "contact:0", channel="email", **AGENT),
    ]
    crowd = [one for n in range(1, 16) for one in came(str(n), f"03-02 10:{n:02}")]
    home = given(tmp_path, [*answered, *crowd])
    # one answer in two hours: the third in the queue waits six, more than the five and a half it has left
    assert at(home, "03-02 10:30").kpi("at_risk")["events"].item() == 12


def test_switches_count_moves_and_cases(golden):
    found = golden.reader(local("11-13 12:00")).switches(date(2026, 11, 1), date(2026, 12, 1))
    assert table(found, "from_channel", "to_channel", "switches", "cases") == [("email", "chat", 1, 1)]


def test_days_are_local_to_the_reporting_zone(tmp_path):
    home = given(tmp_path, [*came("1", "03-02 00:30"), *came("2", "03-01 23:30")])
    day = home.reader().kpi("contacts", start=date(2026, 3, 2), end=date(2026, 3, 3))
    assert day["events"].item() == 1
    series = home.reader().series("contacts", every="1d")
    assert table(series, "period", "events") == [(date(2026, 3, 1), 1), (date(2026, 3, 2), 1)]


def test_a_dimension_that_does_not_exist_is_named_with_those_that_do(golden):
    with pytest.raises(ReaderError, match=r"contacts has no dimension 'colour'; it has .*channel"):
        golden.reader().kpi("contacts", by=["colour"])


@pytest.mark.parametrize("text", [
    EMAIL, " ANNA@Example.com ", "601 234 567", "+48 601-234-567", NUMBER, "C1", "A", "customer:shop:C1",
    "contact:telephony:call-8", "shop|14|1", "(+48) 601234567", "tel. 0048 601 234 567", "c1", "account:C1",
    f"email:{EMAIL}", f"mailto:{EMAIL}", f"phone:{NUMBER}",
])  # fmt: skip
def test_a_person_is_found_by_any_identifier_in_any_spelling(golden, text):
    assert golden.reader().find(text) == ["customer:shop:C1"]


@pytest.mark.parametrize("text", ["CARD-77x", "card-77X", " card-77x ", "card:Card-77x", "card: CARD-77X"])
def test_an_account_is_found_in_upper_and_in_lower_case(tmp_path, text):
    at, subject = local("03-02 10:00"), "customer:1"
    other = asserted("customer:2", "card", "card-77", at, "login")
    home = given(tmp_path, [asserted(subject, "card", "Card-77x", at, "login"), other])
    assert home.reader().find(text) == ["customer:shop:1"]


@pytest.mark.parametrize("text", [
    "", "  ", "nobody@example.com", "601234568", "'; drop table", "x|y|1", "601234", "anna", "\udcff", "email:",
])  # fmt: skip
def test_nobody_is_found_under_what_is_not_known(golden, text):
    assert golden.reader().find(text) == []


def test_the_line_of_a_person_holds_every_event_with_its_digest(golden):
    line = golden.reader(local("11-13 12:00")).person("customer:shop:C1")
    assert line.identified
    assert line.entries.height == len(timeline())
    assert line.entries["position"].n_unique() == len(timeline())
    assert set(line.entries["digest"].str.len_chars()) == {64}
    verdicts = line.entries.filter(line.entries["verdict"].is_not_null())
    assert table(verdicts, "event_id", "verdict") == [
        ("shop|1|1", "met"),
        ("telephony|8|1", "breached"),
        ("shop|14|1", "met"),
    ]
    assert table(line.cases, "case", "breached") == [("A", False)]
    assert table(line.switches, "from_channel", "to_channel") == [("email", "chat")]
    assert table(line.follow_ups, "follow_up", "state") == [("f1", "planned")]


def test_the_line_as_of_an_instant_ends_there(golden):
    line = golden.reader(local("10-26 13:00")).person("customer:shop:C1")
    assert max(line.entries["occurred_at"]) == local("10-26 12:58")


def test_a_strict_position_reads_a_log_prefix(golden):
    reader = golden.reader().at(AsOf(instant=local("11-13 12:00"), position=4))
    assert reader.position == 4
    assert reader.kpi("contacts")["events"].item() == 1


def test_an_empty_log_answers_without_numbers(tmp_path):
    reader = given(tmp_path).reader()
    assert reader.freshness().newest_occurred_at is None
    assert reader.kpi("sla_attainment")["value"].item() is None
    assert reader.waiting().height == 0
    assert reader.golives().height == 0
    assert reader.stages().height == 0


def rollout_events() -> list[object]:
    live = local("06-01 08:00")
    plan = {"channel": None, "source": "management"}
    goal = {"goal": "sla-chat", "kpi": "sla_attainment", "target": 0.9, "channel_is": "chat"}
    planned = {"unit": "chat", "planned_on": date(2026, 5, 25)}
    decisions = [
        event("RolloutPlanned", "p", live - timedelta(days=90), "rollout:chat", **plan, **planned),
        event("WentLive", "l", live, "rollout:chat", **plan, unit="chat", live_on=date(2026, 6, 1)),
        event("GoalSet", "g", live, "goal:sla", **plan, **goal),
        event("GoalChanged", "g2", live + timedelta(days=9), "goal:sla", **plan, goal="sla-chat", target=0.95),
    ]  # fmt: skip
    contacts: list[object] = []
    for week in range(-8, 10):
        for n in range(4):
            moment = local("06-01 10:00") + timedelta(weeks=week, hours=n)
            id = f"w{week}n{n}"
            contacts += came(id, _form(moment), "chat")
            late = n == 0 if week >= 0 else n < 3
            answer = moment + timedelta(hours=30 if late else 1)
            contacts.append(
                event("ContactAnswered", f"{id}a", answer, f"contact:{id}", channel="chat", **AGENT)
            )
    return [*decisions, *contacts]


def _form(moment: datetime) -> str:
    from tests.given import WARSAW

    return moment.astimezone(WARSAW).strftime("%m-%d %H:%M:%S")


def test_before_and_after_a_go_live_are_compared_with_n_and_interval(tmp_path):
    reader = given(tmp_path, rollout_events()).reader(local("12-01 12:00"))
    assert table(reader.golives(), "unit", "planned_on", "live_on") == [
        ("chat", date(2026, 5, 25), date(2026, 6, 1))
    ]
    assert table(reader.goals(), "goal", "kpi", "channel", "target") == [
        ("sla-chat", "sla_attainment", "chat", 0.95)
    ]
    row = reader.before_after("sla_attainment", unit="chat", live_on=date(2026, 6, 1)).row(0, named=True)
    assert (row["before_n"], row["before_value"]) == (32, 0.25)
    assert (row["after_n"], row["after_value"]) == (32, 0.75)
    assert row["difference"] == 0.5
    assert 0.2 < row["low"] < 0.5 < row["high"] < 0.8
    again = reader.before_after("sla_attainment", unit="chat", live_on=date(2026, 6, 1)).row(0, named=True)
    assert again == row
    nothing = reader.before_after("sla_attainment", unit="email", live_on=date(2026, 6, 1)).row(0, named=True)
    assert (nothing["before_n"], nothing["difference"], nothing["low"]) == (0, None, None)


def test_a_dimension_named_twice_is_refused_in_one_sentence(golden):
    with pytest.raises(ReaderError, match=r"'team' says again what another dimension says"):
        golden.reader().kpi("contacts", by=["group", "team"])


def test_a_day_that_begins_without_a_midnight_is_a_day_like_others(tmp_path):
    """In São Paulo the clocks went from 23:59 to 01:00 on 4 November 2018."""
    at = datetime(2018, 11, 4, 12, tzinfo=UTC)
    chat = event("ContactReceived", "1", at, "contact:1", channel="chat", **CUSTOMER)
    home = given(tmp_path, [chat], policy=POLICY.replace("Europe/Warsaw", "America/Sao_Paulo"))
    day = date(2018, 11, 4)
    assert table(home.reader().series("contacts", every="1d"), "period", "events") == [(day, 1)]
    ends = date(2018, 11, 5)
    assert home.reader().kpi("contacts", start=day, end=ends)["events"].item() == 1
    assert home.reader().stages(day, ends)["month"].unique().to_list() == [date(2018, 11, 1)]


def test_who_waits_where_no_channel_is_told_is_judged_by_the_pace_there(tmp_path):
    clocks = promised.queue_risk(
        pl.DataFrame(
            {
                "clock": ["done", "first", "second"],
                "kind": ["frt_human"] * 3,
                "channel": [None] * 3,
                "calendar": ["office"] * 3,
                "outcome": [None] * 3,
                "started_at": [local("03-02 09:00"), local("03-02 09:10"), local("03-02 09:20")],
                "stopped_at": [local("03-02 09:30"), None, None],
                "due_at": [local("03-02 15:00")] * 3,
                "target_us": [6 * 3600 * 1_000_000] * 3,
                "spent_us": [1] * 3,
                "as_of": [local("03-02 10:00")] * 3,
            },
            schema_overrides={"channel": pl.String, "outcome": pl.String},
        ),
        given(tmp_path).reader().worktime,
        local("03-02 10:00"),
    )
    # one ahead, one answered in two hours: two hours of the six that remain
    assert table(clocks, "clock", "queue_risk") == [("done", None), ("first", False), ("second", False)]


@pytest.mark.parametrize(("moment", "due"), [("15:59:59", (0, 0, 0, None)), ("16:00", (1, 0, 1, 0.0))])
def test_a_promise_is_judged_from_the_instant_at_which_it_is_due(tmp_path, moment, due):
    home = given(tmp_path, [*came("1", "03-02 10:00"), *came("2", "03-02 10:01")])
    found = at(home, f"03-02 {moment}").kpi("sla_attainment")
    assert table(found, "of", "good", "bad", "value") == [due]
