"""Certificates from AWS Private CA, in place of an `authority` of one's own.

The key is made here and never sent; what is sent is a signing request. The authority may be one for
short-lived certificates, which allows seven days at most. Needs boto3, and leave to call
`acm-pca:IssueCertificate`, `GetCertificate` and `GetCertificateAuthorityCertificate`.
"""

import datetime as dt
import hashlib
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from services.router.authority import LEAF_LIFETIME, pem
from services.router.leaf import Leaf

TEMPLATE = "arn:aws:acm-pca:::template/EndEntityCertificate/V1"
"""Names come from the request; what the certificate is good for, from the template: both ends."""

WAIT = {"Delay": 1, "MaxAttempts": 30}


class IssuerError(Exception):
    """What was issued is not what was asked for."""


class PrivateCa:
    """One jurisdiction's authority.

    Args:
        client: boto3's, of service `acm-pca`, in the authority's region.
        arn: of the authority.
        signing_algorithm: one that goes with the authority's key.
    """

    def __init__(
        self, client: Any, arn: str, *, signing_algorithm: str = "SHA256WITHECDSA"
    ) -> None:
        self._client = client
        self._arn = arn
        self._signing_algorithm = signing_algorithm

    def issue(
        self,
        spiffe_id: str,
        now: dt.datetime,
        *,
        names: tuple[str, ...] = (),
        lifetime: dt.timedelta = LEAF_LIFETIME,
    ) -> Leaf:
        """Returns a fresh certificate and key. Takes a second or more.

        Args:
            spiffe_id: goes into the one URI.
            now: from which `lifetime` counts. The authority itself says from when it is good.
            names: DNS names, for servers whose clients look for them.
            lifetime: after which it is good no more.

        Raises:
            IssuerError: it is not what was asked for.
            botocore.exceptions.ClientError, WaiterError: there is none.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        identities = x509.SubjectAlternativeName(
            [
                x509.UniformResourceIdentifier(spiffe_id),
                *(x509.DNSName(name) for name in names),
            ]
        )
        issued, above = self._issued(_request(key, identities), now + lifetime)
        [leaf] = x509.load_pem_x509_certificates(issued)
        shown = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        if shown != identities or leaf.public_key() != key.public_key():
            raise IssuerError(f"{self._arn} has issued a certificate that is not of {spiffe_id}.")
        return Leaf(issued + above, pem(key))

    def bundle(self) -> bytes:
        """The root above it, PEM: what others are to trust.

        Raises:
            IssuerError: there is none.
            botocore.exceptions.ClientError: nobody says.
        """
        found = self._client.get_certificate_authority_certificate(
            CertificateAuthorityArn=self._arn
        )
        chain = found["Certificate"] + "\n" + found.get("CertificateChain", "")
        certificates = x509.load_pem_x509_certificates(chain.encode())
        roots = b"".join(_text(one) for one in certificates if _is_root(one))
        if not roots:
            raise IssuerError(f"{self._arn} shows no root above it.")
        return roots

    def _issued(self, request: bytes, until: dt.datetime) -> tuple[bytes, bytes]:
        """The certificate, and those between it and the root, PEM."""
        made = self._client.issue_certificate(
            CertificateAuthorityArn=self._arn,
            Csr=request,
            SigningAlgorithm=self._signing_algorithm,
            TemplateArn=TEMPLATE,
            Validity={"Type": "ABSOLUTE", "Value": int(until.timestamp())},
            # Asked twice because an answer was lost, it issues once.
            IdempotencyToken=hashlib.sha256(request).hexdigest()[:36],
        )
        which = {
            "CertificateAuthorityArn": self._arn,
            "CertificateArn": made["CertificateArn"],
        }
        self._client.get_waiter("certificate_issued").wait(**which, WaiterConfig=WAIT)
        found = self._client.get_certificate(**which)
        above = x509.load_pem_x509_certificates(found["CertificateChain"].encode())
        between = (_text(one) for one in above if not _is_root(one))
        [leaf] = x509.load_pem_x509_certificates(found["Certificate"].encode())
        return _text(leaf), b"".join(between)


def _request(key: ec.EllipticCurvePrivateKey, identities: x509.SubjectAlternativeName) -> bytes:
    subject = x509.Name([x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, "Hemline")])
    request = (
        x509.CertificateSigningRequestBuilder()
        .subject_name(subject)
        .add_extension(identities, critical=False)
        .sign(key, hashes.SHA256())
    )
    return request.public_bytes(serialization.Encoding.PEM)


def _is_root(certificate: x509.Certificate) -> bool:
    return certificate.issuer == certificate.subject


def _text(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
