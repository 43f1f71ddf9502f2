"""Orders to check health: edges ask sidecars of their own jurisdiction alone, and know them."""

import json
from collections.abc import Iterator

from services.router import spiffe, xds_types
from services.router.check.doors import MODERN, TLS
from services.router.check.plain import Plain, unknown_fields
from services.router.check.residency import addresses, sidecars
from services.router.check.upstreams import HEALTH
from services.router.snapshot import Snapshot
from services.router.translate.facts import Facts

ORDERS = frozenset({"interval", "cluster_health_checks"})
ORDER = frozenset(
    {"cluster_name", "health_checks", "locality_endpoints", "transport_socket_matches"}
)


def problems(facts: Facts, edge: Snapshot, orders: Plain) -> Iterator[str]:
    """Yields what is wrong with ``orders`` for edges that have the snapshot ``edge``."""
    yield from unknown_fields("health discovery", orders, ORDERS)
    for order in orders.get("cluster_health_checks", ()):
        service, _, region = order.get("cluster_name", "").removeprefix("health|").partition("|")
        where = f"health discovery of {service} in {region}"
        yield from unknown_fields(where, order, ORDER)
        if region not in facts.jurisdiction.regions:
            yield f"{where} asks outside of the jurisdiction"
            continue
        for one in order.get("health_checks", ()):
            yield from unknown_fields(where, one, HEALTH)
            yield from unknown_fields(where, one.get("grpc_health_check", {}), {"authority"})
        owners = sidecars(facts, service)
        for address in addresses({"hosts": order.get("locality_endpoints", [])}):
            if owners.get(address) != {region}:
                yield f"{where} asks {address}, which is not there"
        wanted = [_socket(facts, edge, region, service)]
        if _text(order.get("transport_socket_matches")) != _text(wanted):
            yield f"{where} would speak to others"


def _socket(facts: Facts, edge: Snapshot, region: str, service: str) -> Plain:
    """With the certificate and the authorities that are in force, as orders name no secret."""
    secrets = edge.of(xds_types.SECRET)
    asked = spiffe.sidecar(facts.topology.regions[region], service)
    trusted = secrets[f"trust/{facts.jurisdiction.name}"].plain["validation_context"]
    sans = [{"san_type": "URI", "matcher": {"exact": asked}}]
    common = {
        "tls_params": MODERN,
        "alpn_protocols": ["h2"],
        "tls_certificates": [secrets["identity"].plain["tls_certificate"]],
        "validation_context": {**trusted, "match_typed_subject_alt_names": sans},
    }
    typed = {"@type": f"{TLS}UpstreamTlsContext", "common_tls_context": common}
    socket = {"name": "envoy.transport_sockets.tls", "typed_config": typed}
    return {"name": "mtls", "match": {}, "transport_socket": socket}


def _text(value: object) -> str:
    """Equal for equal data. What protobuf reads out of an Any is in no particular order."""
    return json.dumps(value, sort_keys=True)
