"""The command line and composition root: it joins the packages, reads the clock and the environment."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from inspect import Parameter, signature
from pathlib import Path
from typing import Annotated, Any

import typer

from dashboards import printed, reports
from dashboards.listening import listen
from dashboards.terminal import counting, failed, home_first, say, show, told_to_stop, words
from domain.home import Home, home_at, locked
from projections import answers, audit, health, operations
from projections.asking import asked, engine_of
from projections.keeping import keeper_of

INBOX_SECONDS = 2.0
DAYS = ["%Y-%m-%d"]

app, quarantine, policy, log, keys = (
    typer.Typer(no_args_is_help=True, add_completion=False) for _ in range(5)
)
app.add_typer(quarantine, name="quarantine", help="What was refused, and why.")
app.add_typer(policy, name="policy", help="Promises, calendars, channels and trust.")
app.add_typer(log, name="log", help="The log itself.")
app.add_typer(keys, name="keys", help="The keys of personal data.")

Strict = Annotated[bool, typer.Option("--strict", help="Exit 1 unless all is well.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]
At = Annotated[str | None, typer.Option("--as-of", metavar="TIME", help="As known and judged at an instant.")]
Position = Annotated[int | None, typer.Option(min=0, help="Only the log up to this position.")]
WhatIf = Annotated[Path | None, typer.Option("--policy", help="As if this policy had held all along.")]
NoProject = Annotated[bool, typer.Option("--no-project", help="Answer from the views as they are.")]
Words = Annotated[list[str] | None, typer.Option(help="Comma-separated or repeated.")]
View = Annotated[str | None, typer.Argument(help="One view, or all.")]
Accept = Annotated[bool, typer.Option("--accept", help="Take rows that differ.")]
Port = Annotated[int, typer.Option(min=0, max=65535)]


def clock() -> datetime:
    """The one place that asks what time it is."""
    return datetime.now(UTC)


def answering(
    group: typer.Typer, name: str, answer: Callable[..., Any], human: Callable[[Any], None]
) -> None:
    """A command that is a function of the home: its words are the parameters, its help the docstring."""

    def run(context: typer.Context, *, as_json: Json, **words: Any) -> None:
        document = answer(context.obj, **words)
        show(document, as_json, human)
        reports.passed(document)

    own, (first, last, _) = signature(answer), signature(run).parameters.values()
    words = [*list(own.parameters.values())[1:], last.replace(default=False)]
    by_name = [word.replace(kind=Parameter.KEYWORD_ONLY) for word in words]
    run.__dict__["__signature__"] = own.replace(parameters=[first, *by_name], return_annotation=None)
    group.command(name, help=answer.__doc__)(run)


answering(quarantine, "list", answers.refusals, printed.refusals)
answering(quarantine, "show", answers.refusal, printed.fields)
answering(policy, "show", answers.policy, printed.content)
answering(policy, "adopt", operations.adopt, printed.fields)
answering(log, "init", operations.init, reports.ready)
answering(log, "backup", operations.backup, reports.backed_up)
answering(log, "restore-check", operations.restore_check, reports.restorable)
answering(log, "restore", operations.restore, reports.restored)
answering(keys, "rewrap", operations.rewrap, reports.rewrapped)


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
    from ingestion.taking import take_in

    with counting(source) as told:
        done = take_in(context.obj, paths, source=source, mapping=mapping, dry_run=dry_run, progress=told)
    balance = done.as_dict()
    show(balance, as_json, printed.balance)
    if refused := printed.warning(balance, dry_run=dry_run):
        say(refused)
        raise typer.Exit(1 if strict else 0)


@app.command()
def project(context: typer.Context, follow: Annotated[bool, typer.Option("--follow")] = False) -> None:
    """Bring the views up to the log's head; --follow goes on until stopped."""
    with keeper_of(context.obj, say) as keeper:
        printed.progress(keeper.refresh())
        if follow:
            keeper.follow(told_to_stop())


@app.command()
def rebuild(context: typer.Context, view: View = None, accept: Accept = False) -> None:
    """Build the views anew beside the old, compare row by row, then switch; exit 1 where the old ones stay."""
    with engine_of(context.obj) as engine:
        printed.rebuilt(engine.rebuild(view, now=context.obj.now(), accept=accept))


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
def status(context: typer.Context, strict: Strict = False, as_json: Json = False) -> None:
    """Counts, views and their lag, signatures, quarantine, and what is wrong."""
    with engine_of(context.obj, torn=True) as engine:
        document = health.status(context.obj, engine)
    show(document, as_json, reports.health)
    if strict:
        reports.passed(document)


