"""The dashboards as one ASGI app: Streamlit under our options, headers and error sentence."""

import hashlib
import logging
import tomllib
import traceback
from pathlib import Path
from typing import Any

import streamlit as st
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.runtime.pages_manager import PagesManager
from streamlit.web import bootstrap

from dashboards import address, context
from dashboards.context import Context
from dashboards.texts import messages
from projections.engine import ViewsRefused

log = logging.getLogger("omniline.dashboards")
HERE = Path(__file__).resolve().parent
CLOSED = ("/_stcore/metrics", "/_stcore/script-health-check")
HEADERS = {
    "Content-Security-Policy": "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; "
    "connect-src 'self' ws: wss:; worker-src 'self' blob:; frame-ancestors 'none'; base-uri 'self'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class Guard:
    """Closes Streamlit's own statistics and adds the security headers to every response."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        if scope["path"].rstrip("/") in CLOSED:
            await PlainTextResponse("Not found", status_code=404)(scope, receive, sent)
        else:
            await self.app(scope, receive, sent)


def options() -> dict[str, Any]:
    """Our settings by dotted name: from the checkout's .streamlit, or the copy inside the wheel."""
    places = (HERE.parent / ".streamlit" / "config.toml", HERE / ".streamlit" / "config.toml")
    file = next(place for place in places if place.is_file())
    return _dotted(tomllib.loads(file.read_text(encoding="utf-8")))


def _dotted(tree: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in tree.items():
        key = f"{prefix}{name}"
        found.update(_dotted(value, f"{key}.") if isinstance(value, dict) else {key: value})
    return found


def troubled(error: Exception) -> bool:
    """One sentence for the reader, with a reference number unless it is ours; everything else for the log."""
    if isinstance(error, ViewsRefused):
        st.error(str(error), icon=":material/error:")
        return True
    told = "".join(traceback.format_exception(error))
    reference = hashlib.sha256(told.encode()).hexdigest()[:8]
    log.error("Page failed, reference %s", reference, exc_info=error)
    told_to_reader = str(messages(address.language())["error"])
    st.error(told_to_reader.format(reference=reference), icon=":material/error:")
    return True


def app(given: Context, **more: Any) -> st.App:
    """The app for one context; `more` takes extra routes and a lifespan. One per process."""
    context.use(given)
    bootstrap.load_config_options(options())
    PagesManager.uses_pages_directory = False  # else a first visit to /customer runs the page without app.py
    return st.App(HERE / "app.py", middleware=[Middleware(Guard)], on_script_error=troubled, **more)
