"""``POST /vector_stores/{vector_store_id}/search``."""

from typing import Any

from hansei.instrumentation import attributes as names
from hansei.instrumentation.operations.fields import field, integer, items, number, text
from hansei.instrumentation.operations.operation import Attributes, Content, Operation, Request


class VectorStoreSearch(Operation):
    """Documents for a question."""

    name = "retrieval"

    def target(self, request: Request) -> str | None:
        """The store."""
        return request.ids.get("vector_store_id")

    def describe_start(self, request: Request) -> Attributes:
        """See :class:`Operation`."""
        found = super().describe_start(request)
        if store := self.target(request):
            found[names.DATA_SOURCE_ID] = store
        return found

    def describe_request(self, request: Request) -> Attributes:
        """See :class:`Operation`."""
        found = self.common_settings(request)
        if (limit := integer(request.parameters.get("max_num_results"))) is not None:
            found[names.RETRIEVAL_TOP_K] = limit
        return found

    def request_content(self, request: Request) -> Content:
        """See :class:`Operation`."""
        query = request.parameters.get("query")
        said = query if isinstance(query, str) else "\n".join(one for one in items(query) if isinstance(one, str))
        return {names.RETRIEVAL_QUERY_TEXT: said} if said else {}

    def response_content(self, request: Request, response: Any) -> Content:
        """See :class:`Operation`."""
        documents = [_document(found) for found in items(field(response, "data"))]
        return {names.RETRIEVAL_DOCUMENTS: documents} if documents else {}


def _document(found: object) -> dict[str, Any]:
    score = number(field(found, "score")) or 0.0
    document: dict[str, Any] = {"id": text(field(found, "file_id")) or "", "score": score}
    pieces = [field(piece, "text") for piece in items(field(found, "content"))]
    if content := "\n".join(piece for piece in pieces if isinstance(piece, str)):
        document["content"] = content
    return document
