"""The operations API on the wire.

An operator acts on their own jurisdiction: callers of another one are turned away before.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import grpc.aio
from hemline.router.v1 import operations_service_pb2 as pb
from hemline.router.v1 import operations_service_pb2_grpc as pb_grpc

from services.chassis import contract
from services.chassis.clock import Clock
from services.chassis.database import Database
from services.chassis.server import Served
from services.chassis.tenancy import current_caller
from services.chassis.wire import to_timestamp
from services.router import convert_operations as convert
from services.router import trial
from services.router.cache import SnapshotCache, UnknownNode
from services.router.explain import explain
from services.router.observed import Observed
from services.router.operations import Operations
from services.router.operations_rules import Scene
from services.router.policy_source import PolicySource
from services.router.policy_stores import PolicyStores
from services.router.policy_writer import PolicyWriter
from services.router.publish import Publisher
from services.router.registry import Registry

WATCH_SECONDS = 1.0
FIRST_READ_SECONDS = 3.0
"""Of the policy, before a router that starts publishes anything."""

Context = grpc.aio.ServicerContext[Any, Any]


@dataclass(frozen=True, slots=True)
class Fleet:
    """The proxies of this router and what they are to know."""

    registry: Registry
    cache: SnapshotCache
    published: Publisher

    def meant_for(self, node: str) -> str:
        """Returns the version of the snapshot that is meant for ``node``; empty without one."""
        try:
            snapshot = self.cache.get(self.cache.node(node))
        except UnknownNode:
            return ""
        return snapshot.version if snapshot else ""


class OperationsServicer(pb_grpc.OperationsServiceServicer):
    def __init__(
        self,
        operations: Operations,
        fleet: Fleet,
        observed: Observed,
        clock: Clock,
    ) -> None:
        self._operations = operations
        self._fleet = fleet
        self._observed = observed
        self._clock = clock
        self._methods = {method.path: method for method in contract.methods()}

    @property
    def _jurisdiction(self) -> str:
        return self._operations.scene.jurisdiction

    async def DrainRegion(
        self, request: pb.DrainRegionRequest, context: Context
    ) -> pb.DrainRegionResponse:
        order, region, percent = convert.drain_from(request, current_caller().user_id)
        outcome = await self._operations.drain(order, region, percent)
        policy, shares, unreachable = convert.outcome_fields(self._jurisdiction, outcome)
        return pb.DrainRegionResponse(policy=policy, shares=shares, unreachable=unreachable)

    async def UndrainRegion(
        self, request: pb.UndrainRegionRequest, context: Context
    ) -> pb.UndrainRegionResponse:
        order, region, percent = convert.undrain_from(request, current_caller().user_id)
        outcome = await self._operations.undrain(order, region, percent)
        policy, shares, unreachable = convert.outcome_fields(self._jurisdiction, outcome)
        return pb.UndrainRegionResponse(policy=policy, shares=shares, unreachable=unreachable)

    async def GetTrafficPolicy(
        self, request: pb.GetTrafficPolicyRequest, context: Context
    ) -> pb.GetTrafficPolicyResponse:
        policy = convert.policy_message(self._jurisdiction, await self._operations.fresh_policy())
        return pb.GetTrafficPolicyResponse(policy=policy)

    async def SetTrafficPolicy(
        self, request: pb.SetTrafficPolicyRequest, context: Context
    ) -> pb.SetTrafficPolicyResponse:
        order, steering = convert.steering_from(request, current_caller().user_id)
        outcome = await self._operations.set_policy(order, steering)
        policy, shares, unreachable = convert.outcome_fields(self._jurisdiction, outcome)
        return pb.SetTrafficPolicyResponse(policy=policy, shares=shares, unreachable=unreachable)

    async def ListPolicyChanges(
        self, request: pb.ListPolicyChangesRequest, context: Context
    ) -> pb.ListPolicyChangesResponse:
        page = convert.changes_page(request)
        changes, unreachable = self._operations.history()
        rest = [each for each in changes if page.after is None or each.key < page.after]
        shown = rest[: page.size]
        return pb.ListPolicyChangesResponse(
            changes=[convert.change_message(change) for change in shown],
            next_page_token=page.token(shown[-1].key if len(rest) > page.size else None),
            unreachable=unreachable,
        )

    async def WatchRegions(
        self, request: pb.WatchRegionsRequest, context: Context
    ) -> AsyncIterator[pb.WatchRegionsResponse]:
        told: list[pb.RegionStatus] | None = None
        while True:
            policy = self._operations.policy().policy
            statuses = convert.region_statuses(self._operations.scene, self._observed, policy)
            if statuses != told:
                told = statuses
                yield pb.WatchRegionsResponse(time=to_timestamp(self._clock()), regions=statuses)
            await asyncio.sleep(WATCH_SECONDS)

    async def ExplainRoute(
        self, request: pb.ExplainRouteRequest, context: Context
    ) -> pb.ExplainRouteResponse:
        scene = self._operations.scene
        question = convert.question_from(request, scene.topology, self._methods)
        found = explain(scene, self._operations.policy().policy, question)
        return convert.explanation_message(found)

    async def ListProxies(
        self, request: pb.ListProxiesRequest, context: Context
    ) -> pb.ListProxiesResponse:
        page, fleet = convert.proxies_page(request), self._fleet
        start = str(page.after[0]) if page.after else ""
        rest = [proxy for proxy in fleet.registry.proxies() if proxy.node > start]
        shown = rest[: page.size]
        return pb.ListProxiesResponse(
            proxies=[convert.proxy_message(one, fleet.meant_for(one.node)) for one in shown],
            next_page_token=page.token((shown[-1].node,) if len(rest) > page.size else None),
            proof=fleet.published.proof,
            proven_states=fleet.published.proven_states,
            refused=fleet.published.refused,
        )


@asynccontextmanager
async def steering(
    database: Database, fleet: Fleet, observed: Observed, clock: Clock
) -> AsyncIterator[Served]:
    """Keeps the policy in force as long as it is entered. Yields the API.

    Entered, it has published the policy of the jurisdiction, or what the topology says if no store
    has told it in time.
    """
    facts = fleet.published.facts
    topology, jurisdiction = facts.topology, facts.jurisdiction
    stores = PolicyStores(database, jurisdiction.regions)
    source = PolicySource(
        topology, facts.region, stores, lambda held: fleet.published.update(policies=held)
    )
    scene = Scene(topology, jurisdiction.name, facts.endpoints, observed)
    writer = PolicyWriter(facts.region, source, stores, clock)
    operations = Operations(
        scene, source, writer, lambda policy: trial.problems(fleet.published.facts, policy)
    )
    try:
        async with asyncio.TaskGroup() as group:
            polling = group.create_task(source.run())
            fleet.published.update(policies=await source.first(FIRST_READ_SECONDS))
            yield Served(
                pb.DESCRIPTOR.services_by_name["OperationsService"],
                pb_grpc.add_OperationsServiceServicer_to_server,
                OperationsServicer(operations, fleet, observed, clock),
            )
            polling.cancel()
    finally:
        await stores.close()
