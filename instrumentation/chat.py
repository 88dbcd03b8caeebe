"""Spans for ``chat.completions.create`` of the openai client."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from opentelemetry.instrumentation.utils import is_instrumentation_enabled
from opentelemetry.trace import Tracer
from opentelemetry.util.types import AttributeValue

from hansei.instrumentation import attributes as names
from hansei.instrumentation.call import ModelCall
from hansei.instrumentation.chat_request import request_attributes, requested_model, sent_parameters
from hansei.instrumentation.chat_response import response_attributes
from hansei.instrumentation.guard import Guard
from hansei.instrumentation.json_text import json_text
from hansei.instrumentation.messages import field, input_messages, output_messages, tool_definitions
from hansei.instrumentation.server import UNKNOWN_SERVER, Server, server_of
from hansei.instrumentation.session_context import session_attributes

_RAW_RESPONSE_HEADER = "x-stainless-raw-response"


class ChatCompletions:
    """A wrapt wrapper of ``Completions.create`` that gives each call a span.

    Streamed calls and those that ask for the raw HTTP response pass through without one.
    """

    def __init__(self, tracer: Tracer, guard: Guard, *, content: bool, stands_down: Callable[[], bool]) -> None:
        self.enabled = True
        self._tracer = tracer
        self._guard = guard
        self._content = content
        self._stands_down = stands_down

    def __call__(
        self, wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """Make the call, observed. What it returns or raises is exactly what the client does."""
        if not self._guard.run("decide about a call", self._observes, args, kwargs):
            return wrapped(*args, **kwargs)
        server = self._guard.run("read a server's address", _server_of, instance) or UNKNOWN_SERVER
        parameters = self._guard.run("read a request", sent_parameters, kwargs) or {}
        call = self._started_call(server, parameters)
        if call is None:
            return wrapped(*args, **kwargs)
        if call.recording:
            self._describe_request(call, server, parameters)
        try:
            response = wrapped(*args, **kwargs)
        except BaseException as error:
            call.fail(error)
            raise
        answered = time.time_ns()
        if call.recording:
            self._describe_response(call, server, response)
        call.end(answered)
        return response

    def _observes(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
        # The client takes keywords alone; anything else is its own error to raise.
        if not self.enabled or args or kwargs.get("stream"):
            return False
        headers = kwargs.get("extra_headers")
        if isinstance(headers, Mapping) and any(name.lower() == _RAW_RESPONSE_HEADER for name in headers):
            return False
        return is_instrumentation_enabled() and not self._stands_down()

    def _started_call(self, server: Server, parameters: Mapping[str, Any]) -> ModelCall | None:
        start: dict[str, AttributeValue] = {
            names.OPERATION_NAME: "chat",
            names.PROVIDER_NAME: server.provider,
        }
        model = requested_model(parameters)
        if model:
            start[names.REQUEST_MODEL] = model
        if server.address:
            start[names.SERVER_ADDRESS] = server.address
        if server.port:
            start[names.SERVER_PORT] = server.port
        return ModelCall.start(self._tracer, f"chat {model}" if model else "chat", start, self._guard)

    def _describe_request(self, call: ModelCall, server: Server, parameters: Mapping[str, Any]) -> None:
        run = self._guard.run
        call.describe(run("read a session", session_attributes))
        call.describe(run("read a request's settings", request_attributes, parameters, server.provider))
        if self._content:
            call.describe(run("read a request's messages", _input_content, parameters))
            call.describe(run("read a request's tools", _tool_content, parameters))

    def _describe_response(self, call: ModelCall, server: Server, response: object) -> None:
        run = self._guard.run
        call.describe(run("read a response", response_attributes, response, server.provider))
        if self._content:
            call.describe(run("read a response's messages", _output_content, response))


def _server_of(completions: Any) -> Server:
    return server_of(completions._client)


def _input_content(parameters: Mapping[str, Any]) -> dict[str, str]:
    messages = input_messages(parameters.get("messages"))
    return {} if messages is None else {names.INPUT_MESSAGES: json_text(messages)}


def _tool_content(parameters: Mapping[str, Any]) -> dict[str, str]:
    definitions = tool_definitions(parameters.get("tools") or parameters.get("functions"))
    return {names.TOOL_DEFINITIONS: json_text(definitions)} if definitions else {}


def _output_content(response: object) -> dict[str, str]:
    messages = output_messages(field(response, "choices"))
    return {names.OUTPUT_MESSAGES: json_text(messages)} if messages else {}
