"""Who gets in at an edge, and what everybody else is told, over gRPC and gRPC-Web alike."""

import asyncio
import base64
import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import grpc
import jwt
import pytest

from tests.api.router.mesh import EXCHANGE, GET_STOCK, ORIGIN, Mesh, jwk
from tests.support.tokens import Signer, claims

HOME = "eu-central-1"

UNAUTHENTICATED = (grpc.StatusCode.UNAUTHENTICATED, "TOKEN_INVALID")
DENIED = (grpc.StatusCode.PERMISSION_DENIED, "TOKEN_UNUSABLE")


def ago(**time: int) -> datetime:
    return datetime.now(UTC) - timedelta(**time)


def forged(world: Mesh) -> str:
    return Signer("EU-1").sign(claims(world.topology.jurisdictions["EU"], HOME))


def unsigned(world: Mesh) -> str:
    good = claims(world.topology.jurisdictions["EU"], HOME)
    return jwt.encode(good, None, algorithm="none", headers={"kid": "EU-1", "typ": "at+jwt"})


def signed_with_public_key(world: Mesh) -> str:
    """HMAC with the public key as the secret: works where the algorithm is not pinned."""
    jurisdiction = world.topology.jurisdictions["EU"]
    secret = json.dumps(jwk(world.signers["EU"], jurisdiction).as_dict()).encode()
    _, payload, _ = world.token(HOME).split(".")
    head = json.dumps({"alg": "HS256", "kid": "EU-1", "typ": "at+jwt"}).encode()
    signed = f"{_base64(head)}.{payload}"
    # By hand: the library refuses to.
    return f"{signed}.{_base64(hmac.digest(secret, signed.encode(), 'sha256'))}"


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def eu_keys_for_the_us(world: Mesh) -> str:
    """Signed by the EU, issued by the EU, about a home in the US."""
    return world.token(HOME, jurisdiction="US", home_region="us-east-1")


def us_keys_for_the_eu(world: Mesh) -> str:
    """Signed by the US in the EU's name."""
    return world.signers["US"].sign(claims(world.topology.jurisdictions["EU"], HOME))


CASES: dict[str, tuple[Callable[[Mesh], str | None], tuple[grpc.StatusCode, str]]] = {
    "no token": (lambda _: None, UNAUTHENTICATED),
    "garbage": (lambda _: "abc.def.ghi", UNAUTHENTICATED),
    "alg none": (unsigned, UNAUTHENTICATED),
    "another key under the same kid": (forged, UNAUTHENTICATED),
    "HS256 with the public key": (signed_with_public_key, UNAUTHENTICATED),
    "EU token signed by the US": (us_keys_for_the_eu, UNAUTHENTICATED),
    "expired": (lambda w: w.token(HOME, exp=ago(minutes=1)), UNAUTHENTICATED),
    "no expiry": (lambda w: w.token(HOME, exp=None), UNAUTHENTICATED),
    "unknown issuer": (lambda w: w.token(HOME, iss="https://evil.example"), UNAUTHENTICATED),
    "another audience": (lambda w: w.token(HOME, aud=["other"]), DENIED),
    "unknown home": (lambda w: w.token(HOME, home_region="eu-north-9"), DENIED),
    "no home": (lambda w: w.token(HOME, home_region=None), DENIED),
    "no jurisdiction": (lambda w: w.token(HOME, jurisdiction=None), DENIED),
    "homes as a list": (lambda w: w.token(HOME, home_region=[HOME]), DENIED),
    "EU token with a home in the US": (lambda w: w.token(HOME, home_region="us-east-1"), DENIED),
    "EU keys, US jurisdiction and home": (eu_keys_for_the_us, DENIED),
}


@pytest.mark.parametrize("name", CASES)
async def test_refuses(world: Mesh, name: str) -> None:
    make, (code, reason) = CASES[name]
    token = make(world)
    over_grpc = await world.grpc(HOME, GET_STOCK, token)
    over_web = await asyncio.to_thread(world.web, HOME, GET_STOCK, token)
    for answer in (over_grpc, over_web):
        assert (answer.code, answer.reason) == (code, reason)
        assert answer.body == {}
    assert over_web.headers[":status"] == "200"
    assert over_web.headers["access-control-allow-origin"] == ORIGIN
    assert "grpc-status-details-bin" in over_web.headers["access-control-expose-headers"]


async def test_clocks_may_differ_a_little(world: Mesh) -> None:
    answer = await world.grpc(HOME, GET_STOCK, world.token(HOME, exp=ago(seconds=2)))
    assert answer.code is grpc.StatusCode.OK


async def test_two_tokens_are_none(world: Mesh) -> None:
    token = world.token(HOME)
    second = ("authorization", f"Bearer {token}")
    answer = await world.grpc(HOME, GET_STOCK, token, second)
    assert (answer.code, answer.reason) == UNAUTHENTICATED


async def test_a_token_in_the_url_is_none(world: Mesh) -> None:
    path = f"{GET_STOCK}?access_token={world.token(HOME)}"
    answer = await asyncio.to_thread(world.web, HOME, path, None)
    assert (answer.code, answer.reason) == UNAUTHENTICATED


@pytest.mark.parametrize(
    "path",
    [
        f"{EXCHANGE}/..{GET_STOCK}",
        f"{EXCHANGE}/../..{GET_STOCK}",
        f"{EXCHANGE}%2F..%2F..{GET_STOCK}",
        f"/{GET_STOCK}",
        f"{GET_STOCK}/",
        "/hemline.inventory.v1.InventoryService",
        "/",
    ],
)
async def test_no_spelling_of_a_path_gets_by_without_a_token(world: Mesh, path: str) -> None:
    calls = [echo.calls for echo in world.backends.values()]
    answer = await asyncio.to_thread(world.web, HOME, path, None)
    assert answer.code is not grpc.StatusCode.OK
    assert [echo.calls for echo in world.backends.values()] == calls


async def test_an_unknown_method_is_denied_even_with_a_token(world: Mesh) -> None:
    answer = await world.grpc(HOME, "/hemline.payroll.v1.Payroll/Pay", world.token(HOME))
    assert (answer.code, answer.reason) == DENIED


async def test_plain_http_keeps_its_status(world: Mesh) -> None:
    response, _ = await asyncio.to_thread(world.http, HOME, "GET", "/", {})
    assert response.status == 401


async def test_details_need_no_padding(world: Mesh) -> None:
    answer = await asyncio.to_thread(world.web, HOME, GET_STOCK, None)
    raw = answer.headers["grpc-status-details-bin"]
    assert base64.b64decode(raw + "=" * (-len(raw) % 4))
    assert not raw.endswith("=")
