import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from services.chassis.residency import WrongRegion
from services.identity.authenticate import SubjectTokenInvalid
from tests.unit.identity.support import EU, US, MemoryKeys, authenticator, id_claims, signed


@pytest.fixture(scope="module")
def keys() -> MemoryKeys:
    return MemoryKeys()


async def test_a_good_token_vouches_for_its_lower_cased_email(keys: MemoryKeys) -> None:
    login = await authenticator(keys).verify(signed(keys, id_claims()))
    assert (login.issuer, login.email) == (EU.issuer, "planner@atelier-nord.example")


async def test_a_login_does_not_print_whose_it_is(keys: MemoryKeys) -> None:
    login = await authenticator(keys).verify(signed(keys, id_claims()))
    assert "planner" not in f"{login} {login!r}"


@pytest.mark.parametrize("verified", [True, "true"])
async def test_either_spelling_of_verified_is_taken(keys: MemoryKeys, verified: object) -> None:
    await authenticator(keys).verify(signed(keys, id_claims(email_verified=verified)))


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"iss": "https://signin.evil.example"}, id="issuer of nobody"),
        pytest.param({"iss": None}, id="no issuer"),
        pytest.param({"aud": "another-client"}, id="audience of another client"),
        pytest.param({"aud": None}, id="no audience"),
        pytest.param({"aud": US.client_id}, id="audience of the other jurisdiction"),
        pytest.param({"token_use": "access"}, id="an access token"),
        pytest.param({"token_use": None}, id="of no use"),
        pytest.param({"exp": datetime.now(UTC) - timedelta(seconds=60)}, id="expired"),
        pytest.param({"exp": None}, id="never expires"),
        pytest.param({"exp": "soon"}, id="expiry is a text"),
        pytest.param({"iat": None}, id="issued at no time"),
        pytest.param({"iat": datetime.now(UTC) + timedelta(hours=1)}, id="issued in the future"),
        pytest.param({"nbf": datetime.now(UTC) + timedelta(hours=1)}, id="not yet valid"),
        pytest.param({"sub": None}, id="no subject"),
        pytest.param({"email": None}, id="no e-mail"),
        pytest.param({"email": ""}, id="empty e-mail"),
        pytest.param({"email": ["a@b.example"]}, id="e-mail is a list"),
        pytest.param({"email": "x" * 255}, id="e-mail too long"),
        pytest.param({"email_verified": None}, id="no word on the e-mail"),
        pytest.param({"email_verified": False}, id="e-mail not verified"),
        pytest.param({"email_verified": "false"}, id="e-mail not verified, as a text"),
        pytest.param({"email_verified": 1}, id="verified is a number"),
    ],
)
async def test_a_token_with_a_wrong_claim_is_refused(
    keys: MemoryKeys, changed: dict[str, Any]
) -> None:
    with pytest.raises(SubjectTokenInvalid):
        await authenticator(keys).verify(signed(keys, id_claims(**changed)))


def _unsigned(_: MemoryKeys) -> str:
    return jwt.encode(_plain_claims(), None, algorithm="none", headers={"kid": "k1"})


def _unsigned_but_says_rs256(keys: MemoryKeys) -> str:
    head, body, _ = signed(keys, id_claims()).split(".")
    return f"{head}.{body}."


def _hs256_with_the_public_key(keys: MemoryKeys) -> str:
    # Made by hand: the library refuses to make it.
    import hashlib
    import hmac

    pem = keys.private_key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    head = _part({"alg": "HS256", "typ": "JWT", "kid": "k1"})
    text = f"{head}.{_part(_plain_claims())}"
    return f"{text}.{_base64url(hmac.digest(pem, text.encode(), hashlib.sha256))}"


def _hs256_that_says_rs256(keys: MemoryKeys) -> str:
    _, body, signature = _hs256_with_the_public_key(keys).split(".")
    return f"{_part({'alg': 'RS256', 'kid': 'k1'})}.{body}.{signature}"


def _other_rsa_key(_: MemoryKeys) -> str:
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return jwt.encode(id_claims(), other, algorithm="RS256", headers={"kid": "k1"})


def _other_algorithm(_: MemoryKeys) -> str:
    other = ec.generate_private_key(ec.SECP256R1())
    return jwt.encode(id_claims(), other, algorithm="ES256", headers={"kid": "k1"})


def _stronger_algorithm(keys: MemoryKeys) -> str:
    return jwt.encode(id_claims(), keys.private_key, algorithm="RS512", headers={"kid": "k1"})


def _unknown_kid(keys: MemoryKeys) -> str:
    return signed(keys, id_claims(), kid="k2")


def _changed_claims(keys: MemoryKeys) -> str:
    head, _, signature = signed(keys, id_claims()).split(".")
    claims = {**_plain_claims(), "email": "somebody-else@atelier-nord.example"}
    return f"{head}.{_part(claims)}.{signature}"


def _nested_header(_: MemoryKeys) -> str:
    return f"{_base64url(b'[' * 3000)}.{_part({})}.AAAA"


@pytest.mark.parametrize(
    "forge",
    [
        _unsigned,
        _unsigned_but_says_rs256,
        _hs256_with_the_public_key,
        _hs256_that_says_rs256,
        _other_rsa_key,
        _other_algorithm,
        _stronger_algorithm,
        _unknown_kid,
        _changed_claims,
        _nested_header,
        lambda _: "not a token",
        lambda _: "a.b.c",
        lambda _: "é",
    ],
)
async def test_a_forged_token_is_refused(keys: MemoryKeys, forge: Any) -> None:
    with pytest.raises(SubjectTokenInvalid) as refused:
        await authenticator(keys).verify(forge(keys))
    assert "example" not in str(refused.value)


async def test_a_provider_of_another_jurisdiction_is_sent_home_before_any_key_is_read() -> None:
    keys = MemoryKeys()
    with pytest.raises(WrongRegion) as sent:
        await authenticator(keys).verify(signed(keys, id_claims(iss=US.issuer)))
    assert sent.value.metadata == {
        "jurisdiction": "US",
        "home_region": "us-east-1",
        "endpoint": "http://127.0.0.1:8083",
    }
    assert keys.asked == []


def _plain_claims() -> dict[str, Any]:
    claims = id_claims()
    return {
        name: int(value.timestamp()) if isinstance(value, datetime) else value
        for name, value in claims.items()
    }


def _part(content: dict[str, Any]) -> str:
    return _base64url(json.dumps(content).encode())


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
