"""The command line and composition root: it joins the packages, reads the clock and the environment."""

import os
import sys
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from dashboards import printed
from dashboards.listening import listen
from dashboards.terminal import counting, failed, home_first, say, show, told_to_stop, words
from domain.adoption import adopt, policies_of, policy_in
from domain.home import Home, home_at, locked
from projections import answers
from projections.asking import asked, engine_of
from projections.keeping import keeper_of

INBOX_SECONDS = 2.0
DAYS = ["%Y-%m-%d"]

app, quarantine, policy, log = (typer.Typer(no_args_is_help=True, add_completion=False) for _ in range(4))
app.add_typer(quarantine, name="quarantine", help="What was refused, and why.")
app.add_typer(policy, name="policy", help="Promises, calendars, channels and trust.")
app.add_typer(log, name="log", help="The log itself.")

Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]
At = Annotated[str | None, typer.Option("--as-of", metavar="TIME", help="As known and judged at an instant.")]
Position = Annotated[int | None, typer.Option(min=0, help="Only the log up to this position.")]
WhatIf = Annotated[Path | None, typer.Option("--policy", help="As if this policy had held all along.")]
NoProject = Annotated[bool, typer.Option("--no-project", help="Answer from the views as they are.")]
Words = Annotated[list[str] | None, typer.Option(help="Comma-separated or repeated.")]
Port = Annotated[int, typer.Option(min=0, max=65535)]


def clock() -> datetime:
    """The one place that asks what time it is."""
    return datetime.now(UTC)


@app.callback()
def root(
    context: typer.Context,
    home: Annotated[Path | None, typer.Option(envvar="OMNILINE_HOME", help="The home folder.")] = None,
) -> None:
    """One line per customer, from every channel."""
    usual = "omniline-demo" if context.invoked_subcommand == "demo" else "omniline-data"
    context.obj = home_at(home or Path(usual), os.environ, clock)
    context.obj.keep_log()


@app.command()
def demo(
    context: typer.Context,
    port: Port = 8501,
    serve: Annotated[bool, typer.Option(help="Show the dashboards afterwards.")] = True,
) -> None:
    """A generated year of a retailer's roll-out in ./omniline-demo, and its dashboards."""
    from ingestion.demo.filling import fill

    home: Home = context.obj
    with locked(home.path / "demo.lock"), keeper_of(home, say, create=True) as keeper:
        if not home.demo:
            with counting("Writing the year") as progress:
                home.mark_demo(fill(keeper.engine.log, truth=home.path / "truth.json", progress=progress))
        keeper.refresh()
    if serve:
        open_dashboards(home, host="127.0.0.1", port=port, tries=20)


@app.command()
def ingest(
    context: typer.Context,
    *,
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="CSV, JSONL or Parquet, also .gz.")],
    source: Annotated[str, typer.Option(help="The name of the source.")],
    mapping: Annotated[str | None, typer.Option(help="A mapping file, or a shipped mapping's name.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Tell, but write nothing.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Exit 1 when a record was not accepted.")] = False,
    as_json: Json = False,
) -> None:
    """Append the records of files to the log, each exactly once."""
    from ingestion.intake import ingest as append
    from ingestion.mapping import load_mapping

    read = load_mapping(mapping) if mapping else None
    with context.obj.trial(dry_run) as home, home.log(create=True) as opened, counting(source) as told:
        held = policies_of(opened).at(clock())
        done = append(
            opened, paths, source=source, mapping=read, policy=held, now=clock, dry_run=dry_run, progress=told
        )
    show(done.as_dict(), as_json, printed.balance)
    if refused := printed.warning(done.as_dict(), dry_run=dry_run):
        say(refused)
        raise typer.Exit(1 if strict else 0)


@quarantine.command("list")
def listed(
    context: typer.Context, source: str | None = None, limit: int = 100, as_json: Json = False
) -> None:
    """The records that were refused, newest first."""
    with context.obj.log() as opened:
        entries = opened.quarantined(source=source, limit=limit)
    show([answers.refused(entry) for entry in entries], as_json, printed.refusals)


@quarantine.command("show")
def shown(context: typer.Context, entry: int, as_json: Json = False) -> None:
    """One refused record, whole, with its reason."""
    with context.obj.log() as opened:
        show(answers.refused(opened.quarantine_entry(entry)), as_json, printed.fields)


@policy.command("show")
def policy_show(context: typer.Context, as_json: Json = False) -> None:
    """The policy in force, word for word."""
    with context.obj.log() as opened:
        found = answers.policy_at(policies_of(opened), context.obj.now())
    show(found, as_json, lambda document: typer.echo(document["content"], nl=False))


@policy.command("adopt")
def policy_adopt(
    context: typer.Context,
    file: Path,
    since: Annotated[datetime | None, typer.Option(formats=DAYS, help="Local day; or else now.")] = None,
) -> None:
    """Put another policy in force: a decision, kept word for word in the log."""
    adopted = policy_in(file)
    with context.obj.log(create=True) as opened:
        event, receipt = adopt(opened, adopted, since=since.date() if since else None, now=clock())
    say(f"Policy {event.version} holds from {event.starts_at}: {receipt.outcome} at {receipt.position}.")


