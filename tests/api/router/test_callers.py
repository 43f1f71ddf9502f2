"""Who may call a sidecar, by certificate and token, and whom an edge calls; real Envoys."""

import asyncio
import dataclasses
import ssl
from http.client import HTTPSConnection

import grpc
import pytest

from services.router import certificate_files, nodes
from services.router.translate import translate
from tests.api.router.mesh import EXCHANGE, GET_STOCK, Mesh
from tests.support.envoy import until

HERE, ABROAD = "eu-central-1", "us-east-1"
CHECK = "/grpc.health.v1.Health/Check"
REFUSED = grpc.StatusCode.PERMISSION_DENIED
UNHEARD = None


def code(
    world: Mesh, caller: tuple[str, str] | None, path: str, token: str | None
) -> grpc.StatusCode | None:
    """What the inventory sidecar of ``HERE`` answers; None if it does not even listen.

    Over HTTP/1.1, whose client does not insist on a host's name in the certificate.
    """
    address = world.endpoints[HERE].services["inventory"][0].sidecar
    context = ssl.create_default_context(cadata=trusted(world))
    context.check_hostname = False
    if caller is not None:
        folder = world.certificates.folder(caller[1])
        chain, key = (
            of(folder, caller[0]) for of in (certificate_files.chain, certificate_files.key)
        )
        context.load_cert_chain(chain, key)
    headers = {"content-type": "application/grpc", "te": "trailers"}
    if token is not None:
        headers["authorization"] = f"Bearer {token}"
    connection = HTTPSConnection(address.ip, address.port, timeout=10, context=context)
    try:
        connection.request("POST", path, b"\0\0\0\0\0", headers)
        response = connection.getresponse()
        body = response.read()
    except (ssl.SSLError, ConnectionError):
        return None
    finally:
        connection.close()
    said = int(response.getheader("grpc-status", "0" if body else "2"))
    return next(one for one in grpc.StatusCode if one.value[0] == said)


def trusted(world: Mesh) -> str:
    return world.certificates.authorities["EU"].certificate_pem.decode()


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
        (("edge", ABROAD), GET_STOCK, HERE, UNHEARD),
        (None, GET_STOCK, HERE, UNHEARD),
    ],
)
async def test_a_sidecar_looks_at_certificate_and_token(
    world: Mesh,
    caller: tuple[str, str] | None,
    path: str,
    home: str | None,
    expected: grpc.StatusCode | None,
) -> None:
    token = None if home is None else world.token(home)
    assert await asyncio.to_thread(code, world, caller, path, token) is expected


async def test_a_sidecar_refuses_what_only_claims_to_be_of_its_jurisdiction(world: Mesh) -> None:
    posing = world.token(HERE, jurisdiction="US")
    before = world.backends[HERE, "inventory"].calls
    answer = await asyncio.to_thread(code, world, ("edge", HERE), GET_STOCK, posing)
    assert answer is REFUSED
    assert world.backends[HERE, "inventory"].calls == before


async def test_an_edge_that_is_told_of_a_host_abroad_calls_nobody_there(fragile: Mesh) -> None:
    """The checker is passed by: certificates are the next lock."""
    region, edge = fragile.regions[HERE], nodes.edge(HERE)
    right, services = region.publisher.facts, fragile.endpoints[ABROAD].services
    wrong = {
        name: dataclasses.replace(found, services=services)
        for name, found in right.endpoints.items()
    }
    told = translate(dataclasses.replace(right, endpoints=wrong))[edge]
    region.cache.replace({**translate(right), edge: told})
    refused = rf"cluster\.inventory\|{HERE}\.ssl\.fail_verify_error"
    assert await until(lambda: fragile.proxies[edge].counter(refused), 10)
    answer = await fragile.grpc(HERE, GET_STOCK, fragile.token(HERE))
    assert answer.code is grpc.StatusCode.UNAVAILABLE
    assert fragile.backends[ABROAD, "inventory"].calls == 0
