"""One adoption: a policy, word for word, put in force from an instant on, as an event like any other."""

from datetime import UTC, date, datetime, time
from pathlib import Path
from zoneinfo import ZoneInfo

from domain.events.decisions import PolicyAdopted
from domain.log import Log, Pending, Receipt
from domain.policy import Policy, PolicyError, parse_policy

SOURCE = "omniline"


def policy_in(file: Path) -> Policy:
    """The policy that a file holds."""
    try:
        text = file.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise PolicyError(f"{file} is not UTF-8 text: save it as UTF-8.") from error
    return parse_policy(text, where=str(file))


def adopt(log: Log, policy: Policy, *, since: date | None, now: datetime) -> tuple[PolicyAdopted, Receipt]:
    """Append the decision, in force from the local midnight of `since` or from now; kept once."""
    starts = datetime.combine(since, time(), ZoneInfo(policy.zone)).astimezone(UTC) if since else now
    event = PolicyAdopted(
        source=SOURCE,
        id=f"policy/{policy.version}/{starts.isoformat()}/{policy.digest[:16]}",
        subject="policy:omniline",
        occurred_at=now,
        known_at=now,
        actor_kind="human_agent",
        version=policy.version,
        starts_at=starts,
        digest=policy.digest,
        content=policy.content,
    )
    run = log.begin_run(source=SOURCE, adapter="policy", now=now)
    return event, log.append_batch([Pending(event=event, once=True)], run=run, now=now)[0]
