"""A server that is killed while somebody works."""

from pathlib import Path

from playwright.sync_api import Browser, expect

# The tests are no package whose name could be written out.
from ..collector.processes import Serving  # noqa: TID252
from .conftest import ADMIN_KEY, BETTER, HELPFUL, make_work, sql_client, watch


def test_server_is_killed(chromium: Browser, tmp_path: Path) -> None:
    """Drafts before a SIGKILL and while there is no server are handed in by the same page once it is back."""
    running = Serving(tmp_path / "data", HANSEI_ADMIN_KEY=ADMIN_KEY)
    context, problems = chromium.new_context(base_url=running.ui), []
    try:
        with sql_client(running) as client:
            made = make_work(running, client, {"helpful": HELPFUL, "better": BETTER}, traces=2)
        page = context.new_page()
        watch(page, problems)
        page.goto(made.links["ana@example.com"])
        page.keyboard.press("Enter")
        expect(page.locator(".question.active")).to_be_visible()
        page.keyboard.press("1")
        expect(page.locator("#state")).to_have_text("Saved")
        running.kill()
        page.keyboard.type("Written without a server.")
        expect(page.locator("#state")).to_have_text("Offline: kept on this device")
        item = page.evaluate("document.body.dataset.item")
        page.keyboard.press("Control+Enter")
        expect(page.locator("#state")).to_contain_text("waiting to be sent")
        port = running.ui.rpartition(":")[2]
        running.close()
        running = Serving(tmp_path / "data", f"--ui=127.0.0.1:{port}", HANSEI_ADMIN_KEY=ADMIN_KEY)
        page.wait_for_function("item => document.body.dataset.item !== item", arg=item)
        with sql_client(running) as client:
            assert [value for *_, value in made.wait_for_labels(client, 2)] == ["Written without a server.", True]
        assert problems == []
    finally:
        context.close()
        running.close()
