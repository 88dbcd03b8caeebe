"""Where the collector listens."""

import asyncio
import socket

from hansei.collector.address import Address


def test_answers_leave_at_once() -> None:
    """Nagle's algorithm is off at the connections of a bound socket, so an answer in two writes is not held back."""

    async def nodelay() -> int:
        accepted: asyncio.Future[asyncio.StreamWriter] = asyncio.get_running_loop().create_future()
        bound = Address("127.0.0.1", 0).bind("otlp_http")
        async with await asyncio.start_server(lambda _, writer: accepted.set_result(writer), sock=bound):
            _, client = await asyncio.open_connection(*bound.getsockname())
            server = await accepted
            found: int = server.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            client.close()
            server.close()
            return found

    assert asyncio.run(nodelay()) == 1
