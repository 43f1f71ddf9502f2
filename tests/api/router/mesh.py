"""A small world of real Envoys: three routers, edges and sidecars on free ports, tiny backends."""

import asyncio
import base64
import json
import tempfile
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any, cast

import grpc
import grpc.aio
from google.rpc import error_details_pb2, status_pb2

from services.chassis import contract, topology
from services.chassis.clock import utc_now
from services.chassis.keys import Jwk
from services.router import ads_server, endpoints, nodes
from services.router.access_logs import AccessLogServicer
from services.router.ads_server import ServerIdentity
from services.router.bootstrap import bootstrap
from services.router.cache import SnapshotCache
from services.router.certificates import CertificateSource
from services.router.client_bootstrap import client_bootstrap
from services.router.discovery import AdsServicer
from services.router.health import HealthServicer
from services.router.leaf import Certificates
from services.router.load import LoadServicer
from services.router.nodes import Node
from services.router.observed import Observed
from services.router.publish import Publisher
from services.router.registry import Registry
from services.router.relaying import Relay
from services.router.translate import Facts
from tests.api.router.backend import Echo, backend
from tests.api.router.collector import Collector, collector
from tests.api.router.heard import Heard
from tests.support.certificates import MeshCertificates
from tests.support.envoy import Proxy, envoy
from tests.support.servers import free_port
from tests.support.tokens import Signer, claims

ORIGIN = "https://app.hemline.test"
GET_STOCK = "/hemline.inventory.v1.InventoryService/GetStockLevel"
RECORD = "/hemline.inventory.v1.InventoryService/RecordMovement"
EXCHANGE = "/hemline.identity.v1.IdentityService/ExchangeToken"
FORECAST = "/hemline.forecast.v1.ForecastService/GetForecast"


@dataclass
class Answer:
    """What a client sees of a call, over gRPC or gRPC-Web."""

    code: grpc.StatusCode
    message: str
    headers: dict[str, str]
    details: status_pb2.Status | None = None
    body: dict[str, Any] = field(default_factory=dict)

    @property
    def reason(self) -> str:
        return self.info.reason

    @property
    def info(self) -> Any:
        info = error_details_pb2.ErrorInfo()
        if self.details is not None:
            self.details.details[0].Unpack(info)
        return info


class Region:
    """One region's control plane, and the facts of the whole world."""

    def __init__(self, facts: Facts, ads_address: str, source: CertificateSource) -> None:
        self.facts = facts
        self.region = facts.topology.regions[facts.region]
        self.identity = ServerIdentity(self.region, facts.certificates)
        self.source = source
        self.cache = SnapshotCache(facts.nodes)
        self.publisher = Publisher(facts, self.cache)
        self.registry = Registry()
        self.observed = Observed(utc_now)
        self.siblings: list[str] = []  # xDS of the region's other routers.
        self.audit = Heard(facts)
        self.ads = AsyncExitStack()
        self.ads_address = ads_address

    async def start(self) -> None:
        relay = Relay(self.siblings, self._known)
        servicers = (
            AdsServicer(self.cache, self.region, self.registry),
            AccessLogServicer(self.audit, self.region),
            HealthServicer(self._known, self.cache, self.observed, relay),
            LoadServicer(self._known, self.cache, self.observed, relay),
        )
        registrations = [servicer.register for servicer in servicers]
        serving = ads_server.serving(self.ads_address, self.identity, registrations)
        await self.ads.enter_async_context(serving)
        self.following = asyncio.create_task(self.source.run(self._renewed))
        self.ads.callback(self.following.cancel)

    def _known(self) -> Facts:
        return self.publisher.facts

    def _renewed(self, found: Certificates) -> None:
        self.identity.update(found)
        assert self.publisher.update(certificates=found)

    async def stop(self) -> None:
        await self.ads.aclose()


