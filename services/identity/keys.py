"""The region's signing keys: made once, encrypted where they lie, public halves for everybody."""

import base64
import hashlib
import json
from dataclasses import dataclass
from datetime import datetime

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pydantic import SecretStr

from services.chassis.keys import Jwk

COORDINATE_BYTES = 32


class KeySealed(Exception):
    """The stored private key does not open with this secret."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private ES256 key. Never printed."""

    kid: str
    issuer: str
    private_key: ec.EllipticCurvePrivateKey

    def __repr__(self) -> str:
        return f"SigningKey({self.kid})"


@dataclass(frozen=True, slots=True)
class PublishedKey:
    """The public half, as it is stored and listed."""

    jwk: Jwk
    create_time: datetime


@dataclass(frozen=True, slots=True)
class StoredKey:
    published: PublishedKey
    sealed: bytes  # The private half, encrypted.


class KeySafe:
    """Makes keys, and encrypts private halves with a key derived from one secret."""

    def __init__(self, secret: SecretStr) -> None:
        derived = HKDF(hashes.SHA256(), length=32, salt=None, info=b"hemline signing keys v1")
        raw = derived.derive(secret.get_secret_value().encode())
        self._fernet = Fernet(base64.urlsafe_b64encode(raw))

    def make(self, issuer: str, now: datetime) -> StoredKey:
        """Returns a new key, ready to be stored."""
        private_key = ec.generate_private_key(ec.SECP256R1())
        plain = private_key.private_bytes(
            serialization.Encoding.DER,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        jwk = _jwk(private_key.public_key(), issuer)
        return StoredKey(PublishedKey(jwk, now), self._fernet.encrypt(plain))

    def open(self, stored: StoredKey) -> SigningKey:
        """Returns the key, able to sign.

        Raises:
            KeySealed: it was stored under another secret, or its two halves do not belong together.
        """
        jwk = stored.published.jwk
        try:
            plain = self._fernet.decrypt(stored.sealed)
            private_key = serialization.load_der_private_key(plain, password=None)
        except (InvalidToken, ValueError):
            raise KeySealed(jwk.kid) from None
        if not isinstance(private_key, ec.EllipticCurvePrivateKey):
            raise KeySealed(jwk.kid)
        if _jwk(private_key.public_key(), jwk.issuer) != jwk:
            raise KeySealed(jwk.kid)
        return SigningKey(jwk.kid, jwk.issuer, private_key)


def _jwk(public_key: ec.EllipticCurvePublicKey, issuer: str) -> Jwk:
    numbers = public_key.public_numbers()
    x, y = _base64url(numbers.x), _base64url(numbers.y)
    # The thumbprint of RFC 7638: members in this order, without white space.
    members = {"crv": "P-256", "kty": "EC", "x": x, "y": y}
    digest = hashlib.sha256(json.dumps(members, separators=(",", ":")).encode()).digest()
    return Jwk(kid=_unpadded(digest), issuer=issuer, x=x, y=y)


def _base64url(number: int) -> str:
    return _unpadded(number.to_bytes(COORDINATE_BYTES, "big"))


def _unpadded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
