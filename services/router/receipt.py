"""Residency receipts: what the routers saw of a tenant's calls, signed, and verified by anybody.

A receipt is a JSON Web Signature (ES256) by a router, with the router's certificate chain inside.
Whoever has the certificate of the jurisdiction's authority can verify it, for as long as they like:
that the router's certificate was good when it signed is enough.
"""

import base64
import binascii
import datetime as dt
import re
from collections.abc import Mapping, Sequence
from typing import Any

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from services.router.leaf import Leaf
from services.router.spiffe import trust_domain

ALGORITHM = "ES256"
TYPE = "hemline-residency-receipt+jwt"
"""Pinned, so that no other thing that a router may ever sign can be taken for a receipt."""

CHAIN_LIMIT = 4
RECEIPT_LIMIT = 64 * 1024
PROOF = re.compile("[0-9a-f]{64}")
LEEWAY = dt.timedelta(minutes=5)
CLAIMS = ("iss", "iat", "tenant", "jurisdiction", "start", "end", "served", "violations", "proof")


class ReceiptInvalid(Exception):
    """The receipt says nothing. The message says why, in a sentence."""


def issue(claims: Mapping[str, Any], leaf: Leaf, now: dt.datetime) -> str:
    """Signs ``claims`` with the router's own key. Adds who signed, and when."""
    chain = x509.load_pem_x509_certificates(leaf.chain)
    key = serialization.load_pem_private_key(leaf.key, password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise TypeError("The router's key is not of an elliptic curve.")
    der = serialization.Encoding.DER
    x5c = [base64.b64encode(one.public_bytes(der)).decode() for one in chain]
    payload = {"iss": _uri(chain[0]), "iat": int(now.timestamp()), **claims}
    return jwt.encode(payload, key, ALGORITHM, headers={"typ": TYPE, "x5c": x5c})


def verify(receipt: str, authority: bytes, now: dt.datetime) -> dict[str, Any]:
    """Returns what a receipt says, if a router of its jurisdiction has said it.

    Args:
        receipt: in compact form.
        authority: the certificates of the jurisdiction's authority, PEM. All that is trusted.
        now: a receipt of the future is none.

    Raises:
        ReceiptInvalid: it is forged, altered, or of somebody else than such a router.
    """
    chain = _chain(receipt)
    key = chain[0].public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise ReceiptInvalid("The signer's key is not of an elliptic curve.")
    # There is no audience: a receipt is for everybody. Time is checked below, for the chain too.
    options: Any = {"require": list(CLAIMS), "verify_aud": False, "verify_iat": False}
    try:
        found: dict[str, Any] = jwt.decode(receipt, key, algorithms=[ALGORITHM], options=options)
    except jwt.PyJWTError as error:
        raise ReceiptInvalid(f"The signature or a claim does not hold: {error}.") from None
    issued = _moment(found["iat"])
    if issued > now + LEEWAY:
        raise ReceiptInvalid("It was issued in the future.")
    _check_chain(chain, authority, issued)
    _check_signer(_uri(chain[0]), found)
    _check_content(found, issued)
    return found


def _chain(receipt: str) -> Sequence[x509.Certificate]:
    if len(receipt) > RECEIPT_LIMIT:
        raise ReceiptInvalid("It is too long to be a receipt.")
    try:
        header = jwt.get_unverified_header(receipt)
    except jwt.PyJWTError:
        raise ReceiptInvalid("It is not a JSON Web Signature.") from None
    if header.get("typ") != TYPE or header.get("alg") != ALGORITHM:
        raise ReceiptInvalid(f"It is not of type {TYPE}, or not signed by {ALGORITHM}.")
    x5c = header.get("x5c")
    if not isinstance(x5c, list) or not 1 <= len(x5c) <= CHAIN_LIMIT:
        raise ReceiptInvalid("It holds no certificate of its signer.")
    try:
        return [
            x509.load_der_x509_certificate(base64.b64decode(str(one), validate=True)) for one in x5c
        ]
    except (ValueError, binascii.Error):
        raise ReceiptInvalid("A certificate in it cannot be read.") from None


def _check_chain(chain: Sequence[x509.Certificate], authority: bytes, issued: dt.datetime) -> None:
    try:
        trusted = Store(x509.load_pem_x509_certificates(authority))
    except ValueError:
        raise ReceiptInvalid("The authority's certificate cannot be read.") from None
    leaf, *rest = chain
    try:
        PolicyBuilder().store(trusted).time(issued).build_client_verifier().verify(leaf, rest)
    except VerificationError:
        raise ReceiptInvalid(
            "Its signer held no certificate of this authority when it was issued."
        ) from None


def _check_signer(uri: str, claims: Mapping[str, Any]) -> None:
    domain = trust_domain(str(claims["jurisdiction"]))
    match uri.removeprefix("spiffe://").split("/"):
        case [found, region, "router"] if found == domain and region and claims["iss"] == uri:
            return
    raise ReceiptInvalid(f"Its signer {uri} is no router of {claims['jurisdiction']}.")


def _check_content(claims: Mapping[str, Any], issued: dt.datetime) -> None:
    try:
        start, end = (dt.datetime.fromisoformat(str(claims[name])) for name in ("start", "end"))
        known = start < end <= issued + LEEWAY
    except (ValueError, TypeError):
        raise ReceiptInvalid("It does not say of which period it is.") from None
    if not known:
        raise ReceiptInvalid("Its period is none, or goes on after it was issued.")
    if not PROOF.fullmatch(str(claims["proof"])):
        raise ReceiptInvalid("It names no proof of what was in force.")


def _uri(certificate: x509.Certificate) -> str:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        raise ReceiptInvalid("Its signer's certificate names nobody.") from None
    uris = names.get_values_for_type(x509.UniformResourceIdentifier)
    if len(uris) != 1:
        raise ReceiptInvalid("Its signer's certificate does not hold one URI.")
    return uris[0]


def _moment(seconds: object) -> dt.datetime:
    if not isinstance(seconds, int):
        raise ReceiptInvalid("It does not say when it was issued.")
    try:
        return dt.datetime.fromtimestamp(seconds, dt.UTC)
    except (ValueError, OverflowError, OSError):
        raise ReceiptInvalid("It does not say when it was issued.") from None
