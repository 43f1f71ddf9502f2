"""Is it ready? Each probe asks the part itself, in the way its clients will."""

import asyncio
import contextlib
import http.client
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from deploy.local import routes

PROBE_SECONDS = 2.0


class Probe(Protocol):
    async def ready(self) -> bool:
        """Asks once. Never raises for a part that is merely not there yet."""


@dataclass(frozen=True, slots=True)
class Listens:
    port: int

    async def ready(self) -> bool:
        return await _exchange(self.port, b"", 0) is not None


@dataclass(frozen=True, slots=True)
class PostgresAccepts:
    url: str = field(repr=False)

    async def ready(self) -> bool:
        import psycopg  # Takes 100 ms to import; most commands do not need it.

        try:
            async with asyncio.timeout(PROBE_SECONDS):
                connection = await psycopg.AsyncConnection.connect(self.url)
                await connection.close()
        except (psycopg.OperationalError, TimeoutError):
            return False
        return True


@dataclass(frozen=True, slots=True)
class RedisAnswers:
    port: int

    async def ready(self) -> bool:
        return await _exchange(self.port, b"PING\r\n", 5) == b"+PONG"


@dataclass(frozen=True, slots=True)
class HttpOk:
    port: int
    path: str

    async def ready(self) -> bool:
        return await http_get(self.port, self.path) is not None


@dataclass(frozen=True, slots=True)
class FileThere:
    path: Path

    async def ready(self) -> bool:
        return self.path.exists()


@dataclass(frozen=True, slots=True)
class RoutesHold:
    """The relay does what its file says."""

    path: Path

    async def ready(self) -> bool:
        return routes.applied(self.path)


@dataclass(frozen=True, slots=True)
class GrpcServes:
    """All ports listen, and `grpc.health.v1` at the first says SERVING."""

    ports: tuple[int, ...]

    async def ready(self) -> bool:
        # A gRPC channel that was refused waits a second before it tries again; a socket does not.
        for port in self.ports:
            if not await Listens(port).ready():
                return False
        from deploy.local import calls  # gRPC takes 100 ms to import.

        return await calls.serving(self.ports[0])


@dataclass(frozen=True, slots=True)
class EdgesAnswer:
    """A call through each edge is answered, and each edge can check every region's tokens."""

    edges: Mapping[str, tuple[int, int]]  # By region: its port and its admin port.

    async def ready(self) -> bool:
        from deploy.local import calls

        found = await asyncio.gather(*(calls.key_ids(port) for port, _ in self.edges.values()))
        if not all(found):
            return False
        key_ids = {key_id for keys in found for key_id in keys}
        dumps = await asyncio.gather(
            *(http_get(admin, "/config_dump") for _, admin in self.edges.values())
        )
        return all(key_id.encode() in (dump or b"") for dump in dumps for key_id in key_ids)


@dataclass(frozen=True, slots=True)
class All:
    probes: tuple[Probe, ...]

    async def ready(self) -> bool:
        return all(await asyncio.gather(*(probe.ready() for probe in self.probes)))


async def http_get(port: int, path: str) -> bytes | None:
    """Returns the body of a 200 answer, or None."""
    return await asyncio.to_thread(_http_get, port, path)


def _http_get(port: int, path: str) -> bytes | None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PROBE_SECONDS)
    with contextlib.closing(connection):
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            body = answer.read()
        except (OSError, http.client.HTTPException):
            return None
    return body if answer.status == http.client.OK else None


async def _exchange(port: int, request: bytes, answer_bytes: int) -> bytes | None:
    """Returns the first bytes of the answer, or None if nobody listens or answers."""
    try:
        async with asyncio.timeout(PROBE_SECONDS):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                writer.write(request)
                return await reader.readexactly(answer_bytes)
            finally:
                writer.close()
    except (OSError, asyncio.IncompleteReadError, TimeoutError):
        return None
