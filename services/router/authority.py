"""A certificate authority for one jurisdiction's mesh, for worlds without a cloud.

ECDSA P-256 all through. A leaf has one URI, its SPIFFE id, and serves both ends of a connection.
"""

import datetime as dt
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from services.router.leaf import Leaf

AUTHORITY_LIFETIME = dt.timedelta(days=3650)
LEAF_LIFETIME = dt.timedelta(days=7)
BACKDATED = dt.timedelta(minutes=5)
"""Clocks differ: a certificate is good from a little before it was made."""

Key = ec.EllipticCurvePrivateKey


@dataclass(frozen=True, slots=True)
class Authority:
    certificate: x509.Certificate
    key: Key

    @classmethod
    def create(cls, jurisdiction: str, now: dt.datetime) -> "Authority":
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Hemline {jurisdiction} mesh")])
        made = (
            _certificate(name, name, key, now, AUTHORITY_LIFETIME)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(signs_certificates=True), critical=True)
        )
        return cls(made.sign(key, hashes.SHA256()), key)

    @classmethod
    def load(cls, certificate: bytes, key: bytes) -> "Authority":
        """Reads both from PEM. Raises ValueError."""
        private = serialization.load_pem_private_key(key, password=None)
        if not isinstance(private, ec.EllipticCurvePrivateKey):
            raise ValueError("The authority's key is not of an elliptic curve.")  # noqa: TRY004  # A wrong file.
        return cls(x509.load_pem_x509_certificate(certificate), private)

    @property
    def certificate_pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def key_pem(self) -> bytes:
        return pem(self.key)

    def issue(
        self,
        spiffe_id: str,
        now: dt.datetime,
        *,
        names: tuple[str, ...] = (),
        lifetime: dt.timedelta = LEAF_LIFETIME,
    ) -> Leaf:
        """Returns a fresh certificate and key.

        Args:
            spiffe_id: goes into the one URI.
            now: from which it is good.
            names: DNS names, for servers whose clients look for them.
            lifetime: after which it is good no more.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Hemline")])
        identities = [
            x509.UniformResourceIdentifier(spiffe_id),
            *(x509.DNSName(name) for name in names),
        ]
        both_ends = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        made = (
            _certificate(subject, self.certificate.subject, key, now, lifetime)
            .add_extension(x509.SubjectAlternativeName(identities), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage(both_ends), critical=False)
            .add_extension(_usage(signs_certificates=False), critical=True)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()),
                critical=False,
            )
        )
        chain = made.sign(self.key, hashes.SHA256())
        return Leaf(chain.public_bytes(serialization.Encoding.PEM), pem(key))


def _certificate(
    subject: x509.Name, issuer: x509.Name, key: Key, now: dt.datetime, lifetime: dt.timedelta
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(now + lifetime)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def pem(key: Key) -> bytes:
    """The private key, unencrypted."""
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
