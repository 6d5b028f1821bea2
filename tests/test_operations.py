"""What docs/operations.md says: its commands exist, its variables are read, its figures are those of the code."""

import re
from datetime import timedelta
from inspect import getsource, signature

import pytest

from domain import home
from domain.keys import database
from domain.log import address, checkpoints, follow, log, manifest, opening, postgres, sqlite
from projections import keeping, views
from tests.command import ROOT
from tests.test_docs import known

TEXT = (ROOT / "docs" / "operations.md").read_text("utf-8")
COMMANDS = {
    *re.findall(r"`omniline ([a-z][^`]*)`", TEXT),
    *re.findall(r"^omniline ([^\n#&]+)", TEXT, re.MULTILINE),
    *re.findall(r"&& omniline ([^\n#&]+)", TEXT),
}
SETTINGS = dict(setting.split(" = ") for setting in sqlite.SETTINGS)
PATIENCE = signature(opening.open_log).parameters["patience"].default


def cell(name: str) -> str:
    """What stands beside a name in the one row that begins with it."""
    (found,) = re.findall(rf"^\| {re.escape(name)} \| ([^|]+) \|", TEXT, re.MULTILINE)
    return str(found).strip()


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_a_command_of_the_page_exists(command: str) -> None:
    assert known(command), command


def test_a_variable_of_the_page_is_read() -> None:
    read = set(re.findall(r"OMNILINE_[A-Z_]+", getsource(home))) | {
        "OMNILINE_SIGNING_KEY",
        "OMNILINE_CHECKPOINTS",
    }
    assert set(re.findall(r"OMNILINE_[A-Z_]+\w", TEXT)) <= read
    assert 'f"OMNILINE_{name.upper()}"' in getsource(home)
    assert '"signing_key", ' in getsource(home)
    assert '"checkpoints", ' in getsource(home)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("`journal_mode`", f"`{SETTINGS['journal_mode']}`"),
        ("`synchronous`", f"`{SETTINGS['synchronous']}`"),
        ("`page_size`", f"`{SETTINGS['page_size']}`"),
        ("patience for the lock", f"{PATIENCE} s"),
        ("bulk reads", f"ADBC, {log.PAGE:,} positions at once"),
        ("key store", ", ".join(f"`{pragma}`" for pragma in database._PRAGMAS[:2])),
        ("`lock_timeout` of writers", f"{PATIENCE} s"),
        ("`idle_in_transaction_session_timeout`", f"{PATIENCE} s"),
        ("waiting for a server at connect", f"{address.CONNECT_TIMEOUT} s, or `connect_timeout` of the URL"),
        (
            "a connection lost while appending",
            "tried again after {:g}, {:g}, {:g} and {:g} s".format(*log.PAUSES),
        ),
        ("look besides, on PostgreSQL", f"{follow.POLL:g} s"),
        ("look on SQLite", f"{follow.LOOK:g} s"),
        ("a lost server is tried again", f"{follow.PAUSE:g} s"),
        ("signing", f"every {checkpoints.EVERY:,} events or {checkpoints.PATIENCE.seconds} s"),
    ],
)
def test_a_figure_of_the_page_is_the_code_s(name: str, said: str) -> None:
    assert cell(name) == said


def test_what_the_page_says_in_words_is_in_the_code() -> None:
    for quoted, where in [
        ("min_size=1", postgres),
        ("max_size=4", postgres),
        ("check=ConnectionPool.check_connection", postgres),
        ("autovacuum_analyze_threshold = 1000, autovacuum_analyze_scale_factor = 0.01", postgres),
        ('"BEGIN IMMEDIATE"', sqlite),
        ("synchronous = NORMAL", views),
        ('"application_name": "omniline follower"', follow),
    ]:
        assert quoted in getsource(where), quoted
    assert timedelta(days=1) == keeping.DAY
    for name in (manifest.EVENTS, manifest.KEYS, manifest.CHECKPOINTS, manifest.MANIFEST):
        assert f"`{name}`" in TEXT
