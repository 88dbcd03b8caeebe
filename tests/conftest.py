"""What tests of several folders share."""

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from .collector.waiting import PATIENCE


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A browser for a file's tests; while it is there the thread has a running event loop, which others do not want."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        pytest.skip("there is no chromium; on Debian and Ubuntu: apt-get install chromium")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-gpu"])
        # For one step in the browser; never part of a claim.
        expect.set_options(timeout=PATIENCE / 4 * 1000)
        yield launched
        launched.close()
