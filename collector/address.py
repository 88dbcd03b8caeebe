"""Where a listener listens: ``HOST:PORT``."""

import ipaddress
import socket
from dataclasses import dataclass

from hansei.collector.errors import ConfigurationError


@dataclass(frozen=True)
class Address:
    """A host and a port; port 0 lets the system pick one."""

    host: str
    port: int

    @classmethod
    def parse(cls, key: str, text: str) -> "Address":
        """Read ``HOST:PORT``, ``[IPv6]:PORT`` or ``:PORT`` (loopback). Raises :class:`ConfigurationError`."""
        host, separator, port = text.rpartition(":")
        host = host.removeprefix("[").removesuffix("]")
        if not separator or not port.isascii() or not port.isdigit() or int(port) > 65535:
            raise ConfigurationError(f"{key}: {text!r} is not an address; write HOST:PORT, for example 127.0.0.1:4317")
        return cls(host or "127.0.0.1", int(port))

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach it."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    def cannot_listen(self, key: str, reason: str = "the port is taken or the address is not this machine's") -> str:
        """The one line for a port that cannot be had."""
        return f"{key}: cannot listen on {self}: {reason}; choose another with --{key.replace('_', '-')} HOST:PORT"

    def bind(self, key: str) -> socket.socket:
        """A TCP socket bound to it. Raises :class:`ConfigurationError`."""
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        # asyncio turns Nagle's algorithm off only where the protocol is named; with it, an answer of two writes is
        # 40 ms late for a client that delays its acknowledgements.
        bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            bound.bind((self.host, self.port))
        except OSError as error:
            bound.close()
            raise ConfigurationError(self.cannot_listen(key, error.strerror or str(error))) from error
        return bound
