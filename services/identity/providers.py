"""The sign-in providers that are trusted, read from a file and checked at start-up.

    providers:
      - issuer: https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_abc
        jwks_url: https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_abc/.well-known/jwks.json
        client_id: 1example23456789
        jurisdiction: EU

Every jurisdiction's provider stands in it, so that whoever signs in at the wrong place can be told
where to go; the keys of another jurisdiction's provider are never fetched.
"""

import ipaddress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from services.chassis import yaml_file
from services.chassis.topology import Topology

FIELDS = ("issuer", "jwks_url", "client_id", "jurisdiction")
IGNORED = {"local"}
"""What the local world writes for its command line."""


class ProvidersError(Exception):
    """The file breaks a rule. The message says which, and where."""


@dataclass(frozen=True, slots=True)
class Provider:
    """One OIDC provider, with the client whose ID tokens are taken."""

    issuer: str
    jwks_url: str
    client_id: str
    jurisdiction: str


def load(path: Path, topology: Topology) -> tuple[Provider, ...]:
    """Reads and checks ``path``.

    Raises:
        ProvidersError: in one line, what is wrong and where.
    """
    return yaml_file.read(path, lambda found: parse(found, topology), ProvidersError)


def parse(document: Any, topology: Topology) -> tuple[Provider, ...]:
    """Builds the providers from plain data, checked. Raises ProvidersError."""
    entries = document.get("providers") if isinstance(document, dict) else None
    if not isinstance(entries, list) or not entries or document.keys() != {"providers"}:
        raise ProvidersError("providers: want one list of that name, and nothing beside it")
    found: dict[str, Provider] = {}
    for number, entry in enumerate(entries):
        provider = _provider(entry, f"providers[{number}]", topology)
        for earlier in found.values():
            # With two providers there would be two ways to hash the login of one user.
            if provider.jurisdiction == earlier.jurisdiction:
                raise ProvidersError(
                    f"providers[{number}]: {provider.jurisdiction} has a provider already"
                )
        if provider.issuer in found:
            raise ProvidersError(f"providers[{number}].issuer: stands twice")
        found[provider.issuer] = provider
    return tuple(found.values())


def of_jurisdiction(providers: tuple[Provider, ...], jurisdiction: str) -> Provider:
    """Returns the provider of a jurisdiction. Raises ProvidersError if there is none."""
    for provider in providers:
        if provider.jurisdiction == jurisdiction:
            return provider
    raise ProvidersError(f"no provider of {jurisdiction}, so nobody could sign in here")


def _provider(entry: Any, where: str, topology: Topology) -> Provider:
    if not isinstance(entry, dict):
        raise ProvidersError(f"{where}: want a mapping")
    for field in FIELDS:
        if not isinstance(entry.get(field), str) or not entry[field]:
            raise ProvidersError(f"{where}.{field}: missing, or not a text")
    for field in sorted(map(str, entry.keys() - {*FIELDS} - IGNORED)):
        raise ProvidersError(f"{where}.{field}: unknown; known: {', '.join(FIELDS)}")
    if entry["jurisdiction"] not in topology.jurisdictions:
        known = ", ".join(sorted(topology.jurisdictions))
        raise ProvidersError(f"{where}.jurisdiction: not in the topology; known: {known}")
    if not _confidential(entry["jwks_url"]):
        raise ProvidersError(f"{where}.jwks_url: want https, or http on a loopback address")
    return Provider(*(entry[field] for field in FIELDS))


def _confidential(url: str) -> bool:
    """Whoever can change the keys on their way can sign in as anybody."""
    parts = urlsplit(url)
    if parts.scheme == "https":
        return bool(parts.hostname)
    try:
        loopback = ipaddress.ip_address(parts.hostname or "").is_loopback
    except ValueError:
        loopback = False
    return parts.scheme == "http" and loopback
