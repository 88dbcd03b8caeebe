"""What tests of several folders share: a browser, pages in it, and axe.

What lasts longer than a test and depends on a folder's own collector (``serving``) is made there: a fixture of this
file that lasts would go on using the collector of the first folder.
"""

import shutil
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from .collector.processes import Serving
from .visiting import STEP, Axe, Visit, Visitor


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A browser for a file's tests; while it is there the thread has a running event loop, which others do not want."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        pytest.skip("there is no chromium; on Debian and Ubuntu: apt-get install chromium")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-gpu"])
        expect.set_options(timeout=STEP)
        yield launched
        launched.close()


@pytest.fixture
def visit(chromium: Browser, serving: Serving) -> Iterator[Visit]:
    """``visit(path, theme="light", phone=False, script=True, language="en-GB", base=…)``: a page in a browser context
    of its own. When the test ends, nothing may have thrown, spoken or been stopped by the content security policy."""
    visitor = Visitor(chromium, serving.ui)
    yield visitor.visit
    visitor.close()
    assert visitor.problems == []


@pytest.fixture(scope="session")
def axe() -> Callable[..., None]:
    """``axe(page)``: nothing on the page shuts people out, in light and dark, as far as axe can tell."""
    return Axe().check
