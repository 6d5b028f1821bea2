"""One adoption: a policy, word for word, put in force from an instant on, as an event like any other."""

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec

from domain.events.decisions import CalendarAdopted, PolicyAdopted
from domain.log import Log, Pending, Receipt
from domain.policy import Policies, Policy, PolicyError, parse_policy, policies_from

SOURCE = "omniline"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ADOPTIONS: dict[str, type[PolicyAdopted | CalendarAdopted]] = {
    PolicyAdopted.TOPIC: PolicyAdopted,
    CalendarAdopted.TOPIC: CalendarAdopted,
}


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


def policies_of(log: Log) -> Policies:
    """Every policy that the log's adoptions put in force, the shipped one first."""
    rows = log.arrow(topics=list(ADOPTIONS)).select(
        ["topic", "event_id", "originator_id", "occurred_at", "state"]
    )
    return policies_from(_adoption(**row) for row in rows.to_pylist())


def _adoption(
    topic: str, event_id: str, originator_id: str, occurred_at: int, state: str
) -> PolicyAdopted | CalendarAdopted:
    source, id, revision = event_id.split("|")
    kind, _, subject = originator_id.split(":", 2)
    envelope = {
        "source": source,
        "id": id,
        "revision": int(revision),
        "subject": f"{kind}:{subject}",
        "occurred_at": EPOCH + timedelta(microseconds=occurred_at),
    }
    return msgspec.convert({**msgspec.json.decode(state), **envelope}, ADOPTIONS[topic])
