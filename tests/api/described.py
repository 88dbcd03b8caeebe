"""The description of the API, for the tests of what it says."""

from collections.abc import Mapping
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker

from hansei.evaluation.api.openapi import EVALUATION
from hansei.feedback.api.described import METHODS
from hansei.feedback.api.openapi import document

DOCUMENT = document(EVALUATION)
"""As a collector serves it."""


def documented(paths: Mapping[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    """The operations of some paths of the document, each with the parameters of its path."""
    return {
        (path, method): {**of[method], "parameters": [*of.get("parameters", ()), *of[method]["parameters"]]}
        for path, of in paths.items()
        for method in METHODS
        if method in of
    }


def names_in(operation: Mapping[str, Any], place: str) -> list[str]:
    """The names of an operation's parameters in the path or the query."""
    return [each["name"] for each in operation["parameters"] if each["in"] == place]


def check(value: Any, schema: dict[str, Any]) -> None:
    """Raises where a value does not fit a schema of the document."""
    whole = {**schema, "components": DOCUMENT["components"]}
    Draft202012Validator(whole, format_checker=FormatChecker()).validate(value)


def check_body(body: Any, operation: Mapping[str, Any]) -> None:
    """Raises where a body is not what an operation takes."""
    check(body, operation["requestBody"]["content"]["application/json"]["schema"])


def check_answer(status: int, text: Any, operation: Mapping[str, Any]) -> None:
    """Raises where an answer, as JSON, is not what an operation answers."""
    content = operation["responses"][str(status)].get("content", {None: None})
    for media_type, of in content.items():
        if media_type is None:
            assert text is None
        elif media_type in ("application/json", "application/problem+json"):
            check(text, of["schema"])
