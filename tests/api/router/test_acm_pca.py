"""A region's folder issued by AWS Private CA, as moto imitates it.

Moto signs with RSA whatever the authority was made for, gives every certificate a year, and issues
at once. What it does not check: validity, signing algorithm, template names, permissions.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest
from cryptography import x509

from deploy.local import provider
from services.router import ads_server, renewal, spiffe
from services.router import certificate_files as files
from services.router.acm_pca import IssuerError, PrivateCa
from services.router.ads_server import ServerIdentity
from services.router.certificates import CertificatesError, CertificateSource
from tests.api.router.conftest import two_jurisdictions
from tests.api.router.private_ca import authority, client_in
from tests.support.certificates import MeshCertificates, channel, now

TOPOLOGY = two_jurisdictions()
HERE = "eu-central-1"
REGION = TOPOLOGY.regions[HERE]


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    with provider.serving(0) as endpoint, client_in(HERE, endpoint) as made:
        yield made


@pytest.fixture
def source(client: Any, tmp_path: Path) -> CertificateSource:
    mesh = MeshCertificates(tmp_path, TOPOLOGY)
    issuer, folder = authority(client), mesh.folder(HERE)
    renewal.trust(folder, "EU", [issuer.bundle()])
    renewal.issue(folder, REGION, mesh.names, issuer, now())
    return mesh.source(HERE)


def test_a_folder_that_it_issued_is_as_good_as_any(source: CertificateSource) -> None:
    found = source.load()
    edge = found.leaves[spiffe.edge(REGION)]
    [certificate] = x509.load_pem_x509_certificates(edge.chain)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.UniformResourceIdentifier) == [spiffe.edge(REGION)]


async def test_a_router_and_a_proxy_talk_with_it(source: CertificateSource) -> None:
    found = source.load()

    class Peers(grpc.GenericRpcHandler):
        def service(self, handler_call_details: grpc.HandlerCallDetails) -> Any:
            return grpc.unary_unary_rpc_method_handler(self._answer)

        async def _answer(self, request: bytes, context: Any) -> bytes:
            return " ".join(ads_server.peer_ids(context)).encode()

    identity = ServerIdentity(REGION, found)
    register = lambda server: server.add_generic_rpc_handlers((Peers(),))  # noqa: E731
    async with ads_server.serving("127.0.0.1:0", identity, [register]) as port:
        leaf = found.leaves[spiffe.edge(REGION)]
        async with channel(f"127.0.0.1:{port}", leaf, found.bundles["EU"]) as opened:
            answer: Any = await opened.unary_unary("/any/Call")(b"", timeout=20)
    assert answer.decode() == spiffe.edge(REGION)


def test_another_authority_is_not_trusted(client: Any, tmp_path: Path) -> None:
    mesh = MeshCertificates(tmp_path, TOPOLOGY)
    renewal.issue(mesh.folder(HERE), REGION, ["edge"], authority(client), now())
    with pytest.raises(CertificatesError, match="not signed by an authority in the bundle"):
        mesh.load(HERE)


def test_a_leaf_that_is_not_what_was_asked_for_is_refused(client: Any) -> None:
    issuer = authority(client)

    class Confused:
        """Answers each request with the certificate of the first."""

        def __init__(self) -> None:
            self.first: dict[str, Any] = {}

        def __getattr__(self, name: str) -> Any:
            return getattr(client, name)

        def get_certificate(self, **which: Any) -> Any:
            self.first = self.first or client.get_certificate(**which)
            return self.first

    confused = PrivateCa(Confused(), issuer._arn)
    assert confused.issue(spiffe.edge(REGION), now())
    with pytest.raises(IssuerError, match="not of spiffe://eu"):
        confused.issue(spiffe.router(REGION), now(), names=files.dns_names("router", REGION))