@app.command()
def verify(
    context: typer.Context,
    *,
    since: Annotated[int | None, typer.Option(metavar="SIZE", help="Only after this checkpoint.")] = None,
    event: Annotated[str | None, typer.Option(metavar="ID", help="One event, by id or position.")] = None,
    bundle: Annotated[Path | None, typer.Option(help="An evidence bundle; no log is needed.")] = None,
    key: Annotated[Path | None, typer.Option(help="The public key to believe, if not the home's.")] = None,
    checkpoints: Annotated[Path | None, typer.Option(help="Your own copy of the checkpoints.")] = None,
    begin: Annotated[Path | None, typer.Option("--begin-copy", help="Begin another copy, if proven.")] = None,
    as_json: Json = False,
) -> None:
    """Prove that the log is unaltered; exit 1 if it is not."""
    asked = audit.Asked(
        since=since, event=event, bundle=bundle, key=key, checkpoints=checkpoints, begin=begin
    )
    document = audit.verified(context.obj, asked)
    show(document, as_json, reports.proven)
    reports.passed(document)


@app.command()
def evidence(
    context: typer.Context,
    *,
    to: Annotated[Path, typer.Argument(metavar="FILE", help="The bundle to write.")],
    received_by: Annotated[str, typer.Option("--for", help="Who receives it.")],
    exported_by: Annotated[str, typer.Option("--by", envvar=["LOGNAME", "USER"], help="Who hands it out.")],
    event: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="By id or position; repeatable.")
    ] = None,
    positions: Annotated[str | None, typer.Option(metavar="FIRST-LAST", help="A range.")] = None,
    as_json: Json = False,
) -> None:
    """Events to take away, with proofs that Python and the public key alone can check."""
    names = {"exported_by": exported_by, "received_by": received_by}
    done = audit.bundled(context.obj, to, events=event or [], positions=positions, **names)
    show(done, as_json, reports.bundled)


@app.command()
def serve(context: typer.Context, host: str = "127.0.0.1", port: Port = 8501) -> None:
    """The dashboards over this home, on this machine alone."""
    open_dashboards(context.obj, host=host, port=port, tries=1)


def open_dashboards(home: Home, *, host: str, port: int, tries: int) -> None:
    """Serve until stopped; the views catch up meanwhile."""
    import uvicorn

    listener = listen(host, port, tries=tries)
    os.environ.setdefault("STREAMLIT_LOGGER_LEVEL", "error")
    from dashboards import context, web

    with keeper_of(home, say, check=True) as keeper, keeper.following():
        pages = web.app(context.over(home, keeper.engine))
        options = uvicorn.Config(pages, log_config=None, log_level="warning", access_log=False)
        say(f"Omniline shows {home.path} on http://{host}:{listener.getsockname()[1]} (Ctrl-C stops it).")
        uvicorn.Server(options).run(sockets=[listener])


@contextmanager
def scheduled(jobs: dict[Callable[[], object], float]) -> Iterator[None]:
    """Jobs that run every so many seconds until it is left; one that is late runs once."""
    from apscheduler.schedulers.background import BackgroundScheduler

    scheduler = BackgroundScheduler(timezone=UTC, job_defaults={"coalesce": True, "misfire_grace_time": None})
    for job, every in jobs.items():
        scheduler.add_job(job, "interval", seconds=every, next_run_time=clock())
    scheduler.start()
    with ExitStack() as running:
        running.callback(scheduler.shutdown, wait=True)
        yield


@app.command()
def worker(context: typer.Context, every: Annotated[float, typer.Option(min=0.1)] = INBOX_SECONDS) -> None:
    """Follow the log, refresh the views, pick up files from HOME/inbox; until stopped."""
    from ingestion.watch import pick_up

    home, stop = context.obj, told_to_stop()
    with home.sole("worker"), keeper_of(home, say, create=True, check=True) as keeper:
        home.inbox.mkdir(exist_ok=True)
        take_in = keeper.job("inbox", pick_up, keeper.engine.log, home.inbox, now=clock, tell=say)
        with keeper.following(), scheduled({take_in: every, keeper.verify: 3600}):
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
