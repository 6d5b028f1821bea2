"""What the management decided: the policy of the demo, the roll-out plan, the go-lives and the goals."""

from datetime import date

from domain.events.decisions import PolicyAdopted
from domain.events.rollout import GoalChanged, GoalSet, RolloutPlanned, WentLive
from domain.policy import parse_policy
from ingestion.demo.draft import Draft, World
from ingestion.demo.instants import DAY, HOUR, LIVE_AT, LIVE_ON, MINUTE, PLANNED_ON, START, instant, stamp

BASELINE = (date(2025, 10, 20), date(2025, 11, 30))
GOALS: tuple[tuple[str, str, str | None, float, bool], ...] = (
    ("attainment-email", "sla_attainment", "email", 0.9, True),
    ("attainment-chat", "sla_attainment", "chat", 0.9, True),
    ("attainment-messenger", "sla_attainment", "messenger", 0.9, True),
    ("attainment-phone", "sla_attainment", "phone", 0.9, True),
    ("attainment-web-form", "sla_attainment", "web_form", 0.9, False),
    ("callback", "callback_kept", "phone", 0.9, False),
    ("explained-again", "repeat_explanation", None, 0.1, True),
    ("context", "context_available", None, 0.95, True),
    ("follow-ups", "follow_up_kept", None, 0.9, False),
)
"""Goal, KPI, channel, target share, primary."""


def decide(world: World, policy: str) -> None:
    """The decisions, each at its time."""
    draft = Draft(world=world, customer=None)
    adopt(draft, policy)
    for channel, day in PLANNED_ON.items():
        draft.emit(
            RolloutPlanned, "management", START + 2 * MINUTE, f"rollout:{channel}",
            actor_kind="human_agent", actor="anna.kowal", unit=channel, planned_on=day,
        )  # fmt: skip
    for channel, day in LIVE_ON.items():
        draft.emit(
            WentLive, "management", LIVE_AT[channel] + (8 * HOUR if channel != "email" else 3 * MINUTE),
            f"rollout:{channel}", actor_kind="human_agent", actor="anna.kowal", unit=channel, live_on=day,
        )  # fmt: skip
    for goal, kpi, where, target, primary in GOALS:
        draft.emit(
            GoalSet, "management", instant(2025, 12, 1, 9), f"goal:{goal}", actor_kind="human_agent",
            actor="anna.kowal", goal=goal, kpi=kpi, target=target, channel_is=where, baseline_from=BASELINE[0],
            baseline_to=BASELINE[1], due_on=date(2026, 12, 31), owner="anna.kowal", primary=primary,
            smallest_change=0.01,
        )  # fmt: skip
    draft.emit(
        GoalChanged, "management", instant(2026, 6, 15, 10), "goal:explained-again", actor_kind="human_agent",
        actor="anna.kowal", goal="explained-again", target=0.12, due_on=date(2026, 12, 31), owner="anna.kowal",
    )  # fmt: skip
    world.records.extend(draft.records)


def adopt(draft: Draft, policy: str) -> None:
    """The policy holds from before the history."""
    read = parse_policy(policy, where="ingestion/demo/policy.toml")
    draft.emit(
        PolicyAdopted, "management", START + MINUTE, "policy:omniline", actor_kind="human_agent", actor="anna.kowal",
        version=read.version, starts_at=stamp(START - 30 * DAY), digest=read.digest, content=policy,
    )  # fmt: skip
