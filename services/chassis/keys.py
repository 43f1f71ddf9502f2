"""The public keys of one jurisdiction, read from its identity services and kept in memory."""

import asyncio
import base64
import secrets
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial

import grpc
import structlog
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from hemline.identity.v1 import identity_service_pb2 as pb
from hemline.identity.v1 import identity_service_pb2_grpc as pb_grpc

from services.chassis.errors import Unavailable

CALL_SECONDS = 2.0
REFRESH_SECONDS = 1.0
"""An unknown key id asks again, but no more often than this."""
FOLLOW_SECONDS = 10.0
"""What is new is read by then, while whoever published it can still be asked."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Jwk:
    """A public ES256 key as RFC 7517 writes it."""

    kid: str
    issuer: str
    x: str
    y: str

    def public_key(self) -> ec.EllipticCurvePublicKey:
        """Raises ValueError for coordinates that are not on P-256."""
        return ec.EllipticCurvePublicNumbers(
            _integer(self.x), _integer(self.y), ec.SECP256R1()
        ).public_key()

    def as_dict(self) -> dict[str, str]:
        return {
            "kty": "EC",
            "crv": "P-256",
            "alg": "ES256",
            "use": "sig",
            "kid": self.kid,
            "x": self.x,
            "y": self.y,
        }


async def fetch(address: str, issuer: str) -> tuple[Jwk, ...]:
    """Reads the keys that the identity service at ``address`` signs with for ``issuer``.

    Keys of any other issuer are dropped: nobody vouches for a jurisdiction but its own identity.

    Raises:
        grpc.aio.AioRpcError: it does not answer.
    """
    async with grpc.aio.insecure_channel(address) as channel:
        stub = pb_grpc.IdentityServiceStub(channel)
        answer = await stub.ListSigningKeys(
            pb.ListSigningKeysRequest(), timeout=CALL_SECONDS, metadata=_untraced()
        )
    return tuple(
        Jwk(key.kid, key.issuer, key.x, key.y)
        for key in answer.signing_keys
        if key.issuer == issuer
    )


def _untraced() -> tuple[tuple[str, str]]:
    """A W3C context that says "not sampled": polling would fill the traces with itself."""
    return (("traceparent", f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-00"),)


class KeysUnavailable(Unavailable):
    """The key may exist, but who would know does not answer."""

    reason = "KEYS_UNAVAILABLE"


Reader = Callable[[], Awaitable[Iterable[Jwk]]]
"""Reads the keys of one region. Raises Unavailable or AioRpcError if it does not answer."""


class KeyRing:
    """Implements `auth.PublicKeys`. Keys once read stay, even while their region is down."""

    def __init__(self, readers: Mapping[str, Reader]) -> None:
        """Takes a reader for each region, or address, under a name for the log."""
        self._readers = dict(readers)
        self._keys: dict[str, ec.EllipticCurvePublicKey] = {}
        self._refreshing = asyncio.Lock()
        self._refreshed_at = float("-inf")
        self._silent: frozenset[str] = frozenset()
        self._known = asyncio.Event()

    async def known(self) -> None:
        """Waits until there is a key, if there is anybody to ask. Somebody must `follow`."""
        if self._readers:
            await self._known.wait()

    async def follow(self) -> None:
        """Reads all keys now and again, until cancelled.

        A region's keys must be known before it goes down: its tenants then come here, with tokens
        that it has signed.
        """
        while True:
            await self._refresh()
            await asyncio.sleep(REFRESH_SECONDS if self._silent else FOLLOW_SECONDS)

    async def find(self, kid: str) -> ec.EllipticCurvePublicKey | None:
        """Returns the key, or None if no region of the jurisdiction has it.

        Raises:
            KeysUnavailable: a region that may have it does not answer.
        """
        if kid not in self._keys:
            await self._refresh()
        key = self._keys.get(kid)
        if key is None and self._silent:
            raise KeysUnavailable("The signing keys of a region cannot be read.")
        return key

    async def _refresh(self) -> None:
        async with self._refreshing:
            if time.monotonic() - self._refreshed_at < REFRESH_SECONDS:
                return
            answers = await asyncio.gather(
                *(reader() for reader in self._readers.values()), return_exceptions=True
            )
            self._refreshed_at = time.monotonic()
            silent = set()
            for name, answer in zip(self._readers, answers, strict=True):
                if isinstance(answer, (Unavailable, grpc.aio.AioRpcError)):
                    silent.add(name)
                elif isinstance(answer, BaseException):
                    raise answer
                else:
                    for jwk in answer:
                        self._add(jwk)
            for name in sorted(silent - self._silent):
                log.warning("signing_keys_unreadable", source=name)
            self._silent = frozenset(silent)
            if self._keys:
                self._known.set()

    def _add(self, jwk: Jwk) -> None:
        try:
            self._keys[jwk.kid] = jwk.public_key()
        except (ValueError, UnsupportedAlgorithm):
            log.warning("signing_key_malformed", kid=jwk.kid)


def ring_of(addresses: Iterable[str], issuer: str) -> KeyRing:
    """A ring of what the identity services at ``addresses`` sign with for ``issuer``."""
    return KeyRing({address: partial(fetch, address, issuer) for address in addresses})


def _integer(text: str) -> int:
    return int.from_bytes(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), "big")
