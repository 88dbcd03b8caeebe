"""Messages whose parts are attributes of their own, as older instrumentations write them:
``gen_ai.prompt.0.content``, ``llm.input_messages.0.message.content``."""

from collections.abc import Mapping
from typing import Any, Final

Branch = dict[str, Any]
"""Names to texts, or to further branches."""

_DEEPEST: Final = 12
_MOST: Final = 10_000


def grown(attributes: Mapping[str, str], prefix: str) -> Branch:
    """The attributes below a prefix as a tree: each dot is a branch. Where a name is both, the branch stays."""
    tree: Branch = {}
    for name, value in list(attributes.items())[:_MOST]:
        if not name.startswith(f"{prefix}."):
            continue
        steps = name[len(prefix) + 1 :].split(".")
        if len(steps) > _DEEPEST:
            continue
        branch = tree
        for step in steps[:-1]:
            inner = branch.get(step)
            if not isinstance(inner, dict):
                inner = branch[step] = {}
            branch = inner
        if not isinstance(branch.get(steps[-1]), dict):
            branch[steps[-1]] = value
    return tree


def listed(branch: Any) -> list[Branch]:
    """What is below ``0``, ``1``, … in the order of the numbers."""
    if not isinstance(branch, dict):
        return []
    numbers = sorted((int(step), step) for step in branch if step.isdecimal() and len(step) < 7)
    return [branch[step] for _, step in numbers if isinstance(branch[step], dict)]


def flattened_messages(attributes: Mapping[str, str], prefix: str) -> list[dict[str, Any]]:
    """The messages below a prefix in OpenAI's form; none where there are none."""
    return [_message(branch.get("message", branch)) for branch in listed(grown(attributes, prefix))]


def flattened_documents(attributes: Mapping[str, str], prefix: str) -> list[dict[str, Any]]:
    """The documents below a prefix, with ``id``, ``content`` and ``score`` where they are told."""
    return [dict(branch.get("document", branch)) for branch in listed(grown(attributes, prefix))]


def _message(branch: Branch) -> dict[str, Any]:
    found: dict[str, Any] = {"role": branch.get("role", ""), "content": branch.get("content")}
    pieces = [piece.get("message_content", piece) for piece in listed(branch.get("contents"))]
    if pieces:
        found["content"] = [_piece(piece) for piece in pieces]
    calls = [call.get("tool_call", call) for call in listed(branch.get("tool_calls"))]
    if calls:
        found["tool_calls"] = [_call(call) for call in calls]
    for name in ("tool_call_id", "name", "finish_reason"):
        if isinstance(branch.get(name), str):
            found[name] = branch[name]
    return found


def _piece(piece: Branch) -> Branch:
    image = piece.get("image")
    if isinstance(image, dict):
        return {"type": "image_url", "image_url": image.get("image", image)}
    return piece


def _call(call: Branch) -> Branch:
    function = call.get("function")
    inner = function if isinstance(function, dict) else call
    return {"id": call.get("id"), "name": inner.get("name", ""), "arguments": inner.get("arguments")}
