"""Set up in code: one line, and every model call of this program is a trace in hansei.

    hansei serve &
    python docs/examples/model_server.py --port 8010 &
    OPENAI_BASE_URL=http://127.0.0.1:8010/v1 OPENAI_API_KEY=none python docs/examples/setup_in_code.py

Without a word more it sends to a collector on this machine; ``endpoint`` and ``api_key``, or OpenTelemetry's own
variables, name another.
"""

from openai import OpenAI

import hansei

hansei.instrument(service_name="setup-in-code", resource_attributes={"deployment.environment.name": "demo"})

completion = OpenAI().chat.completions.create(
    model="gpt-4o-mini",
    messages=[
        {"role": "system", "content": "Answer from this manual:\n[lights] A red light means that the tank is empty."},
        {"role": "user", "content": "What does the red light mean?"},
    ],
)
print(completion.choices[0].message.content)
