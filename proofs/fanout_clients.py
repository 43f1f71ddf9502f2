"""The clients of `proofs.fanout`: delta xDS as an edge speaks it, on a connection each.

`python -m proofs.fanout_clients ADDRESS CERTIFICATES REGION COUNT` prints a line of JSON whenever
all of them have got another configuration of token verification: when, in monotonic seconds, each.
"""

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import uvloop
from envoy.service.discovery.v3 import ads_pb2_grpc
from envoy.service.discovery.v3 import discovery_pb2 as pb

from services.router import certificate_files, xds_types
from services.router.translate import jwt, routes

JURISDICTION = "EU"
AT_ONCE = 20
"""Handshakes."""

WANTED = {
    xds_types.CLUSTER: [],
    xds_types.LISTENER: [],
    xds_types.ROUTES: [routes.NAME],
    xds_types.EXTENSION: [jwt.NAME],
    xds_types.SECRET: ["identity", f"trust/{JURISDICTION}"],
}


class Clients:
    def __init__(self, count: int) -> None:
        self._count = count
        self._arrived: list[float] = []

    def arrived(self) -> None:
        """One of them has got it."""
        self._arrived.append(time.monotonic())
        if len(self._arrived) == self._count:
            print(json.dumps(self._arrived), flush=True)
            self._arrived = []


async def client(channel: grpc.aio.Channel, node_id: str, clients: Clients) -> None:
    """Accepts whatever comes, and asks for the endpoints of every cluster."""
    call: Any = ads_pb2_grpc.AggregatedDiscoveryServiceStub(channel).DeltaAggregatedResources()
    for type_url, names in WANTED.items():
        request = pb.DeltaDiscoveryRequest(type_url=type_url, resource_names_subscribe=names)
        request.node.id = node_id
        await call.write(request)
    async for answer in call:
        if answer.type_url == xds_types.EXTENSION:
            clients.arrived()
        ack = pb.DeltaDiscoveryRequest(type_url=answer.type_url, response_nonce=answer.nonce)
        await call.write(ack)
        if answer.type_url == xds_types.CLUSTER:
            found = [one.name for one in answer.resources if "|" in one.name]
            await call.write(
                pb.DeltaDiscoveryRequest(
                    type_url=xds_types.ENDPOINTS, resource_names_subscribe=found
                )
            )


async def run(address: str, folder: Path, region: str, count: int) -> None:
    credentials = grpc.ssl_channel_credentials(
        certificate_files.bundle(folder, JURISDICTION).read_bytes(),
        certificate_files.key(folder, "edge").read_bytes(),
        certificate_files.chain(folder, "edge").read_bytes(),
    )
    # Without a pool of its own, channels to one address share a connection.
    options = [
        ("grpc.use_local_subchannel_pool", 1),
        ("grpc.ssl_target_name_override", "localhost"),
    ]
    clients = Clients(count)
    turns = asyncio.Semaphore(AT_ONCE)

    async def one(number: int) -> None:
        channel = grpc.aio.secure_channel(address, credentials, options)
        async with turns:
            await channel.channel_ready()
        await client(channel, f"edge/{region}/{number}", clients)

    async with asyncio.TaskGroup() as group:
        for number in range(1, count + 1):
            group.create_task(one(number))


if __name__ == "__main__":
    given_address, given_folder, given_region, given_count = sys.argv[1:]
    uvloop.run(run(given_address, Path(given_folder), given_region, int(given_count)))
