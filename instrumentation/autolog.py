"""``autolog()``: MLflow's name for observing OpenAI calls."""

from hansei.instrumentation.activation import instrument, uninstrument


def autolog(*, disable: bool = False, log_traces: bool = True, silent: bool = False) -> None:
    """Record the OpenAI calls of this process, as :func:`hansei.instrument` does; ``disable`` ends that.

    The parameters are those of ``mlflow.openai.autolog``: without ``log_traces`` nothing is recorded, and ``silent``
    changes nothing, since nothing is printed. Where telemetry goes and what of the content is recorded follows
    OpenTelemetry's variables; ``instrument`` takes both as arguments.
    """
    if disable or not log_traces:
        uninstrument()
    else:
        instrument()
