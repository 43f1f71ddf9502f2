"""Load reporting: the region's edges say how many calls they send where."""

from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack
from typing import Any

import grpc.aio
import structlog
from envoy.service.load_stats.v3 import lrs_pb2 as pb
from envoy.service.load_stats.v3 import lrs_pb2_grpc as pb_grpc
from google.protobuf import duration_pb2

from services.router import relaying, reporting
from services.router.cache import SnapshotCache
from services.router.observed import Load, Observed, Place
from services.router.relaying import Relay, Tell
from services.router.translate import Facts

INTERVAL_SECONDS = 1

log = structlog.get_logger()

Context = grpc.aio.ServicerContext[Any, Any]


class LoadServicer(pb_grpc.LoadReportingServiceServicer):  # type: ignore[misc]  # Untyped.
    def __init__(
        self,
        facts: Callable[[], Facts],
        cache: SnapshotCache,
        observed: Observed,
        relay: Relay,
    ) -> None:
        self._facts = facts
        self._relay = relay
        self._cache = cache
        self._observed = observed

    def register(self, server: grpc.aio.Server) -> None:
        pb_grpc.add_LoadReportingServiceServicer_to_server(self, server)

    async def StreamLoadStats(  # noqa: N802  # The contract's name.
        self, requests: AsyncIterator[Any], context: Context
    ) -> AsyncIterator[Any]:
        first = await anext(requests, None)
        if first is None:
            return
        node_id, facts = first.node.id, self._facts()
        region = facts.topology.regions[facts.region]
        reporter = await reporting.reporter(context, self._cache, node_id, region)
        log.info("load_stream_opened", node=node_id, passed_on=reporter.passed_on)
        interval = duration_pb2.Duration(seconds=INTERVAL_SECONDS)
        with ExitStack() as stack:
            stack.callback(self._observed.ended, node_id, context)
            tell: Tell = relaying.nobody
            if not reporter.passed_on:
                tell = stack.enter_context(self._relay.stream(_call, first))
            yield pb.LoadStatsResponse(send_all_clusters=True, load_reporting_interval=interval)
            async for request in requests:
                loads = _loads(self._facts(), request.cluster_stats)
                self._observed.take_load(node_id, context, loads)
                tell(request)


def _call(channel: grpc.aio.Channel) -> Any:
    return pb_grpc.LoadReportingServiceStub(channel).StreamLoadStats()


def _loads(facts: Facts, clusters: Any) -> dict[Place, Load]:
    """Calls by the region that served them: clusters of several homes may lead to one region."""
    loads: dict[Place, Load] = {}
    for cluster in clusters:
        service, _, home = cluster.cluster_name.partition("|")
        seconds = cluster.load_report_interval.ToMicroseconds() / 1e6
        if service not in facts.here.services or not home or seconds <= 0:
            continue
        for locality in cluster.upstream_locality_stats:
            region = locality.locality.region
            if region in facts.jurisdiction.regions:
                before = loads.get((region, service), Load(0.0, 0.0))
                loads[region, service] = Load(
                    before.calls_per_second + locality.total_issued_requests / seconds,
                    before.errors_per_second + locality.total_error_requests / seconds,
                )
    return loads
