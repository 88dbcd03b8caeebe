"""Redaction: texts that look like personal data or secrets are replaced before anything is written.

What is found becomes ``[redacted:NAME]``. A text that is JSON stays JSON: its strings are searched as what they mean,
whatever their escapes, and also where JSON stands in them again, as the arguments of a tool call do.
"""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from hansei.collector.errors import ConfigurationError

if TYPE_CHECKING:
    from hansei.collector.signals import Signal

_PLACEHOLDER: Final = re.compile(r"(\[redacted:[a-z_]+\])")
_TOKEN: Final = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|-?[0-9][0-9.eE+-]*', re.DOTALL)
"""What may be replaced in a JSON text: its strings and numbers. Outside of strings nothing else begins with a digit."""
_ESCAPED: Final = "\\u00"
"""In JSON, the beginning of an ASCII character that is written otherwise."""
_LONG_NUMBER: Final = rb"\x18[\x80-\xff]{5}"
"""In protobuf, an ``int_value`` of 2**35 or more, or below 0."""

KEPT: Final = frozenset({
    "gen_ai.conversation.id", "session.id", "gen_ai.response.id", "hansei.assessment.id", "hansei.assessment.overrides",
    "hansei.assessment.source.id", "hansei.assessment.labeling_session.id", "hansei.assessment.evaluation_run.id",
})  # fmt: skip
"""Attributes that are left alone: by them rows find each other, and a correction what it corrects."""


@dataclass(frozen=True)
class Pattern:
    """What is looked for."""

    name: str
    expression: re.Pattern[str]
    needles: tuple[str, ...] = ()
    """Every text with a match has one of these in it; searched for in a hundredth of the time."""
    hint: str = ""
    """The same as an expression that looks at nothing around it; it begins with a class, for which `re` is quick."""
    accept: Callable[[str], bool] | None = None
    """Whether what the expression found is meant; None: always."""
    numbers: bool = False
    """Whether whole numbers are searched too."""


def _is_iban(text: str) -> bool:
    """Whether its check digits are right (ISO 13616: the remainder by 97 is 1)."""
    moved = text.replace(" ", "")
    return int("".join(str(int(character, 36)) for character in moved[4:] + moved[:4])) % 97 == 1


def _is_card_number(text: str) -> bool:
    """Whether the last digit is the check digit of the others (Luhn, ISO/IEC 7812-1)."""
    digits = [int(character) for character in reversed(text) if character.isdigit()]
    doubled = (digit * 2 - 9 if digit > 4 else digit * 2 for digit in digits[1::2])
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0


_SECRETS: Final = r"""(?x)
    \b(?:
        sk-[A-Za-z0-9_-]{20,}                       # OpenAI, Anthropic, OpenRouter and others
        | (?:gsk|xai|r8|hf|npm|glpat|pypi)[_-][A-Za-z0-9_-]{20,}
        | gh[pousr]_[A-Za-z0-9]{30,} | github_pat_[A-Za-z0-9_]{22,}
        | AIza[A-Za-z0-9_-]{35}                     # Google
        | (?:AKIA|ASIA)[A-Z0-9]{16}                 # AWS
        | xox[abeoprs]-[A-Za-z0-9-]{10,}            # Slack
        | (?:sk|rk|pk)_(?:live|test)_[A-Za-z0-9]{16,}   # Stripe
        | hansei_[A-Za-z0-9_-]{20,}
    )
    | (?<![\w-])eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}   # a JSON Web Token
    | -----BEGIN\ (?:[A-Z]+\ )?PRIVATE\ KEY-----[\s\S]*?(?:-----END\ (?:[A-Z]+\ )?PRIVATE\ KEY-----|\Z)
"""
_SECRET_NEEDLES: Final = (
    "sk-", "gsk", "xai", "r8_", "r8-", "hf_", "hf-", "npm", "glpat", "pypi", "ghp_", "gho_", "ghu_", "ghs_", "ghr_",
    "github_pat_", "AIza", "AKIA", "ASIA", "xox", "k_live_", "k_test_", "hansei_", "eyJ", "PRIVATE KEY",
)  # fmt: skip

