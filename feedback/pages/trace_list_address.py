"""The address of a list of traces: it alone says what is shown, so that it can be kept and sent on."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

KEYS: Final = (
    "range", "from", "to", "text", "service", "model", "status", "min_ms", "min_cost", "feedback", "assessed", "user",
    "session", "attr", "q", "cols", "limit", "page",
)  # fmt: skip
"""What an address may say. Others are left out of the addresses that are made of it."""
REPEATED: Final = ("feedback", "attr")
"""What may be said more than once."""
_TIME: Final = ("range", "from", "to")


@dataclass(frozen=True, slots=True)
class ListAddress:
    """Keys and values, those without a value left out."""

    pairs: Sequence[tuple[str, str]] = ()

    @classmethod
    def of(cls, given: Iterable[tuple[str, str]]) -> "ListAddress":
        """From the query of a request. Of what can be said once, the last counts, as in a form."""
        known = [(key, value.strip()) for key, value in given if key in KEYS and value.strip()]
        last = dict(known)
        columns = ",".join(value for key, value in known if key == "cols")
        single = {key: columns if key == "cols" else last[key] for key in KEYS if key in last}
        pairs = [
            (key, value)
            for key in single
            for value in (dict.fromkeys(v for k, v in known if k == key) if key in REPEATED else (single[key],))
        ]
        return cls(tuple(pairs))

    def get(self, key: str) -> str:
        """The value, or an empty text."""
        return next((value for known, value in self.pairs if known == key), "")

    def all(self, key: str) -> list[str]:
        """Every value of a key."""
        return [value for known, value in self.pairs if known == key]

    @property
    def values(self) -> Mapping[str, str]:
        """Values by key."""
        return dict(self.pairs)

    def without(self, key: str, value: str | None = None) -> str:
        """The address without a key, or without one of its values; at the first page."""
        return self._url((k, v) for k, v in self.pairs if k != key or value not in (None, v))

    def having(self, **changed: object) -> str:
        """The address with other values; ``from_`` is ``from``. At the first page, unless ``page`` is what changes."""
        changes = {key.rstrip("_"): str(value) for key, value in changed.items()}
        dropped = {*changes, *(_TIME if changes.keys() & set(_TIME) else ())}
        kept = [(key, value) for key, value in self.pairs if key not in dropped]
        page = changes.pop("page", "")
        return self._url([*kept, *changes.items()], page)

    def query(self, *, without: Sequence[str] = ()) -> str:
        """What follows the question mark."""
        return urlencode([(key, value) for key, value in self.pairs if key not in without])

    def _url(self, pairs: Iterable[tuple[str, str]], page: str = "") -> str:
        said = [(key, value) for key, value in pairs if value and key != "page"]
        text = urlencode([*said, *([("page", page)] if page else [])])
        return f"/traces?{text}" if text else "/traces"
