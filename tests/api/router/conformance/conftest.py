"""A router's xDS server with mutual TLS, whose snapshots the tests make up."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import grpc.aio
import pytest
import pytest_asyncio

from services.router import ads_server, nodes, xds_types
from services.router.ads_server import ServerIdentity
from services.router.cache import SnapshotCache
from services.router.discovery import AdsServicer
from services.router.registry import Proxy, Registry
from services.router.snapshot import Resource, Snapshot, resource
from tests.api.router.conformance.client import Client, Delta, Sotw
from tests.api.router.conftest import two_jurisdictions
from tests.support.certificates import MeshCertificates

TOPOLOGY = two_jurisdictions()
HERE = "eu-central-1"
NODE = f"edge/{HERE}/7"
BARRIERS = 6


def secret(name: str, text: str = "1") -> Resource:
    body = {"name": name, "generic_secret": {"secret": {"inline_string": text}}}
    return resource(xds_types.SECRET, body)


def cluster(name: str, timeout: str = "1s") -> Resource:
    return resource(xds_types.CLUSTER, {"name": name, "connect_timeout": timeout})


def hosts(name: str, priority: int = 0) -> Resource:
    body = {"cluster_name": name, "endpoints": [{"priority": priority}]}
    return resource(xds_types.ENDPOINTS, body)


def routes(name: str, to: str) -> Resource:
    route = {"match": {"prefix": "/"}, "route": {"cluster": to}}
    host = {"name": "all", "domains": ["*"], "routes": [route]}
    return resource(xds_types.ROUTES, {"name": name, "virtual_hosts": [host]})


class Router:
    """Serves what it is told to offer."""

    def __init__(self, certificates: MeshCertificates) -> None:
        self.cache = SnapshotCache([nodes.edge(HERE)])
        self.registry = Registry()
        self._certificates = certificates
        self._running = AsyncExitStack()
        self._port = 0

    async def start(self) -> None:
        region = TOPOLOGY.regions[HERE]
        identity = ServerIdentity(region, self._certificates.load(HERE))
        register = AdsServicer(self.cache, region, self.registry).register
        address = f"127.0.0.1:{self._port}"
        serving = ads_server.serving(address, identity, [register])
        self._port = await self._running.enter_async_context(serving)

    async def stop(self) -> None:
        """Sends GOAWAY and ends every stream."""
        await self._running.aclose()
        self._running = AsyncExitStack()

    def offer(self, *resources: Resource) -> None:
        barriers = (secret(f"barrier-{number}") for number in range(1, BARRIERS + 1))
        self.cache.replace({nodes.edge(HERE): Snapshot([*resources, *barriers])})

    def channel(self) -> grpc.aio.Channel:
        return self._certificates.channel(f"127.0.0.1:{self._port}", "edge", HERE)

    @property
    def proxy(self) -> Proxy:
        [found] = self.registry.proxies()
        return found


class World:
    """A router, and one more on demand; clients of one dialect."""

    def __init__(self, certificates: MeshCertificates, dialect: type[Client]) -> None:
        self.router = Router(certificates)
        self.other = Router(certificates)
        self.delta = dialect is Delta
        self._dialect = dialect
        self.stack = AsyncExitStack()

    async def connect(self, router: Router | None = None) -> Client:
        """A new stream over a connection of its own."""
        channel = await self.stack.enter_async_context((router or self.router).channel())
        made = self._dialect(channel, NODE)
        self.stack.callback(made.call.cancel)
        return made


@pytest.fixture(scope="package")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> MeshCertificates:
    folder: Path = tmp_path_factory.mktemp("certificates")
    return MeshCertificates(folder, TOPOLOGY)


@pytest_asyncio.fixture(params=[Delta, Sotw], ids=["delta", "sotw"])
async def world(
    request: pytest.FixtureRequest, certificates: MeshCertificates
) -> AsyncIterator[World]:
    made = World(certificates, request.param)
    await made.router.start()
    yield made
    await made.stack.aclose()
    await made.router.stop()
    await made.other.stop()
