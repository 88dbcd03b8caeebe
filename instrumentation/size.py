"""Bounds on what a span carries: long texts are cut, long lists of messages lose their middle, and both say so."""

from typing import Any

from hansei.instrumentation.content import cut

_MOST_TEXTS = 8
"""All texts of one attribute together are at most so many times the limit of one."""


def bounded(value: Any, limit: int) -> Any:
    """The value, with texts of ``limit`` characters at most and eight times that altogether.

    Of a list, the first elements and the last are kept: instructions come first, the question last.
    """
    small = _cut_texts(value, limit)
    if not isinstance(small, list) or len(small) < 2:
        return small
    sizes = [_size(element) for element in small]
    room = limit * _MOST_TEXTS
    if sum(sizes) <= room:
        return small
    first, last = 1, len(small)
    room -= sizes[0]
    while last > first and sizes[last - 1] <= room:
        last -= 1
        room -= sizes[last]
    return [*small[:first], _left_out(small[0], last - first), *small[last:]]


def _cut_texts(value: Any, limit: int) -> Any:
    if isinstance(value, str):
        return cut(value, limit)
    if isinstance(value, list | tuple):
        return [_cut_texts(element, limit) for element in value]
    if isinstance(value, dict):
        if value.get("type") == "blob":
            return _cut_blob(value, limit)
        return {key: _cut_texts(element, limit) for key, element in value.items()}
    return value


def _cut_blob(blob: dict[str, Any], limit: int) -> dict[str, Any]:
    """Half of an image is none: what is too long keeps its place, not its bytes."""
    data = blob.get("content")
    if isinstance(data, str) and len(data) > limit:
        return {**blob, "content": "", "omitted_chars": len(data)}
    return blob


def _size(value: Any) -> int:
    if isinstance(value, str):
        return len(value)
    if isinstance(value, list):
        return sum(map(_size, value)) + 8
    if isinstance(value, dict):
        return sum(map(_size, value.values())) + 8 * len(value)
    return 8


def _left_out(like: Any, count: int) -> Any:
    """What stands in the place of so many elements, in their shape."""
    note = f"… [{count} left out]"
    if isinstance(like, dict) and "parts" in like:
        return {"role": "system", "parts": [{"type": "text", "content": note}]}
    return {"type": "text", "content": note}