BUILT_IN: Final = (
    Pattern(
        "email",
        re.compile(r"(?<![\w.%+-])[\w.%+-]+@(?:[\w-]{1,63}\.){1,8}[^\W\d_]{2,24}\b"),
        hint=r"@[\w-]{1,252}\.",
    ),
    Pattern(
        "credit_card",
        re.compile(
            r"[2-6](?<![\w.-].)(?:(?<=4)[0-9]|(?<=5)[1-5]|(?<=2)[2-7]|(?<=[36])[0-9])[0-9]{2}"
            r"(?:[ -]?[0-9]{4}[ -]?[0-9]{4}[ -]?[0-9]{4}(?:[0-9]{3})?|[ -]?[0-9]{6}[ -]?[0-9]{4,5}|[0-9]{9})(?![\w-])"
        ),
        hint=r"[2-6](?:[ -]?[0-9]){12}",
        accept=_is_card_number,
        numbers=True,
    ),
    Pattern(
        "iban",
        re.compile(r"[A-Z](?<!\w.)[A-Z][0-9]{2}(?:[ ]?[A-Z0-9]{4}){2,7}(?:[ ]?[A-Z0-9]{1,3})?(?!\w)"),
        hint=r"[A-Z][A-Z][0-9]{2}[ ]?[A-Z0-9]{4}",
        accept=_is_iban,
    ),
    Pattern(
        "phone",
        # In international form, or in groups: bare digits may be anything.
        re.compile(
            r"[+(0-9](?<![\w.+-].)(?<![0-9][ -].)(?:(?<=\+)[1-9](?:[ ./()-]{0,2}[0-9]){6,14}"
            r"|(?:(?<=\()[2-9][0-9]{2}\)[ ]?|(?<=1)[ .-]\(?[2-9][0-9]{2}\)?[ .-]|(?<=[2-9])[0-9]{2}[ .-])"
            r"[0-9]{3}[ .-][0-9]{4}"
            r"|(?<=0)[0-9]{1,4}[ /-][0-9]{2,5}(?:[ -]?[0-9]{2,4}){1,3})(?![\w-])"
        ),
        hint=(
            r"[+(0-9](?:(?<=\+)[1-9][ ./()\\-]{0,3}[0-9]|(?<=\()[2-9][0-9]{2}\)"
            r"|[ .-]?\(?[0-9]{1,4}\)?[ ./\\-][/]?[0-9]{2,5}[ .-]?[0-9]{2})"
        ),
    ),
    Pattern(
        "ip_address",
        re.compile(
            r"[0-9](?<![\w.].)(?:(?<=2)(?:5[0-5]|[0-4][0-9])|(?<=1)[0-9]{2}|[0-9]?)"
            r"(?:\.(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])){3}(?!\.?\w)"
        ),
        hint=r"[0-9]\.[0-9]{1,3}\.[0-9]",
    ),
    Pattern("api_key", re.compile(_SECRETS), _SECRET_NEEDLES),
)  # fmt: skip
"""The patterns that have a name; what has check digits is looked for before what only looks like it."""
_REGEX: Final = "regex:"


def parse_redact(key: str, text: str) -> tuple[str, ...]:
    """Names of patterns and ``regex:…``, separated by commas or, where a regex has one, each on a line of its own.

    Raises :class:`ConfigurationError`.
    """
    lines = text.splitlines() if "\n" in text or text.strip().startswith(_REGEX) else text.split(",")
    wanted = tuple(dict.fromkeys(filter(None, map(str.strip, lines))))
    for name in wanted:
        _pattern(key, name)
    return wanted


def _pattern(key: str, name: str) -> Pattern:
    for pattern in BUILT_IN:
        if pattern.name == name:
            return pattern
    known = ", ".join(pattern.name for pattern in BUILT_IN)
    if not name.startswith(_REGEX):
        raise ConfigurationError(f"{key}: there is no pattern {name!r}; there are {known}, and regex:EXPRESSION")
    try:
        expression = re.compile(name.removeprefix(_REGEX))
    except (re.error, OverflowError, RecursionError) as error:
        raise ConfigurationError(
            f"{key}: {name!r} is not a regular expression of Python: {str(error).splitlines()[0]}"
        ) from None
    if expression.fullmatch(""):
        raise ConfigurationError(f"{key}: {name!r} fits the empty text, and so every text; make it need a character")
    return Pattern("regex", expression)


class _Signs:
    """What tells quickly that nothing will be found."""

    def __init__(self, patterns: Sequence[Pattern]) -> None:
        self._any = any(not pattern.needles and not pattern.hint for pattern in patterns)
        needles = [_ESCAPED, *(needle for pattern in patterns for needle in pattern.needles)]
        hints = [pattern.hint for pattern in patterns if pattern.hint]
        self._needles = needles
        self._needles_of_bytes = [needle.encode() for needle in needles]
        self._hints = [re.compile(hint) for hint in hints]
        # A letter of any alphabet is bytes from 0x80 on.
        self._hints_of_bytes = [re.compile(hint.encode().replace(rb"\w", rb"\w\x80-\xff")) for hint in hints]
        if any(pattern.numbers for pattern in patterns):
            self._hints_of_bytes.append(re.compile(_LONG_NUMBER))

    def of_text(self, text: str) -> bool:
        """Whether something may be found in a text."""
        if self._any:
            return True
        # A loop, since this is asked for every text, and a generator costs more than a search.
        for needle in self._needles:
            if needle in text:
                return True
        return any(hint.search(text) for hint in self._hints)

    def of_bytes(self, payload: bytes) -> bool:
        """Whether something may be found in a serialised request."""
        return (
            self._any
            or any(needle in payload for needle in self._needles_of_bytes)
            or any(hint.search(payload) for hint in self._hints_of_bytes)
        )