class Mesh:
    def __init__(self, stack: AsyncExitStack, found: topology.Topology, signers: Any) -> None:
        self.topology = found
        self.signers: dict[str, Signer] = signers
        self._stack = stack
        self._ports = Ports()
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hemline-mesh-")))
        self.certificates = MeshCertificates(folder, found)
        self.endpoints = endpoints.parse(
            addresses(found, self._ports), found, {method.service for method in contract.methods()}
        )
        self.regions = {name: self.router(name) for name in found.regions}
        self.backends: dict[tuple[str, str], Echo] = {}
        self.apps: dict[tuple[str, str], AsyncExitStack] = {}
        self.collectors: dict[str, Collector] = {}
        self.proxies: dict[Node, Proxy] = {}
        self.running: dict[Node, AsyncExitStack] = {}

    def router(self, name: str) -> Region:
        """One that does not run yet."""
        source = self.certificates.source(name)
        return Region(self._facts(name, source.load()), self._ports.one(), source)

    def _facts(self, region: str, certificates: Certificates) -> Facts:
        return Facts(
            region,
            self.topology,
            self.endpoints,
            {},
            contract.methods(),
            1.0,
            certificates,
        )

    async def start_backend(self, region: str, service: str) -> None:
        address = str(self.endpoints[region].services[service][0].app)
        stack = await self._stack.enter_async_context(AsyncExitStack())
        made = backend(f"{service}@{region}", address)
        self.backends[region, service] = stack.enter_context(made)
        self.apps[region, service] = stack

    async def stop_backend(self, region: str, service: str) -> None:
        await self.apps.pop((region, service)).aclose()

    async def start_proxy(self, node: Node, api_type: str) -> None:
        stack = await self._stack.enter_async_context(AsyncExitStack())
        admin = self._ports.one()
        router = self.regions[node.region]
        ads = [router.ads_address, *router.siblings]
        folder, region = self.certificates.folder(node.region), self.topology.regions[node.region]
        config = bootstrap(str(node), ads, admin, folder, region, api_type=api_type)
        self.proxies[node] = await stack.enter_async_context(envoy(config))
        self.running[node] = stack

    def client_bootstrap(self, region: str, service: str) -> dict[str, Any]:
        """For gRPC's own xDS client in ``service``. The first of its routers does not run."""
        router = self.regions[region].ads_address.replace("127.0.0.1", "localhost")
        folder = self.certificates.folder(region)
        return client_bootstrap(
            service, [f"localhost:{free_port()}", router], folder, self.topology.regions[region]
        )

    async def start_collector(self, region: str) -> None:
        address = str(self.endpoints[region].otlp)
        made = collector(address)
        self.collectors[region] = await self._stack.enter_async_context(made)

    async def kill(self, node: Node) -> None:
        await self.running.pop(node).aclose()

    def publish(self, keys: Mapping[str, Iterable[Signer]]) -> None:
        """Publishes these signers' keys in every region."""
        known = {
            name: tuple(jwk(signer, self.topology.jurisdictions[name]) for signer in found)
            for name, found in keys.items()
        }
        for region in self.regions.values():
            assert region.publisher.update(keys=known)

    def token(self, home: str, **changed: Any) -> str:
        jurisdiction = self.topology.jurisdiction_of(home)
        made = {**claims(jurisdiction, home), **changed}
        kept = {name: value for name, value in made.items() if value is not None}
        return self.signers[jurisdiction.name].sign(kept)

    async def grpc(self, edge: str, path: str, token: str | None, *metadata: Any) -> Answer:
        address = str(self.endpoints[edge].edge)
        return await call(address, path, token, *metadata)

    def web(self, edge: str, path: str, token: str | None, **headers: str) -> Answer:
        """The same over gRPC-Web, as a browser on another origin would."""
        sent = {
            "content-type": "application/grpc-web+proto",
            "x-grpc-web": "1",
            "origin": ORIGIN,
            **headers,
        }
        if token is not None:
            sent["authorization"] = f"Bearer {token}"
        response, body = self.http(edge, "POST", path, sent, b"\0\0\0\0\0")
        return _web_answer(response, body)

    def http(
        self, edge: str, method: str, path: str, headers: dict[str, str], body: bytes = b""
    ) -> tuple[HTTPResponse, bytes]:
        address = self.endpoints[edge].edge
        connection = HTTPConnection(address.ip, address.port, timeout=10)
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            return response, response.read()
        finally:
            connection.close()


