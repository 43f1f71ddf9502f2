"""Authorities in AWS Private CA, as moto imitates it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3

from services.router.acm_pca import PrivateCa


@contextmanager
def client_in(region: str, endpoint: str) -> Iterator[Any]:
    made = boto3.client(
        "acm-pca",
        endpoint_url=endpoint,
        region_name=region,
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    yield made
    made.close()


def authority(client: Any) -> PrivateCa:
    """A root that has signed itself, as an operator would set one up."""
    arn = client.create_certificate_authority(
        CertificateAuthorityConfiguration={
            "KeyAlgorithm": "EC_prime256v1",
            "SigningAlgorithm": "SHA256WITHECDSA",
            "Subject": {"CommonName": "Hemline EU mesh"},
        },
        CertificateAuthorityType="ROOT",
        UsageMode="SHORT_LIVED_CERTIFICATE",
    )["CertificateAuthorityArn"]
    request = client.get_certificate_authority_csr(CertificateAuthorityArn=arn)["Csr"]
    issued = client.issue_certificate(
        CertificateAuthorityArn=arn,
        Csr=request.encode(),
        SigningAlgorithm="SHA256WITHECDSA",
        TemplateArn="arn:aws:acm-pca:::template/RootCACertificate/V1",
        Validity={"Type": "YEARS", "Value": 10},
    )["CertificateArn"]
    certificate = client.get_certificate(CertificateAuthorityArn=arn, CertificateArn=issued)
    client.import_certificate_authority_certificate(
        CertificateAuthorityArn=arn, Certificate=certificate["Certificate"].encode()
    )
    return PrivateCa(client, arn)
