"""The gRPC server that the region's proxies talk to: mutual TLS, and who is at the other end.

Whoever connects must hold a certificate of this jurisdiction's own authority. Which proxy it is,
the certificate says, and not the node id that it sends: `check_peer` compares the two.
"""

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any

import grpc
import grpc.aio
import structlog

from services.chassis.settings import refusal
from services.chassis.topology import Region
from services.router import spiffe
from services.router.leaf import Certificates
from services.router.nodes import Node

log = structlog.get_logger()

Context = grpc.aio.ServicerContext[Any, Any]
Register = Callable[[grpc.aio.Server], None]
"""Adds one servicer to a server."""

OPTIONS = (
    ("grpc.so_reuseport", 0),
    # Proxies ping once a second, to notice a router that has gone without a word. By default gRPC
    # takes one ping in five minutes for good, and hangs up on the third that comes sooner.
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.min_recv_ping_interval_without_data_ms", 100),
    ("grpc.http2.max_ping_strikes", 0),
)


class ServerIdentity:
    """The router's own certificate, and whom it lets in. Both may change at any time.

    A connection keeps what held at its start.
    """

    def __init__(self, region: Region, certificates: Certificates) -> None:
        self._region = region
        self._current = self._configuration(certificates)
        self._given = self._current

    def update(self, certificates: Certificates) -> None:
        """Takes effect with the next connection."""
        self._current = self._configuration(certificates)

    def credentials(self) -> grpc.ServerCredentials:
        return grpc.dynamic_ssl_server_credentials(
            self._current,
            self._fetch,  # type: ignore[arg-type]  # None is allowed, and means no change.
            require_client_authentication=True,
        )

    def _configuration(self, certificates: Certificates) -> grpc.ServerCertificateConfiguration:
        leaf = certificates.leaves[spiffe.router(self._region)]
        trusted = certificates.bundles[self._region.jurisdiction]
        return grpc.ssl_server_certificate_configuration([(leaf.key, leaf.chain)], trusted)

    def _fetch(self) -> grpc.ServerCertificateConfiguration | None:
        """What gRPC asks before each handshake, on a thread of its own. None: as before."""
        current = self._current
        if current is self._given:
            return None
        self._given = current
        return current


@asynccontextmanager
async def serving(
    address: str, identity: ServerIdentity, registrations: Iterable[Register]
) -> AsyncIterator[int]:
    """Serves until left. Yields the port. Ends the process if it is taken."""
    server = grpc.aio.server(options=OPTIONS)
    for register in registrations:
        register(server)
    try:
        port = server.add_secure_port(address, identity.credentials())
    except RuntimeError:
        problem = f"setting HEMLINE_ADS_ADDRESS: cannot listen on {address}; is it taken?"
        raise SystemExit(refusal(problem)) from None
    await server.start()
    log.info("serving_xds", address=address)
    try:
        yield port
    finally:
        # Streams of proxies never end by themselves.
        await server.stop(None)


def peer_ids(context: Context) -> frozenset[str]:
    """SPIFFE ids in the certificate of whoever calls. TLS has verified it."""
    found = context.auth_context().get("peer_spiffe_id", ())
    return frozenset(value.decode() for value in found)


async def check_peer(context: Context, node: Node, region: Region) -> None:
    """Ends the call with PERMISSION_DENIED if its certificate is not that of ``node``.

    Args:
        context: of the call.
        node: who the caller says it is.
        region: this router's. No other's nodes are let in.
    """
    found = peer_ids(context)
    if node.region == region.name and found == {spiffe.of_node(node, region)}:
        return
    log.warning("peer_refused", node=str(node), certificates=sorted(found))
    await context.abort(grpc.StatusCode.PERMISSION_DENIED, f"{node}: the certificate is another's")
