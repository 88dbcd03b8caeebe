"""Join the OpenTelemetry that a service has: its provider, its exporter, its sampling; hansei adds the model calls.

    hansei serve &
    python docs/examples/model_server.py --port 8010 &
    OPENAI_BASE_URL=http://127.0.0.1:8010/v1 OPENAI_API_KEY=none python docs/examples/setup_existing_sdk.py

What joins a service's telemetry records no prompts and answers unless it is asked to, as here.
"""

from openai import OpenAI
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

import hansei

provider = TracerProvider(resource=Resource.create({"service.name": "setup-existing-sdk"}))
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
trace.set_tracer_provider(provider)

hansei.instrument(capture_content=True)

with trace.get_tracer("support").start_as_current_span("answer_question"):
    completion = OpenAI().chat.completions.create(
        model="gpt-4o-mini",
        messages=[
            {
                "role": "system",
                "content": "Answer from this manual:\n[lights] A red light means that the tank is empty.",
            },
            {"role": "user", "content": "What does the red light mean?"},
        ],
    )
    print(completion.choices[0].message.content)
