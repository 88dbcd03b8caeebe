"""Markdown of strangers as HTML that cannot do anything: no HTML of theirs, no picture from elsewhere, no style."""

from collections.abc import Sequence
from functools import cache
from typing import Any, Final
from urllib.parse import urlsplit

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup, escape

SCHEMES: Final = ("http", "https", "mailto")
REL: Final = "noopener noreferrer nofollow"

_MOST: Final = 200_000
"""Characters; a text that is longer is shown as it is."""


def safe_link(address: str) -> bool:
    """Whether an address may be a link: of a site or of a mailbox, written out."""
    try:
        parts = urlsplit(address.strip())
    except ValueError:
        return False
    return parts.scheme.lower() in SCHEMES and not any(ord(character) < 32 for character in address)


class _Markdown(MarkdownIt):
    def validateLink(self, url: str) -> bool:  # noqa: N802  # the library's name
        return safe_link(url)


@cache
def _renderer() -> MarkdownIt:
    made = _Markdown("commonmark", {"html": False, "breaks": True, "maxNesting": 20})
    made.enable(["table", "strikethrough"])
    made.add_render_rule("image", _picture)
    return made


def _picture(_: Any, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    """A link to a picture: to load it would tell its site who looks at this page."""
    token = tokens[index]
    address = str(token.attrGet("src") or "")
    return f'<a href="{escape(address)}" rel="{REL}">{escape(token.content or address)}</a>'


def markdown(text: str) -> Markup:
    """The text rendered; one that is too long, as it is."""
    if len(text) > _MOST:
        return plain(text)
    renderer = _renderer()
    tokens = renderer.parse(text)
    _disarm(tokens)
    return Markup(renderer.renderer.render(tokens, renderer.options, {}))


def plain(text: str) -> Markup:
    """The text as it is, line by line."""
    return Markup('<div class="as-is">{}</div>').format(text)


def _disarm(tokens: Sequence[Token]) -> None:
    for token in tokens:
        token.attrs.pop("style", None)
        if token.type in ("heading_open", "heading_close"):
            # The page's own headings are its outline.
            if token.nesting > 0:
                token.attrs["class"] = f"heading {token.tag}"
            token.tag = "p"
        elif token.type == "link_open":
            token.attrs["rel"] = REL
        if token.children:
            _disarm(token.children)
