"""What an operation of the API says about itself: in its request, its response, its stream."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from opentelemetry.util.types import AttributeValue

from hansei.instrumentation import attributes as names
from hansei.instrumentation.operations.fields import field, text
from hansei.instrumentation.operations.usage import usage_attributes
from hansei.instrumentation.server import OPENAI_FLAVOURS, Server

Attributes = dict[str, AttributeValue]
Content = dict[str, Any]
"""Attribute names and structured values: messages, instructions, tool definitions, documents."""


Settings = Mapping[str, tuple[str, Callable[[Any], AttributeValue | None]]]
"""Of a parameter of the API: the attribute, and what its value means."""


@dataclass(slots=True)
class Request:
    """One request as the client is about to send it. Nobody changes it; to have that checked costs each call 1 µs."""

    method: str
    path: str
    """Below the base URL: ``/chat/completions``."""
    parameters: Mapping[str, Any]
    """The JSON body as the server gets it; the query where there is no body."""
    server: Server
    stream: bool
    ids: Mapping[str, str]
    """The variable parts of the path, by name."""

    @property
    def model(self) -> str | None:
        """The model that is asked for."""
        return text(self.parameters.get("model"))


class StreamReader:
    """Takes in the chunks of one stream; what it keeps is bounded, however long the stream is.

    This one keeps nothing: for streams of which only the outcome is of interest.
    """

    complete: bool | None = None
    """Whether the stream has said that it is at its end; None where such streams do not say so."""

    def read(self, chunk: Any) -> None:
        """Take in one chunk, as the client hands it out or as a dict."""

    def response(self) -> Any:
        """What the chunks amount to, in the shape of an answer that was not streamed."""
        return None


class Operation:
    """A kind of request. One object serves all requests, from all threads; it holds nothing of any."""

    name: str | None = None
    """``gen_ai.operation.name``; None where the conventions have no such operation."""
    api_type: str | None = None
    """``openai.api.type``."""

    def span_name(self, request: Request) -> str:
        """``{operation} {target}``, as the conventions ask for."""
        target = self.target(request)
        return f"{self.name} {target}" if target else str(self.name)

    def target(self, request: Request) -> str | None:
        """What the operation is done to: nearly always the model."""
        return request.model

    def describe_start(self, request: Request) -> Attributes:
        """What a sampler may want to know."""
        found: Attributes = {names.PROVIDER_NAME: request.server.provider}
        if self.name:
            found[names.OPERATION_NAME] = self.name
        if model := request.model:
            found[names.REQUEST_MODEL] = model
        if request.server.address:
            found[names.SERVER_ADDRESS] = request.server.address
        if request.server.port:
            found[names.SERVER_PORT] = request.server.port
        return found

    def describe_request(self, request: Request) -> Attributes:
        """The settings of a request. One that was not given, or has the wrong type, has no attribute."""
        return self.common_settings(request)

    def request_content(self, request: Request) -> Content:
        """What was said to the model."""
        return {}

    def describe_response(self, request: Request, response: Any) -> Attributes:
        """Id, model and usage, as far as the response has them."""
        return self.common_response(request, response)

    def response_content(self, request: Request, response: Any) -> Content:
        """What the model said."""
        return {}

    def reader(self, request: Request, max_length: int) -> StreamReader:
        """What takes in a stream; ``max_length`` characters of content at most, none if that is 0."""
        return StreamReader()

    def common_settings(self, request: Request) -> Attributes:
        """What any operation may have asked for."""
        found: Attributes = {}
        if request.stream:
            found[names.REQUEST_STREAM] = True
        if request.server.provider in OPENAI_FLAVOURS:
            if self.api_type:
                found[names.OPENAI_API_TYPE] = self.api_type
            tier = text(request.parameters.get("service_tier"))
            if tier and tier != "auto":
                found[names.OPENAI_REQUEST_SERVICE_TIER] = tier
        return found

    def common_response(self, request: Request, response: Any) -> Attributes:
        """What any response may say.

        The client builds its models without validation, so any field of a response may be missing or of
        another type, and a server that does not answer in JSON makes the whole response a string.
        """
        found: Attributes = {}
        copy_text(found, names.RESPONSE_ID, field(response, "id"))
        copy_text(found, names.RESPONSE_MODEL, field(response, "model"))
        found.update(usage_attributes(field(response, "usage")))
        if request.server.provider in OPENAI_FLAVOURS:
            copy_text(found, names.OPENAI_RESPONSE_SERVICE_TIER, field(response, "service_tier"))
            copy_text(found, names.OPENAI_RESPONSE_SYSTEM_FINGERPRINT, field(response, "system_fingerprint"))
        return found


def read_settings(parameters: Mapping[str, Any], known: Settings) -> Attributes:
    """The settings that a request gives; one that has the wrong type has no attribute.

    What was given is gone through, which is little, and not what could have been.
    """
    found: Attributes = {}
    for parameter, value in parameters.items():
        setting = known.get(parameter)
        if setting is not None:
            name, read = setting
            meant = read(value)
            if meant is not None:
                found[name] = meant
    return found


def copy_text(found: Attributes, name: str, value: object) -> None:
    """Set an attribute if there is a text for it."""
    if isinstance(value, str) and value:
        found[name] = value
