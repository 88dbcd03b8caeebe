"""Pictures of the pages with the demonstration's data, in light and dark: docs/screenshots/*.png.

    python docs/examples/screenshots.py [name …]

Needs a Chromium: the one on the PATH, or what CHROMIUM names. Where Pillow is installed the files are half the size.
"""

import contextlib
import io
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

import demo
import reviewers
import traffic
import visitors
from playwright.sync_api import Browser, sync_playwright
from questions import is_japanese
from traffic import Turn
from visitors import Said

import hansei

FOLDER = Path(__file__).parents[1] / "screenshots"
SCHEMES = ("light", "dark")
LAPTOP = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}
ON_A_PHONE = ("overview", "session", "review", "run")
"""The pages that are also shown on a phone."""


def main() -> None:
    """Make the pictures, all of them or those that are named."""
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if not chromium or not Path(chromium).exists():
        sys.exit("screenshots: there is no Chromium; apt-get install chromium, or set CHROMIUM to where it is")
    with (
        tempfile.TemporaryDirectory(prefix="hansei-screenshots-") as folder,
        demo.collector(Path(folder) / "data", dict.fromkeys(demo.LISTENERS, 0)) as addresses,
    ):
        paths = pages(addresses)
        named = sys.argv[1:] or list(paths)
        unknown = [name for name in named if name not in paths]
        if unknown:
            sys.exit(f"screenshots: there is no {', '.join(unknown)}; there are {', '.join(paths)}")
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            take(browser, f"http://{addresses['ui']}", {name: paths[name] for name in named})
            browser.close()


def pages(addresses: Mapping[str, str]) -> dict[str, str]:
    """Fill a collector, and choose what is worth a picture: the path of each page by its name."""
    turns = traffic.day(time.time_ns())
    if not has_japanese_font():
        print("screenshots: there is no Japanese font; the Japanese conversations are left out", file=sys.stderr)
        turns = [turn for turn in turns if not is_japanese(turn.question)]
    said = visitors.assessments(turns)
    traffic.send(turns, addresses["otlp-grpc"])
    visitors.send(said, addresses["otlp-http"])
    demo.wait_for([turn.trace for turn in turns], addresses["sql"])
    turn = talked_about(turns, said)
    labeling = demo.ask_experts(turns, said, addresses["ui"])
    reviewers.answer(labeling.reviewer_links["rie"], {turn.trace: turn for turn in turns}, 14, seed=1)
    before, after = demo.show_improvement(labeling)
    (dataset,) = hansei.search_datasets()
    return {
        "overview": "/overview",
        "traces": "/traces",
        "trace": f"/traces/{turn.trace}?span={turn.span_ids[2]:016x}",
        "sessions": "/sessions",
        "session": f"/sessions/{rated(turns, said)}",
        "labeling": "/labeling",
        "labeling-session": urlsplit(labeling.url).path,
        "evaluation": "/evaluation",
        "run": urlsplit(after.url).path,
        "compare": f"/evaluation/compare?run={before.run_id}&run={after.run_id}",
        "judges": "/evaluation/judges?judge=correct&label=helpful",
        "dataset": urlsplit(dataset.url).path,
        "review": urlsplit(labeling.reviewer_links["rie"]).path + "/next",
    }


def talked_about(turns: Sequence[Turn], said: Sequence[Said]) -> Turn:
    """The turn of which most was said, a thumb down and why among it; the first of its conversation if it can be."""
    about: dict[str | None, set[str]] = {}
    marked_down = set()
    for assessment in (one.assessment for one in said):
        about.setdefault(assessment.trace_id, set()).add(assessment.name)
        if assessment.name == "helpful" and assessment.value is False and assessment.rationale:
            marked_down.add(assessment.trace_id)
    found = [turn for turn in turns if turn.trace in marked_down]
    return max(found, key=lambda turn: (len(about[turn.trace]), -len(turn.history)))


def rated(turns: Sequence[Turn], said: Sequence[Said]) -> str:
    """The conversation that its customer rated, and below whose answers most thumbs down were pressed."""
    helpful = (one.assessment for one in said if one.assessment.name == "helpful")
    thumbs = Counter(assessment.trace_id for assessment in helpful if not assessment.value)
    pressed: Counter[str] = Counter()
    for turn in turns:
        pressed[turn.conversation] += thumbs[turn.trace]
    conversations = [turn.conversation for turn in turns]
    names = filter(None, (one.assessment.session_id for one in said))
    return max(names, key=lambda name: (pressed[name], conversations.count(name)))


def has_japanese_font() -> bool:
    """Whether there is one, as far as fontconfig tells; without it every character is an empty box."""
    if not shutil.which("fc-list"):
        return True
    return bool(subprocess.run(("fc-list", ":lang=ja"), stdout=subprocess.PIPE, check=True).stdout.strip())


def take(browser: Browser, address: str, paths: Mapping[str, str]) -> None:
    """Write a picture of each page."""
    FOLDER.mkdir(exist_ok=True)
    for scheme in SCHEMES:
        for form, viewport in (("", LAPTOP), ("-phone", PHONE)):
            context = browser.new_context(
                viewport={"width": viewport["width"], "height": viewport["height"]},
                color_scheme="dark" if scheme == "dark" else "light",
                timezone_id="UTC", locale="en-GB", reduced_motion="reduce",
            )  # fmt: skip
            page = context.new_page()
            for name, path in paths.items():
                if not form or name in ON_A_PHONE:
                    answer = page.goto(address + path, wait_until="networkidle")
                    if answer is None or not answer.ok:
                        sys.exit(f"screenshots: {name} answers {answer and answer.status}; what is wrong is above")
                    write(FOLDER / f"{name}{form}-{scheme}.png", page.screenshot(animations="disabled", caret="hide"))
            context.close()


def write(path: Path, picture: bytes) -> None:
    """Write a PNG, with a palette in place of true colours where Pillow is there to find one."""
    with contextlib.suppress(ImportError):
        from PIL import Image

        smaller = io.BytesIO()
        Image.open(io.BytesIO(picture)).convert("RGB").quantize(256, dither=Image.Dither.NONE).save(
            smaller, "PNG", optimize=True
        )
        picture = min(picture, smaller.getvalue(), key=len)
    path.write_bytes(picture)
    print(f"{path.relative_to(FOLDER.parents[1])}  {len(picture) / 1024:.0f} KB", flush=True)


if __name__ == "__main__":
    main()
