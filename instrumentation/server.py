"""Which server an OpenAI client speaks to, and whose it is."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

_DEFAULT_PORTS = {"https": 443, "http": 80}

# Hosts that speak OpenAI's protocol and have a name in the conventions. Narrow on purpose: a model server
# on somebody's virtual machine in Azure or AWS is neither Azure OpenAI nor Bedrock.
_HOSTS = {
    re.compile(pattern): provider
    for pattern, provider in {
        r"(.+\.)?api\.openai\.com": "openai",
        r".+\.(openai|cognitiveservices|services\.ai)\.azure\.(com|us|cn)": "azure.ai.openai",
        r".+\.(inference|models)\.ai\.azure\.com": "azure.ai.inference",
        r"api\.anthropic\.com": "anthropic",
        r"bedrock[a-z-]*\..+\.amazonaws\.com": "aws.bedrock",
        r"api\.cohere\.(ai|com)": "cohere",
        r"api\.deepseek\.com": "deepseek",
        r"generativelanguage\.googleapis\.com": "gcp.gemini",
        r"(.+-)?aiplatform\.googleapis\.com": "gcp.vertex_ai",
        r"api\.groq\.com": "groq",
        r".+\.ml\.cloud\.ibm\.com": "ibm.watsonx.ai",
        r".+\.mistral\.ai": "mistral_ai",
        r"api\.moonshot\.(ai|cn)": "moonshot_ai",
        r"api\.perplexity\.ai": "perplexity",
        r"(.+\.)?api\.x\.ai": "x_ai",
    }.items()
}

# The providers whose spans carry `openai.*` attributes.
OPENAI_FLAVOURS = frozenset({"openai", "azure.ai.openai"})


@dataclass(frozen=True, slots=True)
class Server:
    """The other end of a model call, in the words of the conventions."""

    provider: str
    address: str | None = None
    port: int | None = None


# What a call is labelled with when its client does not say where it goes.
UNKNOWN_SERVER = Server("openai")


def server_of(client: Any) -> Server:
    """Read the server from the base URL of an openai client.

    The conventions define ``gen_ai.provider.name`` as the flavour of the API, set to the best of the
    client's knowledge, and require it. So a host that belongs to nobody known (a local server, a gateway)
    is ``openai``, whose protocol it speaks, and ``server.address`` says where the call really went; a host
    that is known is never called anything but its own name.
    """
    url = client.base_url
    address = str(url.host)
    if not address:
        return UNKNOWN_SERVER
    # An Azure client may be pointed at a gateway with any name.
    azure = any(base.__name__ == "BaseAzureClient" for base in type(client).__mro__)
    provider = "azure.ai.openai" if azure else _provider(address)
    return Server(provider, address, url.port or _DEFAULT_PORTS.get(url.scheme))


def server_at(address: str, port: int) -> Server:
    """The server at an address, where there is no client to ask."""
    return Server(_provider(address), address, port)


@lru_cache(maxsize=256)
def _provider(address: str) -> str:
    host = address.lower().rstrip(".")
    return next((provider for pattern, provider in _HOSTS.items() if pattern.fullmatch(host)), "openai")
