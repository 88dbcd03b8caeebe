"""Everything else that the client can send: what it was, to whom, and how it went."""

import re

from hansei.instrumentation import attributes as names
from hansei.instrumentation.operations.operation import Attributes, Operation, Request

_WORD = re.compile(r"[a-z_]+(?:-[a-z]+)*")


class General(Operation):
    """A request that the conventions have no operation for: batches, files, fine-tuning, what is new.

    It is named by its method and path. A model that was asked for and usage that was reported are recorded all the
    same, so that nothing that is billed goes unseen.
    """

    def span_name(self, request: Request) -> str:
        """``POST /fine_tuning/jobs/{id}/cancel``: few names, however many jobs there are."""
        return f"{request.method.upper()} {template_of(request.path)}"

    def describe_start(self, request: Request) -> Attributes:
        """See :class:`Operation`."""
        found = super().describe_start(request)
        found[names.HTTP_REQUEST_METHOD] = request.method.upper()
        found[names.URL_TEMPLATE] = template_of(request.path)
        found[names.URL_PATH] = request.path
        return found


def template_of(path: str) -> str:
    """The path with ids as ``{id}``: a segment that is not a plain word is one."""
    kept = [segment if not segment or _WORD.fullmatch(segment) else "{id}" for segment in path.split("/")]
    return "/".join(kept)
