"""The ASGI app: our options wherever it is started, security headers, closed statistics."""

import ast
from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest
import streamlit as st
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.types import Message, Scope

from dashboards import web

PACKAGE = Path(web.__file__).parent


def answer(path: str) -> tuple[int, dict[str, str]]:
    """Status and headers of one GET through the guard."""
    inner = Starlette(
        routes=[Route("/{rest:path}", lambda _: PlainTextResponse("page"))],
        middleware=[Middleware(web.Guard)],
    )
    sent: list[Message] = []

    async def run() -> None:
        async def receive() -> Message:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Message) -> None:
            sent.append(message)

        scope: Scope = {"type": "http", "method": "GET", "path": path, "headers": [], "query_string": b""}
        await inner(scope, receive, send)

    anyio.run(run)
    start = sent[0]
    return start["status"], {name.decode(): value.decode() for name, value in start["headers"]}


@pytest.mark.parametrize("path", ["/", "/customer", "/static/x.js"])
def test_every_response_carries_the_security_headers(path: str) -> None:
    status, headers = answer(path)
    assert status == 200
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert "img-src 'self'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]


@pytest.mark.parametrize("path", ["/_stcore/metrics", "/_stcore/metrics/", "/_stcore/script-health-check"])
def test_streamlit_s_own_statistics_are_closed(path: str) -> None:
    assert answer(path)[0] == 404


def test_our_options_hold_whatever_the_working_directory_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    told = web.options()
    assert told["browser.gatherUsageStats"] is False
    assert told["client.showErrorDetails"] == "none"
    assert told["server.address"] == "127.0.0.1"
    assert told["server.enableAgentApi"] is False
    assert told["theme.dark.primaryColor"] == "#5AA9E6"
    known = set(st.config.get_config_options()) if hasattr(st, "config") else set()
    assert not known or set(told) <= known


def sources() -> Iterator[tuple[Path, ast.AST]]:
    for file in sorted(PACKAGE.rglob("*.py")):
        yield file, ast.parse(file.read_text(encoding="utf-8"))


def test_no_page_writes_html_or_free_markdown() -> None:
    """Customer text leaks through Markdown and HTML: the one style rule in app.py is the only st.html."""
    found = [
        (file.name, node.attr)
        for file, tree in sources()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "st"
        and node.attr in ("html", "markdown", "write", "latex", "components", "iframe")
    ]
    assert found == [("app.py", "html")]


def test_no_call_allows_unsafe_html_and_no_figure_is_built_by_plotly() -> None:
    names = {
        word.arg if isinstance(word, ast.keyword) else word.name
        for _, tree in sources()
        for word in ast.walk(tree)
        if isinstance(word, ast.keyword | ast.alias)
    }
    assert "unsafe_allow_html" not in names
    assert not {name for name in names if name and name.startswith("plotly")}


def test_every_cache_is_bounded() -> None:
    unbounded = [
        file.name
        for file, tree in sources()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("cache_data", "cache_resource")
        and "max_entries" not in {word.arg for word in node.keywords}
    ]
    assert unbounded == []


def test_pages_are_short() -> None:
    lengths = {
        file.name: len(file.read_text(encoding="utf-8").splitlines()) for file in PACKAGE.glob("pages/*.py")
    }
    assert max(lengths.values()) <= 80
