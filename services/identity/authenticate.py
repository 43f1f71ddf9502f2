"""ID tokens of trusted providers in, verified logins out."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NoReturn

import jwt
import structlog

from services.chassis.errors import Unauthenticated, Unavailable
from services.chassis.residency import wrong_region
from services.chassis.topology import Topology
from services.identity.providers import Provider

ALGORITHM = "RS256"
ID_USE = "id"
CLAIMS = ["iss", "aud", "exp", "iat", "sub", "token_use", "email", "email_verified"]
EMAIL_LENGTH = 254
LEEWAY_SECONDS = 5
FETCH_SECONDS = 3.0
KEYS_SECONDS = 300.0
"""How long a provider's keys are used before they are read again."""
COOLDOWN_SECONDS = 5.0
"""An unknown key id reads them at once, but no more often than this."""

log = structlog.get_logger()


class SubjectTokenInvalid(Unauthenticated):
    """Says which check failed, never what the token held."""

    reason = "SUBJECT_TOKEN_INVALID"


class ProviderUnavailable(Unavailable):
    reason = "PROVIDER_UNAVAILABLE"


@dataclass(frozen=True, slots=True)
class Login:
    """A login that a provider of this jurisdiction vouches for. Only `Authenticator` makes one."""

    issuer: str
    email: str

    def __repr__(self) -> str:
        return f"Login({self.issuer})"  # Not whose.


class Authenticator:
    """Verifies the ID tokens of one region's jurisdiction. Keeps the providers' keys."""

    def __init__(self, providers: Iterable[Provider], topology: Topology, region: str) -> None:
        self._providers = {provider.issuer: provider for provider in providers}
        self._topology = topology
        self._jurisdiction = topology.jurisdiction_of(region)
        self._keys = {
            provider.issuer: jwt.PyJWKClient(
                provider.jwks_url,
                lifespan=KEYS_SECONDS,
                cooldown_duration=COOLDOWN_SECONDS,
                timeout=FETCH_SECONDS,
            )
            for provider in self._providers.values()
            if provider.jurisdiction == self._jurisdiction.name
        }

    async def verify(self, token: str) -> Login:
        """Returns the login that ``token`` vouches for.

        Raises:
            SubjectTokenInvalid: a check failed.
            WrongRegion: the provider serves another jurisdiction.
            ProviderUnavailable: its keys cannot be read.
        """
        provider, kid = self._provider_of(token)
        if provider.jurisdiction != self._jurisdiction.name:
            # Before the signature, so that this person's token is not looked into any further and
            # no key crosses the border. What the answer holds is public.
            first_region = self._topology.jurisdictions[provider.jurisdiction].regions[0]
            raise wrong_region(self._topology, provider.jurisdiction, first_region)
        key = await self._key(provider, kid)
        try:
            claims = jwt.decode(
                token,
                key,
                algorithms=[ALGORITHM],
                issuer=provider.issuer,
                audience=provider.client_id,
                leeway=LEEWAY_SECONDS,
                options={"require": CLAIMS},
            )
        except jwt.ExpiredSignatureError:
            raise SubjectTokenInvalid("The ID token has expired. Sign in again.") from None
        except (jwt.InvalidTokenError, jwt.PyJWTError, ValueError, TypeError):
            _refuse("The ID token's signature or claims do not hold.")
        return Login(provider.issuer, _verified_email(claims))

    def _provider_of(self, token: str) -> tuple[Provider, str]:
        """Reads, without trust, who is said to have issued the token, and with which key."""
        try:
            unverified = jwt.decode_complete(token, options={"verify_signature": False})
        except (jwt.InvalidTokenError, ValueError, TypeError):
            _refuse("The ID token is not a JWT.")
        header, claims = unverified["header"], unverified["payload"]
        if header.get("alg") != ALGORITHM:
            _refuse(f"The ID token must be signed with {ALGORITHM}.")
        provider = self._providers.get(str(claims.get("iss")))
        if provider is None:
            _refuse("The ID token is not of a sign-in provider that Hemline trusts.")
        return provider, str(header.get("kid"))

    async def _key(self, provider: Provider, kid: str) -> jwt.PyJWK:
        try:
            # urllib underneath, which blocks. Keys in memory would be quicker without a thread, but
            # the lock around them may be held by a fetch.
            return await asyncio.to_thread(self._keys[provider.issuer].get_signing_key, kid)
        except jwt.PyJWKClientConnectionError:
            log.warning("provider_keys_unreadable", issuer=provider.issuer)
            raise ProviderUnavailable("The sign-in provider's keys cannot be read.") from None
        except jwt.PyJWKClientError:
            _refuse("The ID token is signed by a key that its provider does not publish.")
        except (jwt.PyJWTError, ValueError):
            log.warning("provider_keys_malformed", issuer=provider.issuer)
            raise ProviderUnavailable("The sign-in provider's keys cannot be read.") from None


def _verified_email(claims: dict[str, Any]) -> str:
    # An access token of the same provider has the same signature and vouches for nobody's address.
    if claims["token_use"] != ID_USE:
        _refuse("The token is not an ID token.")
    # Cognito writes this flag as a text at times.
    if claims["email_verified"] not in (True, "true"):
        _refuse("The provider has not verified the e-mail address.")
    email = claims["email"]
    if not isinstance(email, str) or not 0 < len(email) <= EMAIL_LENGTH:
        _refuse("The ID token has no e-mail address.")
    return email.strip().lower()


def _refuse(why: str) -> NoReturn:
    raise SubjectTokenInvalid(why) from None
