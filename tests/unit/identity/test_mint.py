from datetime import UTC, datetime
from uuid import UUID, uuid4

import jwt
import pytest
from pydantic import SecretStr

from services.chassis.auth import TokenInvalid, TokenVerifier
from services.chassis.tenancy import TenantId, UserId
from services.identity.domain import Resident
from services.identity.keys import KeySafe, KeySealed, SigningKey
from services.identity.mint import LIFETIME_SECONDS, mint
from tests.unit.identity.support import TOPOLOGY

EU = TOPOLOGY.jurisdictions["EU"]
US = TOPOLOGY.jurisdictions["US"]
SECRET = SecretStr("s" * 32)
RESIDENT = Resident(
    tenant_id=TenantId(UUID(int=1)),
    user_id=UserId(UUID(int=2)),
    home_region="eu-west-1",
    home_epoch=3,
    permissions=frozenset({"inventory:read", "forecast:read"}),
)


class OneKey:
    def __init__(self, key: SigningKey) -> None:
        self._key = key

    async def find(self, kid: str) -> object | None:
        return self._key.private_key.public_key() if kid == self._key.kid else None


def signing_key(issuer: str = EU.issuer) -> SigningKey:
    safe = KeySafe(SECRET)
    return safe.open(safe.make(issuer, datetime.now(UTC)))


def test_a_token_says_what_the_design_says() -> None:
    now, token_id, key = datetime(2026, 3, 2, 9, 30, tzinfo=UTC), uuid4(), signing_key()
    token = mint(RESIDENT, jurisdiction=EU, key=key, now=now, token_id=token_id)
    seconds = int(now.timestamp())
    assert jwt.get_unverified_header(token) == {"alg": "ES256", "typ": "at+jwt", "kid": key.kid}
    assert jwt.decode(token, options={"verify_signature": False}) == {
        "iss": "https://identity.eu.hemline.example",
        "aud": ["hemline:EU"],
        "sub": str(UUID(int=2)),
        "tenant": str(UUID(int=1)),
        "jurisdiction": "EU",
        "home_region": "eu-west-1",
        "home_epoch": 3,
        "scope": "forecast:read inventory:read",
        "iat": seconds,
        "exp": seconds + LIFETIME_SECONDS,
        "jti": str(token_id),
    }


async def test_every_service_of_the_jurisdiction_takes_the_token_and_no_other_does() -> None:
    key = signing_key()
    token = mint(RESIDENT, jurisdiction=EU, key=key, now=datetime.now(UTC), token_id=uuid4())
    caller = await TokenVerifier(EU, OneKey(key)).verify(token)
    assert (caller.tenant_id, caller.home_epoch) == (RESIDENT.tenant_id, 3)
    assert caller.permissions == RESIDENT.permissions
    with pytest.raises(TokenInvalid):
        await TokenVerifier(US, OneKey(key)).verify(token)


def test_no_token_says_a_home_outside_of_its_jurisdiction() -> None:
    now = datetime.now(UTC)
    with pytest.raises(ValueError, match="not in US"):
        mint(RESIDENT, jurisdiction=US, key=signing_key(US.issuer), now=now, token_id=uuid4())
    with pytest.raises(ValueError, match="does not sign for EU"):
        mint(RESIDENT, jurisdiction=EU, key=signing_key(US.issuer), now=now, token_id=uuid4())


def test_a_stored_key_opens_with_its_own_secret_alone() -> None:
    stored = KeySafe(SECRET).make(EU.issuer, datetime.now(UTC))
    with pytest.raises(KeySealed):
        KeySafe(SecretStr("t" * 32)).open(stored)


def test_a_stored_private_half_of_another_key_is_refused() -> None:
    safe, now = KeySafe(SECRET), datetime.now(UTC)
    one, other = safe.make(EU.issuer, now), safe.make(EU.issuer, now)
    swapped = type(one)(published=one.published, sealed=other.sealed)
    with pytest.raises(KeySealed):
        safe.open(swapped)


def test_the_published_half_verifies_what_the_private_half_signed() -> None:
    safe = KeySafe(SECRET)
    stored = safe.make(EU.issuer, datetime.now(UTC))
    key = safe.open(stored)
    token = mint(RESIDENT, jurisdiction=EU, key=key, now=datetime.now(UTC), token_id=uuid4())
    public_key = jwt.PyJWK(stored.published.jwk.as_dict())
    assert jwt.decode(token, public_key, algorithms=["ES256"], audience="hemline:EU")


def test_a_signing_key_does_not_print_itself() -> None:
    key = signing_key()
    assert repr(key) == f"SigningKey({key.kid})"
