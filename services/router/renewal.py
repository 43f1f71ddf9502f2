"""Issues a region's leaves into its certificates folder, and replaces them before they expire.

A roll of the authority takes three steps, and every router and proxy must have seen each before the
next comes: `trust` old and new; `issue` every leaf anew; `trust` the new alone.
"""

import datetime as dt
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from services.chassis.topology import Region
from services.router import certificate_files as files
from services.router.leaf import Issuer

OWNER_ONLY = 0o600
EVERYBODY = 0o644


def establish(
    folder: Path,
    region: Region,
    names: Sequence[str],
    issuer: Issuer,
    bundles: Mapping[str, bytes],
    now: dt.datetime,
) -> list[str]:
    """Makes the folder what routers and proxies expect, and keeps the leaves that are still good.

    Args:
        folder: the region's.
        region: it.
        names: of the leaves, as `certificate_files` has them.
        issuer: of the region's jurisdiction.
        bundles: authorities by jurisdiction, PEM.
        now: from which leaves are good.

    Returns:
        Names of the leaves that were issued.
    """
    for jurisdiction, authorities in bundles.items():
        trust(folder, jurisdiction, [authorities])
    issued = renew(folder, region, names, issuer, now)
    for name in names:
        _show(folder, name)
    return issued


def trust(folder: Path, jurisdiction: str, authorities: Sequence[bytes]) -> None:
    """Replaces what counts as an authority of ``jurisdiction``, each in PEM."""
    wanted = b"".join(authorities)
    _replace(files.bundle(folder, jurisdiction), wanted, EVERYBODY)
    secret = json.dumps(files.trust_secret(wanted.decode()))
    _replace(files.envoy_trust(folder, jurisdiction), secret.encode(), EVERYBODY)


def issue(
    folder: Path, region: Region, names: Sequence[str], issuer: Issuer, now: dt.datetime
) -> None:
    """Issues the leaves so named, whether or not they are there.

    Args:
        folder: the region's.
        region: it.
        names: as `certificate_files` has them.
        issuer: of the region's jurisdiction.
        now: from which they are good.
    """
    for name in names:
        leaf = issuer.issue(files.identity(name, region), now, names=files.dns_names(name, region))
        # Between the two they do not fit together. Readers keep what they had and look again.
        _write(files.key(folder, name), leaf.key, OWNER_ONLY)
        _write(files.chain(folder, name), leaf.chain, EVERYBODY)
        _show(folder, name)


def due(folder: Path, names: Sequence[str], now: dt.datetime) -> list[str]:
    """Which leaves are missing, unreadable, without their key, or past two thirds of their life."""
    return [name for name in names if _due(folder, name, now)]


def renew(
    folder: Path, region: Region, names: Sequence[str], issuer: Issuer, now: dt.datetime
) -> list[str]:
    """Issues those of ``names`` that are due. Returns them."""
    found = due(folder, names, now)
    issue(folder, region, found, issuer, now)
    return found


def _due(folder: Path, name: str, now: dt.datetime) -> bool:
    try:
        leaf = x509.load_pem_x509_certificate(files.chain(folder, name).read_bytes())
        key = serialization.load_pem_private_key(files.key(folder, name).read_bytes(), None)
    except (OSError, ValueError):
        return True
    if key.public_key() != leaf.public_key():
        return True  # Whoever issued was ended between the two files.
    life = leaf.not_valid_after_utc - leaf.not_valid_before_utc
    return now >= leaf.not_valid_before_utc + life * 2 / 3


def _show(folder: Path, name: str) -> None:
    """Tells the Envoy of this leaf what its files say."""
    pem = files.chain(folder, name).read_text(), files.key(folder, name).read_text()
    secret = json.dumps(files.identity_secret(*pem)).encode()
    _replace(files.envoy(folder, name), secret, OWNER_ONLY)


def _replace(path: Path, wanted: bytes, mode: int) -> None:
    """Leaves a file alone that says it already: somebody follows it."""
    if not path.exists() or path.read_bytes() != wanted:
        _write(path, wanted, mode)


def _write(path: Path, data: bytes, mode: int) -> None:
    """Replaces ``path`` at once, never readable for longer than ``mode`` allows."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.{os.getpid()}.new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(data)
    new.replace(path)
