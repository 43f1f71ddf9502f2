"""Who may call a sidecar: by the certificate and the token, both; real Envoys and certificates."""

import grpc
import grpc.aio
import pytest

from tests.api.router.mesh import EXCHANGE, GET_STOCK, Mesh

HERE, ABROAD = "eu-central-1", "us-east-1"
CHECK = "/grpc.health.v1.Health/Check"
REFUSED = grpc.StatusCode.PERMISSION_DENIED
UNREACHED = grpc.StatusCode.UNAVAILABLE


async def code(
    world: Mesh, caller: tuple[str, str] | None, path: str, token: str | None
) -> grpc.StatusCode:
    """What the inventory sidecar of ``HERE`` answers; the caller is a leaf's name and region."""
    address = str(world.endpoints[HERE].services["inventory"][0].sidecar)
    leaf = None if caller is None else world.certificates.leaf(*caller)
    trusted = world.certificates.authorities["EU"].certificate_pem
    metadata = [] if token is None else [("authorization", f"Bearer {token}")]
    proof = (None, None) if leaf is None else (leaf.key, leaf.chain)
    options = [
        ("grpc.ssl_target_name_override", f"spiffe://eu.hemline/{HERE}/sidecar/inventory"),
        ("grpc.default_authority", "inventory"),
    ]
    credentials = grpc.ssl_channel_credentials(trusted, *proof)
    async with grpc.aio.secure_channel(address, credentials, options=options) as channel:
        try:
            await channel.unary_unary(path)(b"", metadata=metadata, timeout=5)
        except grpc.aio.AioRpcError as error:
            return error.code()
    return grpc.StatusCode.OK


@pytest.mark.parametrize(
    ("caller", "path", "home", "expected"),
    [
        (("edge", HERE), GET_STOCK, HERE, grpc.StatusCode.OK),
        (("edge", "eu-west-1"), GET_STOCK, HERE, grpc.StatusCode.OK),
        (("client-forecast", HERE), GET_STOCK, HERE, grpc.StatusCode.OK),
        (("router", HERE), CHECK, None, grpc.StatusCode.OK),
        (("router", HERE), GET_STOCK, HERE, REFUSED),
        (("sidecar-identity", HERE), GET_STOCK, HERE, REFUSED),
        (("sidecar-identity", HERE), CHECK, None, REFUSED),
        (("client-forecast", HERE), EXCHANGE, None, REFUSED),
        (("edge", HERE), GET_STOCK, None, grpc.StatusCode.UNAUTHENTICATED),
        (("edge", HERE), GET_STOCK, ABROAD, grpc.StatusCode.UNAUTHENTICATED),
        (("edge", ABROAD), GET_STOCK, HERE, UNREACHED),
        (None, GET_STOCK, HERE, UNREACHED),
    ],
)
async def test_a_sidecar_looks_at_certificate_and_token(
    world: Mesh,
    caller: tuple[str, str] | None,
    path: str,
    home: str | None,
    expected: grpc.StatusCode,
) -> None:
    token = None if home is None else world.token(home)
    assert await code(world, caller, path, token) is expected
