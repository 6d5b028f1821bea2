"""The README is true: its sessions print what it shows, its commands, files and targets exist."""

import re
import shlex
from pathlib import Path

import pytest
import typer

import omniline
from tests.command import ROOT
from tests.readme import README, commands, masked, outputs, sessions
from tests.reference import PAGES, written

TEXT = README.read_text("utf-8")
COMMANDS = typer.main.get_command(omniline.app)


def known(command: str) -> bool:
    """Whether the words name a command, and every option of theirs belongs to it."""
    words = [word for word in shlex.split(command) if word != "…"]
    if words[:1] == ["--home"]:
        words = words[2:]
    place = COMMANDS
    while words and hasattr(place, "commands"):
        if words[0] in ("--help", "COMMAND"):
            return True
        if words[0] not in place.commands:
            return False
        place = place.commands[words.pop(0)]
    options = {name for option in place.params for name in (*option.opts, *option.secondary_opts)}
    return {word for word in words if word.startswith("--")} <= options | {"--help"}


@pytest.fixture(scope="module")
def printed(demo_home: Path) -> list[str]:
    """What the commands of all sessions print, typed in order."""
    return outputs(demo_home, TEXT)


@pytest.mark.parametrize(
    ("place", "command", "shown"),
    [(place, *session) for place, session in enumerate(sessions(TEXT))],
    ids=[command for command, _ in sessions(TEXT)],
)
def test_a_session_prints_what_the_readme_shows(
    printed: list[str], place: int, command: str, shown: str
) -> None:
    assert masked(printed[place]) == masked(shown), command


@pytest.mark.parametrize("command", [*commands(TEXT), *re.findall(r"`omniline ([^`]+)`", TEXT)])
def test_a_command_of_the_readme_exists(command: str) -> None:
    assert known(command), command


def test_every_command_is_in_the_readme_or_in_its_help() -> None:
    for name, command in COMMANDS.commands.items():
        assert command.help or hasattr(command, "commands"), name
        assert f"omniline {name}" in TEXT or f"omniline-demo {name}" in TEXT, name


def test_every_file_and_folder_named_in_the_readme_exists() -> None:
    named = re.findall(r"`((?:domain|ingestion|projections|dashboards|docs|tests)/[\w./]*)`", TEXT)
    named += re.findall(r"\]\((?!http)([^)]+)\)", TEXT)
    assert [name for name in named if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("name", PAGES)
def test_a_reference_page_is_as_the_code_writes_it(name: str) -> None:
    assert written(name) == PAGES[name](), "write it anew: python -m tests.reference"


def test_every_make_target_of_the_readme_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    assert set(re.findall(r"\bmake ([a-z]+)\b", TEXT)) - {"sure"} <= targets


def test_what_people_read_names_no_machine() -> None:
    lock = (ROOT / "requirements.lock").read_text("utf-8")
    assert "://" not in lock
    assert "--hash=sha256:" in lock
