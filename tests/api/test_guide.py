"""docs/api.md says what the API does."""

import re
import subprocess
from pathlib import Path

from ..collector.processes import clean_environment  # noqa: TID252
from .conftest import KEY, Api
from .test_openapi import documented

GUIDE = (Path(__file__).parents[2] / "docs" / "api.md").read_text()


def test_resources() -> None:
    """Every request is in the table with its parameters, and no other is."""
    told = dict(re.findall(r"(?m)^\| `([A-Z]+ /\S+)` \| (.*) \|$", GUIDE))
    assert set(told) == {f"{method.upper()} {path}" for path, method in documented()}
    for (path, method), operation in documented().items():
        names = {each["name"] for each in operation["parameters"] if each["in"] == "query"}
        named = set(re.findall(r"`(\w+)[`=]", told[f"{method.upper()} {path}"]))
        assert names - {"limit", "page_token"} <= named


def test_calls(api: Api) -> None:
    """The calls of the guide are answered."""
    (script,) = re.findall(r"(?ms)^```sh\n(.*?)^```", GUIDE)
    environment = clean_environment({"HANSEI_URL": api.serving.ui, "HANSEI_API_KEY": KEY})
    ran = subprocess.run(["sh", "-euc", script], env=environment, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, ""), ran.stdout
    assert ran.stdout.count('"assessment_id"') >= 2
