"""Who may talk to a router: the certificate decides, not the node id."""

import datetime as dt
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest
import pytest_asyncio
import structlog
from envoy.service.discovery.v3 import ads_pb2_grpc
from envoy.service.discovery.v3 import discovery_pb2 as xds

from services.router import ads_server, nodes, spiffe, xds_types
from services.router.ads_server import ServerIdentity
from services.router.authority import Authority
from services.router.cache import SnapshotCache
from services.router.discovery import AdsServicer
from services.router.leaf import Leaf
from services.router.registry import Registry
from services.router.snapshot import Snapshot, resource
from tests.api.router.conftest import two_jurisdictions
from tests.support.certificates import MeshCertificates, channel, now

TOPOLOGY = two_jurisdictions()
HERE = "eu-central-1"
REGION = TOPOLOGY.regions[HERE]
EDGE, SIDECAR = nodes.edge(HERE), nodes.sidecar(HERE, "inventory", 1)


class Router:
    """xDS for one edge and one sidecar, and nothing else of a router."""

    def __init__(self, certificates: MeshCertificates, address: str, identity: Any) -> None:
        self.certificates = certificates
        self.address = address
        self.identity: ServerIdentity = identity

    async def ask(self, leaf: Leaf | None, node_id: str) -> grpc.StatusCode:
        """Says what becomes of one who shows ``leaf`` and says to be ``node_id``."""
        trusted = self.certificates.authorities["EU"].certificate_pem
        return await _ask(channel(self.address, leaf, trusted), node_id)


async def _ask(opened: grpc.aio.Channel, node_id: str) -> grpc.StatusCode:
    request = xds.DeltaDiscoveryRequest(type_url=xds_types.CLUSTER)
    request.node.id = node_id
    async with opened as made:
        call = ads_pb2_grpc.AggregatedDiscoveryServiceStub(made).DeltaAggregatedResources(
            timeout=20
        )
        try:
            await call.write(request)
            answer = await call.read()
        except grpc.aio.AioRpcError as error:
            return error.code()
        assert answer.resources
        return grpc.StatusCode.OK


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def router(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Router]:
    certificates = MeshCertificates(tmp_path_factory.mktemp("certificates"), TOPOLOGY)
    cache = SnapshotCache([EDGE, SIDECAR])
    cluster = resource(xds_types.CLUSTER, {"name": "some", "type": "STATIC"})
    cache.replace({EDGE: Snapshot([cluster]), SIDECAR: Snapshot([cluster])})
    identity = ServerIdentity(REGION, certificates.load(HERE))
    register = AdsServicer(cache, REGION, Registry()).register
    async with ads_server.serving("127.0.0.1:0", identity, [register]) as port:
        yield Router(certificates, f"127.0.0.1:{port}", identity)


@pytest.fixture
def logged() -> Iterator[list[Any]]:
    with structlog.testing.capture_logs() as entries:
        yield entries


async def test_proxies_with_their_own_certificates_are_answered(router: Router) -> None:
    edge = router.certificates.leaf("edge", HERE)
    assert await router.ask(edge, "edge/eu-central-1/7") is grpc.StatusCode.OK
    sidecar = router.certificates.leaf("sidecar-inventory", HERE)
    assert await router.ask(sidecar, str(SIDECAR)) is grpc.StatusCode.OK


@pytest.mark.parametrize(
    ("region", "name", "node"),
    [
        (HERE, "sidecar-inventory", EDGE),
        (HERE, "edge", SIDECAR),
        (HERE, "sidecar-identity", SIDECAR),
        (HERE, "router", EDGE),
        (HERE, "client-forecast", EDGE),
        ("eu-west-1", "edge", EDGE),
    ],
)
async def test_another_proxys_certificate_is_refused(
    router: Router, logged: list[Any], region: str, name: str, node: nodes.Node
) -> None:
    leaf = router.certificates.leaf(name, region)
    assert await router.ask(leaf, str(node)) is grpc.StatusCode.PERMISSION_DENIED
    [entry] = [entry for entry in logged if entry["event"] == "peer_refused"]
    shown = TOPOLOGY.regions[region]
    assert entry["node"] == str(node)
    assert entry["certificates"][0].startswith(f"spiffe://eu.hemline/{shown.name}/")


def _none(router: Router) -> Leaf | None:
    del router
    return None


def _foreign(router: Router) -> Leaf | None:
    return router.certificates.leaf("edge", "us-east-1")


def _foreign_authority(router: Router) -> Leaf | None:
    return router.certificates.authorities["US"].issue(spiffe.edge(REGION), now())


def _unknown_authority(router: Router) -> Leaf | None:
    del router
    return Authority.create("EU", now()).issue(spiffe.edge(REGION), now())


def _expired(router: Router) -> Leaf | None:
    before = now() - dt.timedelta(days=8)
    return router.certificates.authorities["EU"].issue(spiffe.edge(REGION), before)


@pytest.mark.parametrize(
    "leaf", [_none, _foreign, _foreign_authority, _unknown_authority, _expired]
)
async def test_nobody_else_gets_as_far_as_a_call(
    router: Router, logged: list[Any], leaf: Callable[[Router], Leaf | None]
) -> None:
    assert await router.ask(leaf(router), str(EDGE)) is grpc.StatusCode.UNAVAILABLE
    assert not [entry for entry in logged if entry["event"] == "peer_refused"]


async def test_a_name_beside_the_id_changes_nothing(router: Router) -> None:
    edge = spiffe.edge(REGION)
    leaf = router.certificates.authorities["EU"].issue(edge, now(), names=(HERE,))
    assert await router.ask(leaf, str(EDGE)) is grpc.StatusCode.OK


async def test_plain_text_is_refused(router: Router) -> None:
    opened = grpc.aio.insecure_channel(router.address)
    assert await _ask(opened, str(EDGE)) is grpc.StatusCode.UNAVAILABLE


async def test_a_new_authority_needs_no_restart(tmp_path: Path, router: Router) -> None:
    other = MeshCertificates(tmp_path, TOPOLOGY)
    new, trusted = other.leaf("edge", HERE), other.authorities["EU"].certificate_pem
    before = channel(router.address, new, trusted)
    assert await _ask(before, str(EDGE)) is grpc.StatusCode.UNAVAILABLE
    router.identity.update(other.load(HERE))
    assert await _ask(channel(router.address, new, trusted), str(EDGE)) is grpc.StatusCode.OK
    router.identity.update(router.certificates.load(HERE))
    edge = router.certificates.leaf("edge", HERE)
    assert await router.ask(edge, str(EDGE)) is grpc.StatusCode.OK
