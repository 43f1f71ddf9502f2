"""Whatever is named is there, and priorities are such as Envoy can use."""

from collections.abc import Iterator

from services.router import xds_types
from services.router.check.access_log import ROUTERS
from services.router.check.plain import values
from services.router.snapshot import Snapshot


def problems(snapshot: Snapshot) -> Iterator[str]:
    yield from _references(snapshot)
    yield from _priorities(snapshot)


def _references(snapshot: Snapshot) -> Iterator[str]:
    """Whatever is named is there."""
    clusters = snapshot.of(xds_types.CLUSTER)
    by_discovery = {name for name, found in clusters.items() if found.plain.get("type") == "EDS"}
    for name in sorted(by_discovery ^ snapshot.of(xds_types.ENDPOINTS).keys()):
        yield f"cluster {name} and its endpoints are not both there"
    # No route leads to the routers; what is reported to them goes to the bootstrap's cluster.
    reported_to = values(snapshot, "cluster_name") - {ROUTERS}
    for name in sorted((reported_to | values(snapshot, "cluster")) - clusters.keys()):
        yield f"cluster {name} is named but not there"
    secrets = snapshot.of(xds_types.SECRET).keys()
    for name in sorted(_secrets(snapshot) - secrets):
        yield f"secret {name} is named but not there"
    routes = snapshot.of(xds_types.ROUTES).keys()
    for name in sorted(values(snapshot, "route_config_name") - routes):
        yield f"routes {name} are named but not there"
    listeners = snapshot.of(xds_types.LISTENER).values()
    discovered = {
        one["name"] for found in listeners for one in found.mappings if "config_discovery" in one
    }
    for name in sorted(discovered - snapshot.of(xds_types.EXTENSION).keys()):
        yield f"filter {name} is named but not there"


def _secrets(snapshot: Snapshot) -> set[str]:
    kinds = (xds_types.CLUSTER, xds_types.LISTENER)
    found = (found for kind in kinds for found in snapshot.of(kind).values())
    return {str(one["name"]) for each in found for one in each.mappings if "sds_config" in one}


def _priorities(snapshot: Snapshot) -> Iterator[str]:
    """From 0 without a gap, and none is empty: Envoy would spread the traffic without a word."""
    for name, found in snapshot.of(xds_types.ENDPOINTS).items():
        localities = found.plain.get("endpoints", [])
        given = sorted({locality.get("priority", 0) for locality in localities})
        if given != list(range(len(given))):
            yield f"endpoints {name} have priorities {given}"
        if not all(locality.get("lb_endpoints") for locality in localities):
            yield f"endpoints {name} have a priority without an address"
        if not all(locality.get("load_balancing_weight") for locality in localities):
            yield f"endpoints {name} have a locality that nobody is sent to"
