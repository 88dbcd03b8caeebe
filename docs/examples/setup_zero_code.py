"""Zero code: a program that knows nothing of telemetry, started by OpenTelemetry's own command.

    hansei serve &
    python docs/examples/model_server.py --port 8010 &
    export OPENAI_BASE_URL=http://127.0.0.1:8010/v1 OPENAI_API_KEY=none OTEL_SERVICE_NAME=setup-zero-code
    opentelemetry-instrument python docs/examples/setup_zero_code.py

hansei's distro sends to a collector on this machine what the environment does not send elsewhere. Where another
distro is installed, OTEL_PYTHON_DISTRO=hansei asks for ours; where another instrumentation of openai is,
OTEL_PYTHON_DISABLED_INSTRUMENTATIONS=openai leaves the calls to hansei.
"""

from openai import OpenAI

completion = OpenAI().chat.completions.create(
    model="gpt-4o-mini",
    messages=[
        {"role": "system", "content": "Answer from this manual:\n[lights] A red light means that the tank is empty."},
        {"role": "user", "content": "What does the red light mean?"},
    ],
)
print(completion.choices[0].message.content)
