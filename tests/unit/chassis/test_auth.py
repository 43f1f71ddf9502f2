"""Tokens that are not exactly right are nobody's."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization

from services.chassis import topology
from services.chassis.auth import PermissionMissing, TokenInvalid, TokenVerifier, authorize, bearer
from services.chassis.residency import ResidencyGuard, WrongRegion
from tests.support.tokens import Signer, caller, claims

TOPOLOGY = topology.load(Path(__file__).parents[3] / "deploy" / "topology.yaml")
EU = TOPOLOGY.jurisdictions["EU"]
US = TOPOLOGY.jurisdictions["US"]
SIGNER = Signer()
VERIFIER = TokenVerifier(EU, SIGNER)


def good(**changed: Any) -> dict[str, Any]:
    body = claims(EU, "eu-central-1") | changed
    return {name: value for name, value in body.items() if value is not None}


async def test_a_good_token_names_its_caller() -> None:
    body = good()
    found = await VERIFIER.verify(SIGNER.sign(body))
    assert str(found.tenant_id) == body["tenant"]
    assert found.home_region == "eu-central-1"
    assert "inventory:read" in found.permissions


@pytest.mark.parametrize(
    "changed",
    [
        {"iss": US.issuer},
        {"iss": None},
        {"aud": [US.audience]},
        {"aud": None},
        {"exp": datetime.now(UTC) - timedelta(seconds=30)},
        {"exp": None},
        {"iat": datetime.now(UTC) + timedelta(hours=1)},
        {"tenant": "atelier-nord"},
        {"tenant": None},
        {"sub": None},
        {"jti": None},
        {"jurisdiction": None},
        {"home_region": None},
        {"home_epoch": None},
        {"home_epoch": "first"},
        {"scope": None},
    ],
)
async def test_a_claim_that_is_wrong_or_missing_refuses(changed: dict[str, Any]) -> None:
    with pytest.raises(TokenInvalid):
        await VERIFIER.verify(SIGNER.sign(good(**changed)))


async def test_another_key_under_the_same_id_refuses() -> None:
    with pytest.raises(TokenInvalid, match="do not hold"):
        await VERIFIER.verify(Signer().sign(good()))


async def test_an_unknown_key_refuses() -> None:
    with pytest.raises(TokenInvalid, match="does not know"):
        await VERIFIER.verify(Signer("other").sign(good()))


async def test_another_token_type_refuses() -> None:
    with pytest.raises(TokenInvalid, match=r"at\+jwt"):
        await VERIFIER.verify(SIGNER.sign(good(), typ="JWT"))


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def unsigned(algorithm: str) -> str:
    head = {"alg": algorithm, "typ": "at+jwt", "kid": SIGNER.kid}
    return ".".join(
        base64url(json.dumps(part).encode()) for part in (head, good(iat=1, exp=4_000_000_000))
    )


async def test_no_algorithm_refuses() -> None:
    with pytest.raises(TokenInvalid):
        await VERIFIER.verify(unsigned("none") + ".")


async def test_a_public_key_used_as_a_secret_refuses() -> None:
    secret = SIGNER.private_key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    signed = unsigned("HS256")
    tag = hmac.new(secret, signed.encode(), hashlib.sha256).digest()
    with pytest.raises(TokenInvalid):
        await VERIFIER.verify(f"{signed}.{base64url(tag)}")


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "..", "ä.ö.ü"])
async def test_garbage_refuses(token: str) -> None:
    with pytest.raises(TokenInvalid):
        await VERIFIER.verify(token)


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Basic abc", "token"])
def test_a_header_without_bearer_token_refuses(header: str | None) -> None:
    with pytest.raises(TokenInvalid):
        bearer(header)


def test_permissions_are_needed_by_name() -> None:
    authorize(caller(), "inventory:read")
    authorize(caller(), "signed-in")
    with pytest.raises(PermissionMissing):
        authorize(caller(), "inventory:destroy")


@pytest.mark.parametrize(
    ("jurisdiction", "home_region"),
    [("US", "us-east-1"), ("EU", "us-east-1"), ("US", "eu-central-1"), ("EU", "mars-1")],
)
def test_the_guard_sends_home_whoever_lives_elsewhere(jurisdiction: str, home_region: str) -> None:
    guard = ResidencyGuard(TOPOLOGY, "eu-central-1")
    with pytest.raises(WrongRegion) as refusal:
        guard.admit(caller(jurisdiction=jurisdiction, home_region=home_region))
    assert refusal.value.metadata["home_region"] == home_region


def test_the_guard_admits_siblings() -> None:
    ResidencyGuard(TOPOLOGY, "eu-central-1").admit(caller(home_region="eu-west-1"))
