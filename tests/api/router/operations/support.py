"""The operations API on a real server, with reports of health that a test makes up."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import grpc
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from hemline.router.v1 import operations_service_pb2 as pb
from hemline.router.v1 import operations_service_pb2_grpc as pb_grpc

from deploy.local.postgres import Postgres
from services.chassis import contract
from services.chassis.clock import utc_now
from services.router.cache import SnapshotCache
from services.router.observed import Observed
from services.router.publish import Publisher
from services.router.registry import Registry
from services.router.servicer_operations import Fleet, steering
from services.router.translate import Facts
from tests.store.router.support import HOME, SERVICES, SIBLING, open_database, two_regions
from tests.support.api import Api, api
from tests.unit.router.world import certificates, key

STREAM = object()
REPORTED = datetime(2026, 1, 1, tzinfo=UTC)
"""Reports do not grow old here."""


@dataclass
class World:
    api: Api
    stub: Any
    observed: Observed
    publisher: Publisher
    fleet: Fleet

    def as_operator(self) -> Any:
        return self.api.as_tenant(uuid4())

    async def call(self, method: str, request: Any) -> Any:
        return await getattr(self.stub, method)(request, metadata=self.as_operator())

    async def refused(self, method: str, request: Any) -> tuple[grpc.StatusCode, str, Any]:
        """Returns code, reason and the status of a call that must fail."""
        with pytest.raises(grpc.aio.AioRpcError) as failed:
            await self.call(method, request)
        status = rpc_status.from_call(failed.value)
        info = error_details_pb2.ErrorInfo()
        assert status is not None
        status.details[0].Unpack(info)
        return failed.value.code(), info.reason, status

    @property
    def drained(self) -> Mapping[str, int]:
        """As the publisher was told."""
        return self.publisher.facts.policies["EU"].drained

    def report(self, **healthy: bool) -> None:
        """Has an edge say of every host of the regions whether it is healthy."""
        endpoints = self.publisher.facts.endpoints
        verdicts = {
            (region.replace("_", "-"), service): {str(host.sidecar): well for host in hosts}
            for region, well in healthy.items()
            for service, hosts in endpoints[region.replace("_", "-")].services.items()
        }
        self.observed.take_health("edge/eu-central-1/1", STREAM, verdicts)


@asynccontextmanager
async def serving(servers: dict[str, Postgres]) -> AsyncIterator[World]:
    topology, endpoints = two_regions()
    methods = tuple(method for method in contract.methods() if method.service in SERVICES)
    keys = {name: (key(topology, name),) for name in topology.jurisdictions}
    facts = Facts(HOME, topology, endpoints, keys, methods, 1.0, certificates(topology, HOME))
    cache, observed = SnapshotCache(facts.nodes), Observed(lambda: REPORTED)
    publisher = Publisher(facts, cache)
    fleet = Fleet(Registry(), cache, publisher)
    database = open_database(servers)
    async with (
        steering(database, fleet, observed, utc_now) as served,
        api([served]) as running,
    ):
        stub = pb_grpc.OperationsServiceStub(running.channel)
        yield World(running, stub, observed, publisher, fleet)
    await database.close()


def drain(region: str = SIBLING, **fields: Any) -> pb.DrainRegionRequest:
    given = {"name": f"regions/{region}", "request_id": str(uuid4()), **fields}
    return pb.DrainRegionRequest(**given)
