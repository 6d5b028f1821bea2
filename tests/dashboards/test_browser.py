"""The pages in a real browser: drawn without errors, nothing asked from outside, drill-through, phone width."""

import os
import re
import shutil
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import Popen
from sys import executable

import pytest

from domain.home import home_at
from tests.dashboards.conftest import opened

pytestmark = pytest.mark.browser
playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")

ROOT = Path(__file__).parents[2]
FLAGS = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--force-color-profile=srgb",
]
PATHS = {"/": 3, "/customer": 0, "/rollout": 3, "/glossary": 0}
"""Every page, and how many pictures it draws at least."""
PROBE = re.compile(r"/[a-z]+/_stcore/(health|host-config)$")
"""Streamlit asks below a page's own path first: these two answers are 404 and harmless."""
QUIET = "() => !document.querySelector('[data-stale=true], [data-testid=stSkeleton], [data-testid=stStatusWidget]')"


@dataclass
class Tab:
    """One browser tab and what it complained of."""

    page: "playwright.Page"
    base: str
    errors: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)

    def open(self, path: str) -> None:
        self.page.goto(self.base + path)
        self.settle()

    def settle(self) -> None:
        self.page.wait_for_selector("h1", timeout=60_000)
        self.page.wait_for_function(QUIET, timeout=60_000)
        self.page.wait_for_timeout(700)

    def select_first_breach(self) -> None:
        """Tick the first row of the drawn table; the canvas may come later than the page."""
        table = self.page.locator(".st-key-card_breaches [data-testid=stDataFrame]")
        table.scroll_into_view_if_needed()
        for _ in range(4):
            table.click(position={"x": 18, "y": 48})
            with suppress(playwright.TimeoutError):
                self.page.wait_for_url("**/customer?customer=*", timeout=15_000)
                return
        pytest.fail("Selecting a row did not open the customer.")

    def overflow(self) -> int:
        return int(
            self.page.evaluate(
                "(m => m.scrollWidth - m.clientWidth)(document.querySelector('section.stMain, [data-testid=stMain]'))"
            )
        )

    def title(self) -> str:
        return self.page.locator("h1").first.inner_text().split("\n")[0]


def chromium() -> str:
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        reason = "Chromium is not installed (apt-get install chromium)"
        if os.environ.get("OMNILINE_NO_SKIP") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    return found


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of `omniline serve` over a small demo home."""
    chromium()
    folder = tmp_path_factory.mktemp("served")
    with opened(folder, customers=500) as shop:
        home_at(folder, {}, lambda: shop.until).mark_demo(shop.until)
    port = free_port()
    command = [executable, str(ROOT / "omniline.py"), "--home", str(folder), "serve", "--port", str(port)]
    with (
        (folder / "serve.log").open("wb") as told,
        Popen(command, stdout=told, stderr=told, cwd=folder) as server,
    ):
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and server.poll() is None:
            with socket.socket() as knock:
                if knock.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
        server.terminate()


@pytest.fixture(scope="module")
def browser() -> Iterator["playwright.Browser"]:
    root = ["--no-sandbox"] if os.geteuid() == 0 else []
    with playwright.sync_playwright() as started:
        yield (running := started.chromium.launch(executable_path=chromium(), args=[*FLAGS, *root]))
        running.close()


@contextmanager
def tab(
    browser: "playwright.Browser", base: str, *, width: int = 1440, dark: bool = False, locale: str = "en-GB"
) -> Iterator[Tab]:
    context = browser.new_context(
        viewport={"width": width, "height": 900},
        color_scheme="dark" if dark else "light",
        locale=locale,
        timezone_id="Europe/Warsaw",
    )
    drawn = Tab(page=context.new_page(), base=base)
    drawn.page.on("pageerror", lambda error: drawn.errors.append(str(error)))
    drawn.page.on(
        "console",
        lambda said: (
            drawn.errors.append(f"{said.text} {said.location}")
            if said.type == "error" and not PROBE.search(said.location.get("url", ""))
            else None
        ),
    )
    drawn.page.on(
        "request",
        lambda asked: (
            drawn.outside.append(asked.url)
            if not asked.url.startswith((base, base.replace("http", "ws"), "data:", "blob:"))
            else None
        ),
    )
    yield drawn
    context.close()


def test_the_very_first_visit_may_go_straight_to_a_customer(
    browser: "playwright.Browser", served: str
) -> None:
    with tab(browser, served) as page:
        page.open("/customer")
        links = page.page.locator("[data-testid=stSidebarNavLink]").all_inner_texts()
        assert [link.split("\n")[-1] for link in links] == [
            "Service overview",
            "Customer timeline",
            "Roll-out",
            "Glossary",
        ]


@pytest.mark.parametrize("dark", [False, True], ids=["light-english", "dark-polish"])
def test_pages_draw_without_errors_and_ask_nothing_from_outside(
    browser: "playwright.Browser", served: str, dark: bool
) -> None:
    with tab(browser, served, dark=dark, locale="pl-PL" if dark else "en-GB") as page:
        for path, pictures in PATHS.items():
            page.open(path)
            assert (
                page.page.locator("[data-testid=stAlertContentError], [data-testid=stException]").count() == 0
            )
            assert page.page.locator(".js-plotly-plot").count() >= pictures
            assert (path, page.errors, page.outside) == (path, [], [])


def test_a_row_opens_the_timeline_and_back_returns_to_the_same_filters(
    browser: "playwright.Browser", served: str
) -> None:
    with tab(browser, served) as page:
        page.open("/?period=12m&compare=none")
        page.select_first_breach()
        page.settle()
        assert page.title().startswith("Customer timeline")
        assert page.page.locator("[data-testid=stMetric]").count() == 5
        page.page.go_back()
        page.page.wait_for_function("document.querySelector('h1')?.innerText.startsWith('Service overview')")
        page.settle()
        assert page.page.url == served + "/?period=12m&compare=none"
        assert page.page.locator("[data-testid=stMetric]").count() == 5
        assert page.errors == []


def test_the_keyboard_opens_a_timeline_too(browser: "playwright.Browser", served: str) -> None:
    with tab(browser, served) as page:
        page.open("/?period=12m")
        page.page.get_by_role("button", name="Open a timeline").focus()
        page.page.keyboard.press("Enter")
        page.page.get_by_role("menuitem").first.press("Enter")
        page.page.wait_for_url("**/customer?customer=*", timeout=60_000)


def test_a_choice_is_in_the_url_and_a_reload_keeps_it(browser: "playwright.Browser", served: str) -> None:
    with tab(browser, served) as page:
        page.open("/")
        page.page.get_by_role("radio", name="90 d").click()
        page.page.wait_for_url("**/?period=90d")
        page.page.reload()
        page.settle()
        assert page.page.url.endswith("/?period=90d")
        assert page.page.get_by_role("radio", name="90 d").is_checked()


def test_a_phone_never_scrolls_sideways(browser: "playwright.Browser", served: str) -> None:
    with tab(browser, served, width=390) as page:
        for path in PATHS:
            page.open(path)
            assert (path, page.overflow()) == (path, 0)