@log.command("init")
def log_init(context: typer.Context) -> None:
    """Create the log that the settings name, on PostgreSQL too."""
    with context.obj.log(create=True, server=True) as opened:
        typer.echo(f"The log is ready on {opened.dialect}, at position {opened.head():,}.")


@app.command()
def project(context: typer.Context, follow: Annotated[bool, typer.Option("--follow")] = False) -> None:
    """Bring the views up to the log's head; --follow goes on until stopped."""
    with keeper_of(context.obj, say) as keeper:
        printed.progress(keeper.refresh())
        if follow:
            keeper.follow(told_to_stop())


@app.command()
def rebuild(context: typer.Context, view: Annotated[str | None, typer.Argument()] = None) -> None:
    """Build the views anew, compare them with the old, then switch."""
    with engine_of(context.obj) as engine:
        printed.rebuilt(engine.rebuild(view, now=context.obj.now()))


@app.command()
def kpi(
    context: typer.Context,
    *,
    key: Annotated[str | None, typer.Argument(help="A KPI's key; without one, all are listed.")] = None,
    by: Words = None,
    channel: Words = None,
    since: Annotated[datetime | None, typer.Option("--from", formats=DAYS, help="First local day.")] = None,
    until: Annotated[datetime | None, typer.Option("--to", formats=DAYS, help="Day after the last.")] = None,
    at: At = None,
    position: Position = None,
    what_if: WhatIf = None,
    no_project: NoProject = False,
    as_json: Json = False,
) -> None:
    """The answer of one KPI, or the list of all."""
    if key is None:
        show(answers.catalogue(), as_json, printed.catalogue)
        return
    with asked(context.obj, at, position, what_if, no_project, tell=say) as reader:
        answer = answers.kpi(
            reader, key, by=words(by), since=since, until=until, channels=words(channel) or None
        )
        show(answer, as_json, printed.answer)


@app.command()
def timeline(
    context: typer.Context,
    *,
    identifier: Annotated[str, typer.Argument(help="An e-mail, phone, account, order, case or event.")],
    at: At = None,
    position: Position = None,
    what_if: WhatIf = None,
    no_project: NoProject = False,
    as_json: Json = False,
) -> None:
    """A customer's line, every entry with its event's position and digest."""
    with asked(context.obj, at, position, what_if, no_project, tell=say) as reader:
        show(answers.timeline(reader, identifier), as_json, lambda line: printed.timeline(line, reader.zone))


@app.command()
def status(context: typer.Context, as_json: Json = False) -> None:
    """Positions, lag, counts per source, quarantine, health."""
    with engine_of(context.obj) as engine:
        show(answers.status(engine.log, engine), as_json, printed.health)


@app.command()
def serve(context: typer.Context, host: str = "127.0.0.1", port: Port = 8501) -> None:
    """The dashboards over this home, on this machine alone."""
    open_dashboards(context.obj, host=host, port=port, tries=1)


def open_dashboards(home: Home, *, host: str, port: int, tries: int) -> None:
    """Serve until stopped; the views catch up meanwhile."""
    import uvicorn

    listener = listen(host, port, tries=tries)
    os.environ.setdefault("STREAMLIT_LOGGER_LEVEL", "error")
    from dashboards.context import Context
    from dashboards.web import app as application

    with keeper_of(home, say) as keeper:
        readers = partial(answers.at, keeper.engine, home.now)
        given = Context(readers=readers, home=str(home.path), demo=home.demo)
        options = uvicorn.Config(application(given), log_config=None, log_level="warning", access_log=False)
        with keeper.following():
            say(f"Omniline shows {home.path} on http://{host}:{listener.getsockname()[1]} (Ctrl-C stops it).")
            uvicorn.Server(options).run(sockets=[listener])


def scheduled(every: float, *jobs: Callable[[], object]) -> ExitStack:
    """Jobs that run every so many seconds until it is left; one that is late runs once."""
    from apscheduler.schedulers.background import BackgroundScheduler

    scheduler = BackgroundScheduler(timezone=UTC, job_defaults={"coalesce": True, "misfire_grace_time": None})
    for job in jobs:
        scheduler.add_job(job, "interval", seconds=every, next_run_time=clock())
    scheduler.start()
    running = ExitStack()
    running.callback(scheduler.shutdown, wait=True)
    return running


@app.command()
def worker(context: typer.Context, every: Annotated[float, typer.Option(min=0.1)] = INBOX_SECONDS) -> None:
    """Follow the log, refresh the views, pick up files from HOME/inbox; until stopped."""
    from ingestion.watch import pick_up

    home, stop = context.obj, told_to_stop()
    with home.sole("worker"), keeper_of(home, say, create=True) as keeper:
        home.inbox.mkdir(exist_ok=True)
        take_in = partial(pick_up, keeper.engine.log, home.inbox, now=clock, tell=say)
        with keeper.following(), scheduled(every, take_in):
            say(f"The worker follows {home.path} (Ctrl-C stops it).")
            stop.wait()


def main(arguments: list[str] | None = None) -> None:
    """The console command: one line on stderr and a code for every failure."""
    typed = home_first(sys.argv[1:] if arguments is None else arguments)
    try:
        sys.exit(typer.main.get_command(app).main(typed, "omniline", standalone_mode=False) or 0)
    except Exception as error:
        say(failed(error))
        sys.exit(getattr(error, "exit_code", 1))


if __name__ == "__main__":
    main()
