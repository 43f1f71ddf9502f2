"""gRPC's own xDS client takes its bootstrap, proves who it is, and reaches a sidecar."""

import asyncio
import json
import os
import sys

from tests.api.router.mesh import GET_STOCK, Mesh
from tests.support.envoy import until

HERE = "eu-central-1"

CLIENT = """
import sys, grpc
credentials = grpc.xds_channel_credentials(grpc.ssl_channel_credentials())
path, token = sys.argv[1:]
with grpc.secure_channel("xds:///inventory.eu-central-1", credentials) as channel:
    metadata = [("authorization", f"Bearer {token}")]
    for _ in range(2):
        answer = channel.unary_unary(path)(b"", metadata=metadata, timeout=20, wait_for_ready=True)
        print(answer.decode(), flush=True)
        sys.stdin.readline()
"""


async def test_a_client_reaches_the_home_region(fragile: Mesh) -> None:
    region = fragile.regions[HERE]
    bootstrap = fragile.client_bootstrap(HERE, "forecast")
    # The client library reads it once for each process.
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-c", CLIENT, GET_STOCK, fragile.token(HERE)),
        env={**os.environ, "GRPC_XDS_BOOTSTRAP_CONFIG": json.dumps(bootstrap)},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        answer = await asyncio.wait_for(process.stdout.readline(), 20)
        assert json.loads(answer)["backend"] == f"inventory@{HERE}"
        known = {proxy.node: proxy for proxy in region.registry.proxies()}
        client = known["client/eu-central-1/forecast/1"]
        assert await until(lambda: client.good_version != "")
        process.stdin.write(b"\n")
        assert json.loads(await asyncio.wait_for(process.stdout.readline(), 20))["backend"]
    finally:
        process.kill()
        await process.wait()
