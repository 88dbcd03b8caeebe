"""What the page says, in the languages that it speaks: a catalog each, of texts by key."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from starlette.requests import Request

COOKIE: Final = "hansei_review_language"
LANGUAGES: Final = {"en": "English", "ja": "日本語"}
"""By the code that browsers send, the name that a language has for itself."""
_DEFAULT: Final = "en"
_OF_SCRIPT: Final = "script."
"""How keys begin whose texts the page's script says."""


@cache
def catalog(code: str) -> Mapping[str, str]:
    """The texts of a language, by key; ``{name}`` in them is filled in."""
    found: dict[str, str] = json.loads((Path(__file__).parent / "catalogs" / f"{code}.json").read_text())
    return found


@dataclass(frozen=True, slots=True)
class Language:
    """One of the languages."""

    code: str

    def __call__(self, key: str, **values: object) -> str:
        """The text of a key. Of a text that counts, ``count`` chooses: ``key.one`` where there is one, else
        ``key.other``."""
        texts = catalog(self.code)
        if "count" in values:
            key = f"{key}.one" if values["count"] == 1 else f"{key}.other"
        return texts[key].format(**values) if values else texts[key]

    def number(self, number: float) -> str:
        """A number as it is written; both languages have a comma after the thousands."""
        return f"{number:,.10g}" if number != int(number) else f"{int(number):,}"

    def minutes(self, seconds: float) -> str:
        """About how long something takes."""
        minutes = max(round(seconds / 60), 1)
        if minutes < 60:
            return self("time.minutes", count=minutes)
        hours, rest = divmod(5 * round(minutes / 5), 60)
        return self("time.hours", count=hours) if not rest else self("time.hours_minutes", hours=hours, minutes=rest)

    def of_script(self) -> str:
        """What the script says, as JSON by key."""
        texts = {key: text for key, text in catalog(self.code).items() if key.startswith(_OF_SCRIPT)}
        return json.dumps({key.removeprefix(_OF_SCRIPT): text for key, text in texts.items()}, ensure_ascii=False)


def language_of(request: Request) -> Language:
    """What the visitor chose, in the address or before; else what the browser prefers."""
    for chosen in (request.query_params.get("lang"), request.cookies.get(COOKIE)):
        if chosen in LANGUAGES:
            return Language(chosen)
    return Language(_preferred(request.headers.get("accept-language", "")))


def _preferred(header: str) -> str:
    wanted: list[tuple[float, str]] = []
    for part in header.split(",")[:20]:
        tag, _, weight = part.strip().partition(";q=")
        try:
            wanted.append((-float(weight or 1), tag.partition("-")[0].lower()))
        except ValueError:
            continue
    # Sorting is stable: of two that are wanted as much, the first.
    ranked = sorted((one for one in wanted if one[0] < 0), key=lambda one: one[0])
    return next((tag for _, tag in ranked if tag in LANGUAGES), _DEFAULT)
