"""That tenants cost nothing: an edge knows as much after a thousand of them as before the first."""

from typing import Any

import grpc.aio

from benchmarks.router.h2load import PATH
from benchmarks.router.paths import REGION, Bench
from proofs.lab import admin

TENANTS = 1_000


async def measure(bench: Bench) -> dict[str, Any]:
    """Calls once for each of `TENANTS`, and compares the edge's configuration."""
    region = bench.lab.plan.regions[REGION]
    before = await _configuration(region.edge_admin)
    async with grpc.aio.insecure_channel(region.edge) as channel:
        method: Any = channel.unary_unary(PATH)
        for _ in range(TENANTS):
            metadata = (("authorization", f"Bearer {bench.lab.tokens.sign(REGION)}"),)
            try:
                await method(b"", metadata=metadata, timeout=10)
            except grpc.aio.AioRpcError as error:
                # The fast backend says its status too early for gRPC: after headers, before a body.
                if error.code() is not grpc.StatusCode.INTERNAL:
                    raise
    after = await _configuration(region.edge_admin)
    return {
        "tenants": TENANTS,
        "edge_configuration_bytes": [len(before), len(after)],
        "edge_configuration_unchanged": before == after,
    }


async def _configuration(address: str) -> str:
    """Line by line in the order of the alphabet: Envoy's own order differs from time to time."""
    lines = (await admin.get(address, "/config_dump")).splitlines()
    return "\n".join(sorted(line.rstrip(",") for line in lines))