class Redaction:
    """Replaces what some patterns find. Thread-safe."""

    def __init__(self, wanted: Sequence[str]) -> None:
        """``wanted``: what :func:`parse_redact` answered."""
        patterns = sorted((_pattern("redact", name) for name in wanted), key=_rank)
        self._patterns = patterns
        self._of_numbers = [pattern for pattern in patterns if pattern.numbers]
        self._signs = _Signs(patterns)

    def may_change(self, payload: bytes) -> bool:
        """Whether a serialised request may have something to replace in it; False is certain."""
        return self._signs.of_bytes(payload)

    def redact(self, signal: "Signal", request: Any) -> None:
        """Replace it in a request whose values are flat (:meth:`Signal.prepare`), in place.

        Ids and times are not texts, and stay; so do the attributes in :data:`KEPT`.
        """
        resources, scopes, items = signal.path
        for resource in getattr(request, resources):
            self._attributes(resource.resource.attributes)
            for scope in getattr(resource, scopes):
                self._attributes(scope.scope.attributes)
                for item in getattr(scope, items):
                    self._attributes(item.attributes)
                    if signal.items == "spans":
                        self._span(item)
                    else:
                        self._value(item.body)

    def _span(self, span: Any) -> None:
        self._field(span, "name")
        if span.HasField("status"):
            self._field(span.status, "message")
        for event in span.events:
            self._field(event, "name")
            self._attributes(event.attributes)
        for link in span.links:
            self._attributes(link.attributes)

    def _attributes(self, attributes: Any) -> None:
        for attribute in attributes:
            if attribute.key not in KEPT:
                self._value(attribute.value)

    def _value(self, value: Any) -> None:
        kind = value.WhichOneof("value")
        if kind == "string_value":
            self._field(value, "string_value")
        elif kind == "int_value":
            if self._of_numbers and abs(value.int_value) >= 10**12:
                digits = str(value.int_value)
                found = self._number(digits)
                if found != digits:
                    value.string_value = found
        elif kind == "array_value":
            for element in value.array_value.values:
                self._value(element)

    def _field(self, message: Any, name: str) -> None:
        text = getattr(message, name)
        found = self.text(text)
        if found is not text:
            setattr(message, name, found)

    def text(self, text: str) -> str:
        """A text with what was found replaced; the same object where nothing was. Done twice it is as done once."""
        while True:
            found = self._once(text)
            if found == text:
                return text
            # What stands beside a placeholder may fit now. Each turn leaves fewer characters to look at.
            text = found

    def _once(self, text: str) -> str:
        if not text or not self._signs.of_text(text):
            return text
        if text[0] in '{["' or text[0].isspace():
            try:
                json.loads(text)
            except (ValueError, RecursionError):
                return self._plain(text)
            return _TOKEN.sub(self._token, text)
        return self._plain(text)

    def _token(self, match: re.Match[str]) -> str:
        token = match[0]
        if token[0] != '"':
            found = self._number(token) if self._of_numbers and len(token) > 12 else token
            return token if found == token else f'"{found}"'
        meant = json.loads(token) if "\\" in token else token[1:-1]
        found = self._once(meant)
        return token if found == meant else json.dumps(found, ensure_ascii=token.isascii() or "\\u" in token)

    def _number(self, digits: str) -> str:
        for pattern in self._of_numbers:
            found = pattern.expression.fullmatch(digits)
            if found and (pattern.accept is None or pattern.accept(digits)):
                return f"[redacted:{pattern.name}]"
        return digits

    def _plain(self, text: str) -> str:
        for pattern in self._patterns:
            if pattern.expression.search(text) is None:
                continue
            pieces = _PLACEHOLDER.split(text)
            replace = partial(_replaced, pattern)
            pieces[::2] = [pattern.expression.sub(replace, piece) for piece in pieces[::2]]
            text = "".join(pieces)
        return text


def _rank(pattern: Pattern) -> int:
    """The place in :data:`BUILT_IN`; one's own come last."""
    return BUILT_IN.index(pattern) if pattern in BUILT_IN else len(BUILT_IN)


def _replaced(pattern: Pattern, match: re.Match[str]) -> str:
    if not match[0] or (pattern.accept is not None and not pattern.accept(match[0])):
        return match[0]
    return f"[redacted:{pattern.name}]"
