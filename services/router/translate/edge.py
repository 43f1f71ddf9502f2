"""Everything that an edge knows."""

from collections.abc import Iterator
from typing import Any

from services.router import spiffe, xds_types
from services.router.snapshot import Resource, resource
from services.router.translate import (
    access_log,
    clusters,
    cors,
    jwt,
    limits,
    listener,
    replies,
    routes,
    tls,
    tracing,
)
from services.router.translate.facts import Facts

LISTENER = "edge"


def resources(facts: Facts) -> Iterator[Resource]:
    yield tls.identity(facts, spiffe.edge(facts.topology.regions[facts.region]))
    yield from tls.trusts(
        facts, (facts.topology.jurisdiction_of(home).name for home in facts.served_homes)
    )
    for home in facts.served_homes:
        for service in facts.services:
            yield from clusters.of_targets(facts, service, home)
    yield from clusters.of_probes(facts)
    yield clusters.fail_closed()
    yield from tracing.clusters(facts)
    tokenless = jwt.open_matches(facts, routes.probes(facts))
    yield resource(
        xds_types.EXTENSION, jwt.extension(facts, facts.topology.jurisdictions, tokenless)
    )
    yield resource(xds_types.LISTENER, _listener(facts))
    yield resource(xds_types.ROUTES, routes.configuration(facts))


def _listener(facts: Facts) -> dict[str, Any]:
    manager = {
        "stat_prefix": "edge",
        "rds": {"config_source": listener.OVER_ADS, "route_config_name": routes.NAME},
        "http_filters": [
            listener.health_check("/healthz"),
            listener.http_filter("grpc_web", "GrpcWeb"),
            cors.http_filter(),
            jwt.http_filter(),
            limits.http_filter(facts),
            listener.http_filter("rbac", "RBAC"),
            listener.http_filter("router", "Router"),
        ],
        # The client's own address, not what an `x-forwarded-for` of theirs claims.
        "use_remote_address": True,
        "stream_idle_timeout": listener.HTTP_IDLE,
        "local_reply_config": replies.of_edge(),
        "access_log": access_log.of_edge(facts),
        **listener.hardening(),
        **tracing.of_manager(facts, "edge", percent=facts.trace_ratio * 100),
    }
    return listener.listener(LISTENER, facts.here.edge, manager)
