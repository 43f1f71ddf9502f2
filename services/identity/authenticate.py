"""ID tokens of trusted providers in, verified logins out."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NoReturn, Protocol

import jwt

from services.chassis.errors import Unauthenticated
from services.chassis.residency import wrong_region
from services.chassis.topology import Topology
from services.identity.providers import Provider

ALGORITHM = "RS256"
ID_USE = "id"
CLAIMS = ["iss", "aud", "exp", "iat", "sub", "token_use", "email", "email_verified"]
EMAIL_LENGTH = 254
LEEWAY_SECONDS = 5


class SubjectTokenInvalid(Unauthenticated):
    """Says which check failed, never what the token held."""

    reason = "SUBJECT_TOKEN_INVALID"


@dataclass(frozen=True, slots=True)
class Login:
    """A login that a provider of this jurisdiction vouches for. Only `Authenticator` makes one."""

    issuer: str
    email: str

    def __repr__(self) -> str:
        return f"Login({self.issuer})"  # Not whose.


class ProviderKeys(Protocol):
    async def find(self, issuer: str, kid: str) -> jwt.PyJWK | None:
        """Returns the public key of a key id of ``issuer``, or None. May raise an `Unavailable`."""


class Authenticator:
    """Verifies the ID tokens of one region's jurisdiction."""

    def __init__(
        self, providers: Iterable[Provider], keys: ProviderKeys, topology: Topology, region: str
    ) -> None:
        self._providers = {provider.issuer: provider for provider in providers}
        self._keys = keys
        self._topology = topology
        self._jurisdiction = topology.jurisdiction_of(region)

    async def verify(self, token: str) -> Login:
        """Returns the login that ``token`` vouches for.

        Raises:
            SubjectTokenInvalid: a check failed.
            WrongRegion: the provider serves another jurisdiction.
            Unavailable: its keys cannot be read.
        """
        provider, kid = self._provider_of(token)
        if provider.jurisdiction != self._jurisdiction.name:
            # Before the signature, so that this person's token is not looked into any further and
            # no key crosses the border. What the answer holds is public.
            first_region = self._topology.jurisdictions[provider.jurisdiction].regions[0]
            raise wrong_region(self._topology, provider.jurisdiction, first_region)
        key = await self._keys.find(provider.issuer, kid)
        if key is None:
            _refuse("The ID token is signed by a key that its provider does not publish.")
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
        except (jwt.PyJWTError, ValueError, TypeError):
            _refuse("The ID token's signature or claims do not hold.")
        return Login(provider.issuer, _verified_email(claims))

    def _provider_of(self, token: str) -> tuple[Provider, str]:
        """Reads, without trust, who is said to have issued the token, and with which key."""
        try:
            unverified = jwt.decode_complete(token, options={"verify_signature": False})
        except (jwt.PyJWTError, ValueError, TypeError):
            _refuse("The ID token is not a JWT.")
        header, claims = unverified["header"], unverified["payload"]
        if header.get("alg") != ALGORITHM:
            _refuse(f"The ID token must be signed with {ALGORITHM}.")
        provider = self._providers.get(str(claims.get("iss")))
        if provider is None:
            _refuse("The ID token is not of a sign-in provider that Hemline trusts.")
        return provider, str(header.get("kid"))


def _verified_email(claims: dict[str, Any]) -> str:
    # An access token of the same provider has the same signature and vouches for nobody's address.
    if claims["token_use"] != ID_USE:
        _refuse("The token is not an ID token.")
    # Cognito writes this flag as a text at times.
    verified = claims["email_verified"]
    if verified is not True and verified != "true":
        _refuse("The provider has not verified the e-mail address.")
    email = claims["email"]
    if not isinstance(email, str) or not 0 < len(email) <= EMAIL_LENGTH:
        _refuse("The ID token has no e-mail address.")
    return email.strip().lower()


def _refuse(why: str) -> NoReturn:
    raise SubjectTokenInvalid(why) from None
