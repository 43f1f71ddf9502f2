"""Whatever the topology: no edge reaches a jurisdiction that is neither its own nor forwarded."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from services.chassis import topology
from services.chassis.topology import ForeignEdges, Topology
from services.router import check, endpoints, nodes, xds_types
from services.router.translate import Facts, translate
from tests.unit.router.world import METHODS, SERVICES, certificates, key

NAMES = ["aa-north-1", "aa-north-2", "aa-south-1", "bb-east-1", "bb-east-2", "cc-west-1"]


@st.composite
def topologies(draw: st.DrawFn) -> Topology:
    regions = draw(st.permutations(NAMES))[: draw(st.integers(1, len(NAMES)))]
    owner = {name: draw(st.sampled_from(["EU", "US", "JP"])) for name in regions}
    members: dict[str, list[str]] = {}
    for name, jurisdiction in owner.items():
        members.setdefault(jurisdiction, []).append(name)
    mode = st.sampled_from([mode.value for mode in ForeignEdges])
    document: dict[str, Any] = {
        "jurisdictions": {
            name: {"regions": found, "foreign_edges": draw(mode)} for name, found in members.items()
        },
        "regions": {
            name: {
                "endpoint": f"https://{name}.example",
                "failover": _some(draw, [one for one in members[owner[name]] if one != name]),
            }
            for name in regions
        },
        "edge": {"cors_origins": [], "reflection": draw(st.booleans())},
    }
    return topology.parse(document)


def _some(draw: st.DrawFn, names: list[str]) -> list[str]:
    return list(draw(st.permutations(names)))[: draw(st.integers(0, len(names)))]


def listening(found: Topology) -> endpoints.Endpoints:
    """Region i has the addresses 10.0.i.*."""
    document = {
        "regions": {
            name: {
                "edge": {"listen": f"10.0.{i}.1:443"},
                "services": {
                    service: [{"sidecar": f"10.0.{i}.{k}:8443", "app": f"127.0.0.1:{9000 + k}"}]
                    for k, service in enumerate(SERVICES, start=10)
                },
            }
            for i, name in enumerate(found.regions)
        }
    }
    return endpoints.parse(document, found, set(SERVICES))


@settings(deadline=None, max_examples=40)
@given(topologies(), st.data())
def test_clusters_stay_within_their_jurisdiction(found: Topology, data: st.DataObject) -> None:
    region = data.draw(st.sampled_from(sorted(found.regions)))
    keys = {name: (key(found, name),) for name in found.jurisdictions}
    facts = Facts(region, found, listening(found), keys, METHODS, 1.0, certificates(found, region))
    made = translate(facts)
    for node, snapshot in made.items():
        assert list(check.problems(facts, node, snapshot)) == []
    number = {name: i for i, name in enumerate(found.regions)}
    for name, hosts in made[nodes.edge(region)].of(xds_types.ENDPOINTS).items():
        home = name.partition("|")[2]
        jurisdiction = found.jurisdiction_of(home)
        own = jurisdiction == facts.jurisdiction
        assert own or jurisdiction.foreign_edges is ForeignEdges.FORWARD
        reached = {
            int(host["endpoint"]["address"]["socket_address"]["address"].split(".")[2])
            for locality in hosts.plain["endpoints"]
            for host in locality["lb_endpoints"]
        }
        assert reached <= {number[one] for one in jurisdiction.regions}
        assert number[home] in reached
