"""Errors of the SQL endpoint in ClickHouse's own words, codes and HTTP statuses."""

import re

from hansei.collector.errors import HanseiError

_ENGINE_TEXT = re.compile(
    r"^Code: (?P<code>\d+)\. DB::Exception: (?:Code: (?P=code)\. DB::Exception: )?(?P<text>.*)$", re.DOTALL
)
_INNER_VERSION = re.compile(r" ?\(version [^()]*(?:\([^()]*\))?\)\. (?=\([A-Z0-9_]+\)\s*$)")
_NAME = re.compile(r"\s*\((?P<name>[A-Z0-9_]+)\)\s*$")
# The engine formats a statement by a function call; the caller did not write that call.
_FORMATTING_SCOPE = ": In scope SELECT formatQuerySingleLine("

_BAD_REQUEST = frozenset(
    {6, 8, 15, 16, 26, 27, 36, 38, 41, 44, 53, 62, 69, 72, 86, 117, 167, 168, 223, 224, 376, 427, 441, 676, 677}
)
_NOT_FOUND = frozenset({46, 47, 50, 56, 60, 63, 73, 81, 115, 183, 336, 337, 511})
_STATUSES = {
    48: 501,
    76: 503,
    159: 408,
    192: 403,
    193: 403,
    194: 401,
    209: 503,
    229: 413,
    381: 411,
    439: 503,
    497: 403,
    # ClickHouse answers 403; the challenge of a 401 is what makes browsers and clients ask for a password.
    516: 401,
}


class SqlError(HanseiError):
    """A statement was refused or failed. ``str()`` is ClickHouse's text without code and version.

    ``code`` and ``name`` are ClickHouse's (``ErrorCodes.cpp``).
    """

    def __init__(self, code: int, name: str, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.name = name

    @classmethod
    def from_engine(cls, error: Exception) -> "SqlError":
        """The error that the engine raised; code 1001 (STD_EXCEPTION) where its text has no code."""
        # The bindings decode an error's text themselves, and fail where it quotes bytes that are not UTF-8.
        text = (error.object.decode(errors="replace") if isinstance(error, UnicodeDecodeError) else str(error)).strip()
        if not text:
            # Early releases of Python 3.11 drop a text that is not UTF-8 altogether.
            return cls(
                36, "BAD_ARGUMENTS", "The statement was refused; the reason quotes bytes of it that are not UTF-8"
            )
        position = text.find("Code: ")
        match = _ENGINE_TEXT.match(text[position:]) if position >= 0 else None
        if match is None:
            return cls(1001, "STD_EXCEPTION", text)
        text = _INNER_VERSION.sub(" ", match["text"])
        name = _NAME.search(text)
        text = (text[: name.start()] if name else text).rstrip()
        text = text.partition(_FORMATTING_SCOPE)[0]
        return cls(int(match["code"]), name["name"] if name else "UNKNOWN_EXCEPTION", text)

    @property
    def http_status(self) -> int:
        """The status that ClickHouse's HTTP interface answers with (``exceptionCodeToHTTPStatus.cpp``)."""
        if self.code in _BAD_REQUEST:
            return 400
        if self.code in _NOT_FOUND:
            return 404
        return _STATUSES.get(self.code, 500)

    def rendered(self, version: str) -> str:
        """The text of ClickHouse's HTTP interface: code, text, name, version."""
        full_stop = "" if self.args[0].endswith(".") else "."
        return f"Code: {self.code}. DB::Exception: {self.args[0]}{full_stop} ({self.name}) (version {version})\n"


def read_only(what: str) -> SqlError:
    """The refusal of something that would change data or settings."""
    return SqlError(164, "READONLY", f"{what}: this address is for reading. Cannot execute query in readonly mode")


def denied(what: str) -> SqlError:
    """The refusal of something that reaches outside of the database's own tables."""
    return SqlError(497, "ACCESS_DENIED", f"Not enough privileges: {what} cannot be used at this address")
