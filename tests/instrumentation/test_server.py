"""Which provider and server a client's base URL stands for."""

import pytest
from openai import OpenAI

from hansei.instrumentation.server import Server, server_of


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://api.openai.com/v1", Server("openai", "api.openai.com", 443)),
        ("https://eu.api.openai.com/v1", Server("openai", "eu.api.openai.com", 443)),
        ("https://kumo.openai.azure.com/openai/v1", Server("azure.ai.openai", "kumo.openai.azure.com", 443)),
        ("https://api.groq.com/openai/v1", Server("groq", "api.groq.com", 443)),
        ("https://eu-aiplatform.googleapis.com/v1", Server("gcp.vertex_ai", "eu-aiplatform.googleapis.com", 443)),
        (
            "https://bedrock-runtime.eu-west-1.amazonaws.com/openai/v1",
            Server("aws.bedrock", "bedrock-runtime.eu-west-1.amazonaws.com", 443),
        ),
        # A machine in a cloud is not the cloud's model service.
        ("http://ec2-1-2.compute.amazonaws.com:8000/v1", Server("openai", "ec2-1-2.compute.amazonaws.com", 8000)),
        ("http://gpu.westeurope.cloudapp.azure.com/v1", Server("openai", "gpu.westeurope.cloudapp.azure.com", 80)),
        ("https://api.openai.com.example.org/v1", Server("openai", "api.openai.com.example.org", 443)),
        ("http://localhost:11434/v1", Server("openai", "localhost", 11434)),
        ("http://[::1]:8000/v1", Server("openai", "::1", 8000)),
    ],
)
def test_a_known_host_has_its_own_name_and_any_other_the_name_of_the_protocol(url: str, expected: Server) -> None:
    """``gen_ai.provider.name`` is the API's flavour, ``server.address`` the place."""
    with OpenAI(base_url=url, api_key="key") as client:
        assert server_of(client) == expected
