"""Health discovery: the region's edges check every sidecar of the jurisdiction and say how it is.

They ask over mutual TLS, with the edge's own certificate. Envoy takes that one out of the order
itself: in these, unlike in clusters, it knows no secret by name.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from typing import Any

import grpc.aio
import structlog
from envoy.service.health.v3 import hds_pb2 as pb
from envoy.service.health.v3 import hds_pb2_grpc as pb_grpc
from google.protobuf import json_format

from services.router import relaying, reporting, spiffe, xds_types
from services.router.addresses import Address
from services.router.cache import SnapshotCache
from services.router.check import orders
from services.router.nodes import Node
from services.router.observed import Observed, Place
from services.router.relaying import Relay, Tell
from services.router.snapshot import Snapshot
from services.router.translate import Facts

INTERVAL = "1s"
TIMEOUT = "0.5s"
PREFIX = "health"
"""First part of a cluster's name. Envoy counts under it, beside the clusters that carry calls."""

HEALTHY = 1
"""`envoy.config.core.v3.HealthStatus`."""

log = structlog.get_logger()

Context = grpc.aio.ServicerContext[Any, Any]


class HealthServicer(pb_grpc.HealthDiscoveryServiceServicer):  # type: ignore[misc]  # Untyped.
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
        pb_grpc.add_HealthDiscoveryServiceServicer_to_server(self, server)

    async def StreamHealthCheck(  # noqa: N802  # The contract's name.
        self, requests: AsyncIterator[Any], context: Context
    ) -> AsyncIterator[Any]:
        first = await anext(requests, None)
        if first is None:
            return
        node_id = first.health_check_request.node.id
        facts = self._facts()
        region = facts.topology.regions[facts.region]
        reporter = await reporting.reporter(context, self._cache, node_id, region)
        log.info("health_stream_opened", node=node_id, passed_on=reporter.passed_on)
        with ExitStack() as stack:
            stack.callback(self._observed.ended, node_id, context)
            if reporter.passed_on:  # Whoever passes it on has said what is to be checked.
                await self._read(node_id, requests, context, relaying.nobody)
                return
            tell = stack.enter_context(self._relay.stream(_call, first))
            changed = asyncio.Event()
            # An edge's certificate stands in its snapshot: with a new one, that is another.
            stack.enter_context(self._cache.watching(reporter.node, changed.set))
            reading = asyncio.create_task(self._read(node_id, requests, context, tell))
            reading.add_done_callback(lambda _: changed.set())
            stack.callback(reading.cancel)
            told: pb.HealthCheckSpecifier | None = None
            while not reading.done():
                changed.clear()
                wanted = self._wanted(reporter.node)
                if wanted is not None and wanted != told:
                    told = wanted
                    yield wanted
                await changed.wait()
            await reading

    def _wanted(self, node: Node) -> pb.HealthCheckSpecifier | None:
        """The orders that follow from what is in force. None before, or if they are not safe."""
        facts, in_force = self._facts(), self._cache.get(node)
        if in_force is None:
            return None
        wanted = specifier(facts, in_force)
        plain = json_format.MessageToDict(wanted, preserving_proto_field_name=True)
        for problem in orders.problems(facts, in_force, plain):
            log.error("health_orders_refused", problem=problem)
            return None
        return wanted

    async def _read(
        self, node_id: str, requests: AsyncIterator[Any], stream: Context, tell: Tell
    ) -> None:
        async for request in requests:
            hosts = _hosts(self._facts(), request.endpoint_health_response)
            self._observed.take_health(node_id, stream, hosts)
            tell(request)


def _call(channel: grpc.aio.Channel) -> Any:
    return pb_grpc.HealthDiscoveryServiceStub(channel).StreamHealthCheck()


def specifier(facts: Facts, in_force: Snapshot) -> pb.HealthCheckSpecifier:
    """What an edge of this region is to check: every sidecar of its jurisdiction, and no other.

    With the certificate of its snapshot: a newer one may have been refused.
    """
    checks = [
        _cluster(facts, in_force, region, service)
        for region in facts.jurisdiction.regions
        for service in sorted(facts.endpoints[region].services)
    ]
    xds_types.register()
    made: pb.HealthCheckSpecifier = json_format.ParseDict(
        {"interval": INTERVAL, "cluster_health_checks": checks}, pb.HealthCheckSpecifier()
    )
    return made


def _cluster(facts: Facts, in_force: Snapshot, region: str, service: str) -> dict[str, Any]:
    hosts = facts.endpoints[region].services[service]
    check = {
        "interval": INTERVAL,
        "no_traffic_interval": INTERVAL,
        "timeout": TIMEOUT,
        "unhealthy_threshold": 2,
        "healthy_threshold": 1,
        "grpc_health_check": {"authority": f"{service}.{region}.hemline.internal"},
    }
    addresses = [{"address": host.sidecar.envoy()} for host in hosts]
    socket = {
        "name": "mtls",
        "match": {},
        "transport_socket": _tls(facts, in_force, region, service),
    }
    return {
        "cluster_name": f"{PREFIX}|{service}|{region}",
        "health_checks": [check],
        "locality_endpoints": [{"locality": {"region": region}, "endpoints": addresses}],
        "transport_socket_matches": [socket],
    }


def _tls(facts: Facts, in_force: Snapshot, region: str, service: str) -> dict[str, Any]:
    secrets = in_force.of(xds_types.SECRET)
    trusted = secrets[f"trust/{facts.jurisdiction.name}"].plain["validation_context"]
    expected = {"exact": spiffe.sidecar(facts.topology.regions[region], service)}
    common = {
        "tls_params": {
            "tls_minimum_protocol_version": "TLSv1_3",
            "tls_maximum_protocol_version": "TLSv1_3",
        },
        "alpn_protocols": ["h2"],
        "tls_certificates": [secrets["identity"].plain["tls_certificate"]],
        "validation_context": {
            **trusted,
            "match_typed_subject_alt_names": [{"san_type": "URI", "matcher": expected}],
        },
    }
    kind = f"{xds_types.EXTENSIONS}transport_sockets.tls.v3.UpstreamTlsContext"
    return {
        "name": "envoy.transport_sockets.tls",
        "typed_config": {"@type": kind, "common_tls_context": common},
    }


def _hosts(facts: Facts, answer: Any) -> dict[Place, dict[str, bool]]:
    """What ``answer`` says of the hosts that were asked about. Anything else is passed over."""
    return {
        (region, service): dict(_endpoints(cluster))
        for cluster in answer.cluster_endpoints_health
        for service, _, region in [cluster.cluster_name.removeprefix(f"{PREFIX}|").partition("|")]
        if service in facts.here.services and region in facts.jurisdiction.regions
    }


def _endpoints(cluster: Any) -> Iterator[tuple[str, bool]]:
    for locality in cluster.locality_endpoints_health:
        for found in locality.endpoints_health:
            address = found.endpoint.address.socket_address
            healthy = found.health_status == HEALTHY
            yield str(Address(address.address, address.port_value)), healthy
