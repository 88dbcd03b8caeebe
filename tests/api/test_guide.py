"""docs/api.md says what the API does."""

import re
import subprocess
from pathlib import Path

from hansei.feedback.api.openapi import OWN_PATHS

from ..collector.processes import clean_environment  # noqa: TID252
from .conftest import KEY, Api
from .described import documented, names_in

GUIDE = (Path(__file__).parents[2] / "docs" / "api.md").read_text()


def test_resources() -> None:
    """Every request is in the table with its parameters, and no other is; other pages tell of labeling and browsers."""
    told = dict(re.findall(r"(?m)^\| `([A-Z]+ /\S+)` \| (.*) \|$", GUIDE))
    assert set(told) == {f"{method.upper()} {path}" for path, method in documented(OWN_PATHS)}
    for path, method in documented(OWN_PATHS):
        names = set(names_in(OWN_PATHS[path][method], "query"))
        named = set(re.findall(r"`(\w+)[`=]", told[f"{method.upper()} {path}"]))
        assert names - {"limit", "page_token"} <= named


def test_calls(api: Api) -> None:
    """The calls of the guide are answered."""
    (script,) = re.findall(r"(?ms)^```sh\n(.*?)^```", GUIDE)
    environment = clean_environment({"HANSEI_URL": api.serving.ui, "HANSEI_API_KEY": KEY})
    ran = subprocess.run(["sh", "-euc", script], env=environment, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, ""), ran.stdout
    assert ran.stdout.count('"assessment_id"') >= 2
