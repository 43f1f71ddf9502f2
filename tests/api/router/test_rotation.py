"""Certificates are replaced under load, leaves and then the authority: nobody notices."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import grpc
import grpc.aio
from cryptography import x509

from services.router import nodes, renewal
from services.router.addresses import Address
from services.router.authority import Authority
from services.router.nodes import Node
from tests.api.router.backend import IMPORT
from tests.api.router.mesh import GET_STOCK, RECORD, Mesh
from tests.support.certificates import now
from tests.support.envoy import until

HOME, SIBLING = "eu-central-1", "eu-west-1"
EDGE = nodes.edge(HOME)
SIDECAR = nodes.sidecar(HOME, "inventory", 1)
PAUSE_SECONDS = 0.02


@dataclass
class Load:
    """Calls and one long stream, and what became of them."""

    answered: int = 0
    lost: list[str] = field(default_factory=list)
    echoed: int = 0

    async def calls(self, mesh: Mesh, edge: str, path: str) -> None:
        address, token = str(mesh.endpoints[edge].edge), mesh.token(HOME)
        metadata = [("authorization", f"Bearer {token}")]
        async with grpc.aio.insecure_channel(address) as channel:
            while True:
                try:
                    await channel.unary_unary(path)(b"", metadata=metadata, timeout=10)
                    self.answered += 1
                except grpc.aio.AioRpcError as error:
                    self.lost.append(f"{path} at {edge}: {error.code()} {error.details()}")
                await asyncio.sleep(PAUSE_SECONDS)

    async def stream(self, mesh: Mesh) -> None:
        address, token = str(mesh.endpoints[HOME].edge), mesh.token(HOME)
        metadata = [("authorization", f"Bearer {token}")]
        async with grpc.aio.insecure_channel(address) as channel:
            call = channel.stream_stream(IMPORT)(metadata=metadata)
            while True:
                try:
                    await call.write(b"x")
                    assert await call.read() == b"x"
                    self.echoed += 1
                except (grpc.aio.AioRpcError, asyncio.InvalidStateError, AssertionError) as error:
                    self.lost.append(f"stream: {error!r}")
                    return
                await asyncio.sleep(PAUSE_SECONDS)


@contextlib.asynccontextmanager
async def load(mesh: Mesh) -> AsyncIterator[Load]:
    found = Load()
    running = [
        asyncio.create_task(running)
        for running in (
            found.calls(mesh, HOME, GET_STOCK),
            found.calls(mesh, HOME, RECORD),
            found.calls(mesh, SIBLING, RECORD),
            found.stream(mesh),
        )
    ]
    try:
        yield found
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


async def test_leaves_and_then_the_authority_are_replaced_without_a_lost_call(
    fragile: Mesh, tmp_path: Path
) -> None:
    old, new = fragile.certificates.authorities["EU"], Authority.create("EU", now())
    door = fragile.endpoints[HOME].services["inventory"][0].sidecar
    outsider = Shown(tmp_path, old)
    async with load(fragile) as found:
        before = await outsider.serial_at(door)
        await _issue(fragile, old)
        assert await outsider.serial_at(door) != before, "the new leaf is served"

        await _trust(fragile, old, new)
        await _issue(fragile, new)
        await _trust(fragile, new)
        # Whoever opens a connection now has nothing but the new authority's word.
        await _reconnects(fragile)
        echoed = found.echoed
        assert await until(lambda: found.echoed > echoed + 5)
    assert found.lost == []
    assert found.answered > 50
    insider = Shown(tmp_path, new)
    assert await insider.serial_at(door)
    assert not await outsider.is_let_in(door), "the old authority's word counts no more"
    assert await insider.is_let_in(door)


async def _issue(mesh: Mesh, authority: Authority) -> None:
    """Gives every proxy of the EU a new leaf, and waits until all have it."""
    versions = _versions(mesh)
    for name in (HOME, SIBLING):
        region, folder = mesh.topology.regions[name], mesh.certificates.folder(name)
        renewal.issue(folder, region, mesh.certificates.names, authority, now())
    await _everybody_knows(mesh, versions)


async def _trust(mesh: Mesh, *authorities: Authority) -> None:
    versions = _versions(mesh)
    for name in mesh.regions:
        pem = [authority.certificate_pem for authority in authorities]
        renewal.trust(mesh.certificates.folder(name), "EU", pem)
    await _everybody_knows(mesh, versions)


def _running(mesh: Mesh) -> list[Node]:
    return [node for node in mesh.running if node.region in (HOME, SIBLING)]


def _versions(mesh: Mesh) -> dict[Node, str]:
    found = {node: mesh.regions[node.region].cache.get(node) for node in _running(mesh)}
    return {node: snapshot.version for node, snapshot in found.items() if snapshot}


async def _everybody_knows(mesh: Mesh, before: dict[Node, str]) -> None:
    """Waits until each proxy has accepted something newer, all of it."""

    def known() -> bool:
        now_ = _versions(mesh)
        accepted = {
            one.node: one.good_version
            for region in mesh.regions.values()
            for one in region.registry.proxies()
        }
        return all(
            version != before[node] and accepted.get(str(node)) == version
            for node, version in now_.items()
        )

    assert await until(known)


async def _reconnects(mesh: Mesh) -> None:
    """Every proxy of the region comes back to a router that trusts the new authority alone."""
    region = mesh.regions[HOME]
    await region.stop()
    connected = "control_plane.connected_state"
    proxies = [mesh.proxies[node] for node in _running(mesh) if node.region == HOME]
    for proxy in proxies:
        assert await until(lambda proxy=proxy: proxy.counter(connected) == 0)
    await region.start()
    for proxy in proxies:
        assert await until(lambda proxy=proxy: proxy.counter(connected) == 1)


class Shown:
    """Somebody with an edge's certificate of one authority, who looks at a sidecar's door."""

    def __init__(self, folder: Path, authority: Authority) -> None:
        leaf = authority.issue("spiffe://eu.hemline/eu-central-1/edge", now())
        file = folder / "shown.pem"
        file.write_bytes(leaf.chain + leaf.key)
        self._context = ssl.create_default_context()
        self._context.check_hostname = False
        self._context.verify_mode = ssl.CERT_NONE
        self._context.set_alpn_protocols(["h2"])
        self._context.load_cert_chain(file)

    async def serial_at(self, address: Address) -> int:
        reader, writer = await self._open(address)
        del reader
        shown = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        writer.close()
        return x509.load_der_x509_certificate(shown).serial_number

    async def is_let_in(self, address: Address) -> bool:
        """Whether the other end says something after the handshake, and not that it is over."""
        reader, writer = await self._open(address)
        writer.write(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0")
        try:
            return bool(await asyncio.wait_for(reader.read(9), 20))
        except (ssl.SSLError, ConnectionError):  # Whichever it comes to: the end is closing.
            return False
        finally:
            writer.close()

    async def _open(self, address: Address) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection(address.ip, address.port, ssl=self._context)