async def call(address: str, path: str, token: str | None, *metadata: Any) -> Answer:
    """One unary gRPC call, whatever becomes of it."""
    sent = [*metadata]
    if token is not None:
        sent.append(("authorization", f"Bearer {token}"))
    async with grpc.aio.insecure_channel(address) as channel:
        running = channel.unary_unary(path)(b"", metadata=sent, timeout=10)
        try:
            body = json.loads(cast("bytes", await running))
        except grpc.aio.AioRpcError as error:
            trailers = {**dict(error.initial_metadata()), **dict(error.trailing_metadata())}
            details = _details(trailers.get("grpc-status-details-bin"))
            return Answer(error.code(), error.details() or "", _text(trailers), details)
        headers = {**dict(await running.initial_metadata())}
        return Answer(grpc.StatusCode.OK, "", _text(headers), None, body)


def jwk(signer: Signer, jurisdiction: topology.Jurisdiction) -> Jwk:
    numbers = signer.private_key.public_key().public_numbers()
    x, y = (
        base64.urlsafe_b64encode(value.to_bytes(32, "big")).decode().rstrip("=")
        for value in (numbers.x, numbers.y)
    )
    return Jwk(signer.kid, jurisdiction.issuer, x, y)


class Ports:
    """Addresses on free ports, none of them twice."""

    def __init__(self) -> None:
        self._taken: set[int] = set()

    def one(self) -> str:
        while (port := free_port()) in self._taken:
            pass
        self._taken.add(port)
        return f"127.0.0.1:{port}"


def addresses(found: topology.Topology, ports: Ports) -> dict[str, Any]:
    """An endpoints file of free ports."""
    one = ports.one
    services = sorted({method.service for method in contract.methods()})
    return {
        "regions": {
            name: {
                "edge": {"listen": one()},
                "otlp": one(),
                "services": {service: [{"sidecar": one(), "app": one()}] for service in services},
            }
            for name in found.regions
        }
    }


@asynccontextmanager
async def mesh(found: topology.Topology, api_type: str) -> AsyncIterator[Mesh]:
    """Runs every edge, and the sidecars and backends of inventory and of the EU's identity.

    Of forecast and router nothing runs: whoever calls them finds nobody.
    """
    signers = {name: Signer(f"{name}-1") for name in found.jurisdictions}
    async with AsyncExitStack() as stack:
        made = Mesh(stack, found, signers)
        for region in made.regions.values():
            await region.start()
            await made.start_collector(region.facts.region)
            stack.push_async_callback(region.stop)
        made.publish({name: [signer] for name, signer in signers.items()})
        running = [*((name, "inventory") for name in found.regions), ("eu-central-1", "identity")]
        for region_name, service in running:
            await made.start_backend(region_name, service)
        # Edges come last: their first look finds every sidecar well.
        for nodes_of_a_kind in (
            [nodes.sidecar(region_name, service, 1) for region_name, service in running],
            [nodes.edge(region_name) for region_name in found.regions],
        ):
            await asyncio.gather(*(made.start_proxy(node, api_type) for node in nodes_of_a_kind))
        yield made


def _web_answer(response: HTTPResponse, body: bytes) -> Answer:
    headers = {name.lower(): value for name, value in response.getheaders()}
    message, trailers = _web_frames(body)
    found = {**headers, **trailers}
    code = int(found.get("grpc-status", -1))
    name = next((one for one in grpc.StatusCode if one.value[0] == code), grpc.StatusCode.UNKNOWN)
    raw = found.get("grpc-status-details-bin")
    details = _details(base64.b64decode(raw + "=" * (-len(raw) % 4)) if raw else None)
    answer = Answer(name, found.get("grpc-message", ""), headers, details)
    answer.headers[":status"] = str(response.status)
    answer.body = json.loads(message) if message else {}
    return answer


def _web_frames(body: bytes) -> tuple[bytes, dict[str, str]]:
    """Reads `flag, length, payload` frames: the message, and the trailers (flag 0x80)."""
    message, trailers = b"", {}
    while len(body) >= 5:
        flag, length = body[0], int.from_bytes(body[1:5], "big")
        payload, body = body[5 : 5 + length], body[5 + length :]
        if flag & 0x80:
            lines = payload.decode().strip().splitlines()
            trailers = {key: value.strip() for key, _, value in (ln.partition(":") for ln in lines)}
        else:
            message = payload
    return message, trailers


def _details(raw: Any) -> status_pb2.Status | None:
    return status_pb2.Status.FromString(raw) if raw else None


def _text(metadata: Mapping[Any, Any]) -> dict[str, str]:
    return {str(key): str(value) for key, value in metadata.items()}
