"""The router API on the wire: questions about the topology. No request is routed here."""

from typing import Any

import grpc.aio
from hemline.router.v1 import router_service_pb2 as pb
from hemline.router.v1 import router_service_pb2_grpc as pb_grpc

from services.chassis.paging import Limits, page_from
from services.chassis.tenancy import current_caller
from services.chassis.topology import Topology
from services.router import convert

REGIONS = Limits(default=50, most=500)

Context = grpc.aio.ServicerContext[Any, Any]


class RouterServicer(pb_grpc.RouterServiceServicer):
    def __init__(self, topology: Topology) -> None:
        self._topology = topology

    async def ResolveRegion(
        self, request: pb.ResolveRegionRequest, context: Context
    ) -> pb.ResolveRegionResponse:
        home = self._topology.regions[current_caller().home_region]
        return pb.ResolveRegionResponse(region=convert.region(home))

    async def ListRegions(
        self, request: pb.ListRegionsRequest, context: Context
    ) -> pb.ListRegionsResponse:
        page = page_from(request, REGIONS, key=(str,))
        start = str(page.after[0]) if page.after else ""
        rest = sorted(name for name in self._topology.regions if name > start)
        names = rest[: page.size]
        return pb.ListRegionsResponse(
            regions=[convert.region(self._topology.regions[name]) for name in names],
            next_page_token=page.token((names[-1],) if len(rest) > page.size else None),
        )
