"""``POST /embeddings``."""

from typing import Any

from hansei.instrumentation import attributes as names
from hansei.instrumentation.operations.fields import field, integer, items, text
from hansei.instrumentation.operations.operation import Attributes, Operation, Request

_BYTES_PER_FLOAT = 4


class Embeddings(Operation):
    """Texts as vectors."""

    name = "embeddings"

    def describe_request(self, request: Request) -> Attributes:
        """See :class:`Operation`."""
        found = self.common_settings(request)
        if encoding := text(request.parameters.get("encoding_format")):
            found[names.REQUEST_ENCODING_FORMATS] = [encoding]
        if dimensions := integer(request.parameters.get("dimensions")):
            found[names.EMBEDDINGS_DIMENSION_COUNT] = dimensions
        return found

    def describe_response(self, request: Request, response: Any) -> Attributes:
        """See :class:`Operation`."""
        found = self.common_response(request, response)
        first = next(iter(items(field(response, "data"))), None)
        if dimensions := _dimensions(field(first, "embedding")):
            found[names.EMBEDDINGS_DIMENSION_COUNT] = dimensions
        return found


def _dimensions(embedding: object) -> int | None:
    if isinstance(embedding, str):
        # Base64 of 32-bit floats.
        return (len(embedding) * 3 // 4 - embedding[-2:].count("=")) // _BYTES_PER_FLOAT
    return len(embedding) if isinstance(embedding, list | tuple) else None
