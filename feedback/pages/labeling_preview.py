"""A question as reviewers see it: by the template and the style of their own pages."""

from dataclasses import replace
from functools import cache
from importlib.resources import files
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from hansei.feedback.labeling.model import LabelSchemaVersion
from hansei.feedback.review.assets import review_asset
from hansei.feedback.review.language import Language
from hansei.feedback.review.questions import Question, number_limits

_ENGLISH: Final = "en"
_UNTITLED: Final = "Your question"


@cache
def _environment() -> Environment:
    folders = [str(files(package) / "templates") for package in ("hansei.feedback.pages", "hansei.feedback.review")]
    made = Environment(
        loader=FileSystemLoader(folders), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    made.globals.update(limits=number_limits, t=Language(_ENGLISH), style=review_asset)
    return made


def previewed(schema: LabelSchemaVersion) -> Markup:
    """The question, without an answer. It brings its style, and belongs where that is not the page's: in a shadow
    root."""
    shown = replace(schema, title=schema.title or _UNTITLED)
    return Markup(_environment().get_template("labeling_preview.html").render(question=Question(0, shown)))
