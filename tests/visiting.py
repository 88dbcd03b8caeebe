"""Visitors of pages, in a browser."""

from collections.abc import Callable, Mapping
from typing import Final

from axe_playwright_python.base import AxeResults
from axe_playwright_python.sync_playwright import Axe as Engine
from playwright.sync_api import Browser, BrowserContext, Dialog, Page

from .collector.waiting import PATIENCE

LAPTOP: Final = {"width": 1440, "height": 900}
PHONE: Final = {"width": 390, "height": 844}
STEP: Final = PATIENCE / 4 * 1000
"""Milliseconds for one step in the browser; never part of a claim."""
_WATCH: Final = """
    document.addEventListener("securitypolicyviolation", (event) =>
        console.error(`Content Security Policy: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`));
"""

Visit = Callable[..., Page]


class Visitor:
    """Somebody with a browser, who notices what a page does that none may."""

    def __init__(self, browser: Browser, base: str) -> None:
        self._browser = browser
        self._base = base
        self._contexts: list[BrowserContext] = []
        self.problems: list[str] = []

    def visit(
        self,
        path: str,
        *,
        theme: str = "light",
        phone: bool = False,
        script: bool = True,
        language: str = "en-GB",
        base: str | None = None,
    ) -> Page:
        """A page, in a context of its own."""
        context = self._browser.new_context(
            base_url=base or self._base, viewport=PHONE if phone else LAPTOP, color_scheme=theme, has_touch=phone,
            java_script_enabled=script, timezone_id="UTC", locale=language, reduced_motion="reduce",
            permissions=["clipboard-read", "clipboard-write"],
        )  # fmt: skip
        self._contexts.append(context)
        context.set_default_timeout(STEP)
        context.add_init_script(_WATCH)
        page = context.new_page()
        watch(page, self.problems)
        page.goto(path)
        return page

    def close(self) -> None:
        """Close all pages."""
        for context in self._contexts:
            context.close()


def watch(page: Page, problems: list[str]) -> None:
    """Collect what a page does that none may."""

    def answer(dialog: Dialog) -> None:
        # A page asks before it deletes; what only speaks is a script that came with telemetry.
        # The review app never asks.
        if dialog.type == "alert" or "/review/" in page.url:
            problems.append(f"{dialog.type}: {dialog.message}")
        dialog.accept()

    page.on("pageerror", lambda error: problems.append(f"{page.url}: {error}"))
    page.on("dialog", answer)
    page.on(
        "console",
        lambda said: problems.append(f"{page.url}: {said.text}") if "Content Security" in said.text else None,
    )


class Axe:
    """What shuts people out, as far as axe can tell."""

    def __init__(self) -> None:
        self._script = Engine().axe_script

    def check(self, page: Page, **options: object) -> None:
        """Nothing on the page does, in either theme; ``options`` are axe's own."""
        page.evaluate(self._script)
        dark = page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
        self._run(page, options)
        # The themes differ in their colours alone.
        page.emulate_media(color_scheme="light" if dark else "dark")
        self._run(page, {**options, "runOnly": ["color-contrast", "link-in-text-block"]})
        page.emulate_media(color_scheme="dark" if dark else "light")
        # Until all is drawn in the colours that it had before.
        page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def _run(self, page: Page, options: Mapping[str, object]) -> None:
        results = AxeResults(page.evaluate("options => axe.run(options)", {"resultTypes": ["violations"], **options}))
        assert results.violations_count == 0, results.generate_report()


def no_sideways_scroll(page: Page) -> bool:
    """Whether the page as a whole fits the width of the window."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"))
