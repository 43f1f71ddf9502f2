"""A process that calls through gRPC's own xDS client: `python -m tests.api.router.proxyless`.

Its bootstrap is read once for each process, from the environment. It reads a line of JSON, makes
the calls that it tells of, all at once, and writes a line of JSON with what became of each.
"""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
import grpc.aio

from tests.api.router.mesh import Mesh


class Caller:
    """The parent's side."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def call(self, target: str, path: str, token: str, **how: Any) -> list[tuple[str, str]]:
        """Returns, for each of ``count`` calls, the code and the backend that answered."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        order = {"target": target, "path": path, "token": token, **how}
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        line = await asyncio.wait_for(self._process.stdout.readline(), 60)
        return [tuple(one) for one in json.loads(line)]


@asynccontextmanager
async def caller(mesh: Mesh, region: str, service: str) -> AsyncIterator[Caller]:
    """Runs such a process as ``service`` of ``region``."""
    bootstrap = json.dumps(mesh.client_bootstrap(region, service))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.api.router.proxyless"),
        env={**os.environ, "GRPC_XDS_BOOTSTRAP_CONFIG": bootstrap},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield Caller(process)
    finally:
        process.kill()
        await process.wait()


async def _serve() -> None:
    """Keeps a channel for each target."""
    credentials = grpc.xds_channel_credentials(grpc.ssl_channel_credentials())
    channels: dict[str, grpc.aio.Channel] = {}
    while line := await asyncio.to_thread(sys.stdin.readline):
        order = json.loads(line)
        target = order["target"]
        if target not in channels:
            channels[target] = grpc.aio.secure_channel(f"xds:///{target}", credentials)
        made = (_call(channels[target], order) for _ in range(order.get("count", 1)))
        sys.stdout.write(json.dumps(await asyncio.gather(*made)) + "\n")
        sys.stdout.flush()


async def _call(channel: grpc.aio.Channel, order: dict[str, Any]) -> tuple[str, str]:
    metadata = [("authorization", f"Bearer {order['token']}")]
    method = channel.unary_unary(order["path"])
    try:
        answer = await method(b"", metadata=metadata, timeout=order.get("timeout", 20))
    except grpc.aio.AioRpcError as error:
        return error.code().name, ""
    return "OK", json.loads(answer)["backend"]


if __name__ == "__main__":
    asyncio.run(_serve())
