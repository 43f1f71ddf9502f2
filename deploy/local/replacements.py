"""Servers of the user's own in place of embedded parts: `world.yaml` in the world's folder.

    replace:
      eu-central-1/postgres: postgresql://admin:secret@db.example:5432/postgres
      eu-central-1/redis: redis://cache.example:6379/0
      eu-central-1/otlp: 10.0.0.7:4317
      provider: /etc/hemline/providers.yaml

PostgreSQL: a role that may make roles and databases; each service gets its own of both. OTLP: the
IP:port of a collector for gRPC. The provider: a file as `services/identity` reads it; without the
local one `hemline token` has nobody to sign in, and the demo retailers are not seeded.

Regions of one jurisdiction may share a server. Regions of two may not: it would hold the data of
both.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import yaml

from deploy.local.parts import PlanError

PER_REGION = {"postgres": ("postgresql://",), "redis": ("redis://", "rediss://"), "otlp": ("",)}
PORTS = {"postgres": 5432, "redis": 6379, "otlp": 4317}
"""Where an address names none."""
ELSEWHERE = {"host", "hostaddr", "port", "service"}
"""What in a PostgreSQL URL's query overrules the host before it."""
PROVIDER = "provider"


@dataclass(frozen=True, slots=True)
class Replacements:
    addresses: dict[str, str] = field(default_factory=dict, repr=False)  # By part; with passwords.

    def of(self, region: str, server: str) -> str | None:
        return self.addresses.get(f"{region}/{server}")

    @property
    def provider(self) -> Path | None:
        found = self.addresses.get(PROVIDER)
        return Path(found) if found else None


def load(path: Path, jurisdictions: Mapping[str, str]) -> Replacements:
    """Reads ``path``; no file is no replacement.

    Args:
        path: of `world.yaml`.
        jurisdictions: the topology's regions, each with the jurisdiction that it is in.

    Raises:
        PlanError: in one line, what cannot be. Shows no address.
    """
    if not path.exists():
        return Replacements()
    try:
        document = yaml.safe_load(path.read_text("utf-8")) or {}
    except (yaml.YAMLError, UnicodeDecodeError):
        raise PlanError(f"{path}: not YAML") from None
    if not isinstance(document, dict) or set(document) - {"replace"}:
        raise PlanError(f"{path}: want one mapping, `replace`")
    found = document.get("replace") or {}
    if not isinstance(found, dict):
        raise PlanError(f"{path}: replace: want a mapping of parts to addresses")
    for part, address in found.items():
        _check(path, str(part), address, jurisdictions)
    addresses = {str(part): str(address) for part, address in found.items()}
    _check_apart(path, addresses, jurisdictions)
    return Replacements(addresses)


def _check(path: Path, part: str, address: object, regions: Mapping[str, str]) -> None:
    region, _, server = part.rpartition("/")
    if part != PROVIDER and (region not in regions or server not in PER_REGION):
        known = ", ".join([*(f"<region>/{name}" for name in PER_REGION), PROVIDER])
        raise PlanError(f"{path}: replace.{part}: unknown; want {known}, one of this topology")
    starts = PER_REGION.get(server, ("/",))
    if not isinstance(address, str) or not address.startswith(starts):
        raise PlanError(f"{path}: replace.{part}: want an address that begins with {starts[0]!r}")


def _check_apart(
    path: Path, addresses: Mapping[str, str], jurisdictions: Mapping[str, str]
) -> None:
    """Refuses a server that regions of two jurisdictions name."""
    first: dict[str, str] = {}
    for part, address in addresses.items():
        region, _, server = part.rpartition("/")
        if part == PROVIDER:
            continue
        try:
            places = _places(server, address)
        except ValueError:
            raise PlanError(
                f"{path}: replace.{part}: not an address of a host and a port"
            ) from None
        for place in places:
            other = first.setdefault(place, part)
            if jurisdictions[other.rpartition("/")[0]] != jurisdictions[region]:
                raise PlanError(
                    f"{path}: replace.{part}: the same server as {other}, of another jurisdiction"
                )


def _places(server: str, address: str) -> list[str]:
    """Each `host:port` that ``address`` reaches; PostgreSQL takes several. Raises ValueError."""
    parts = urlsplit(address if "://" in address else f"//{address}")
    if ELSEWHERE & parse_qs(parts.query, keep_blank_values=True).keys():
        raise ValueError("the query names another server than the host does")
    named = parts.netloc.rpartition("@")[2]
    return [_place(each, PORTS[server]) for each in named.split(",")]


def _place(text: str, port: int) -> str:
    """`host:port` as it compares, with ``port`` where there is none. Raises ValueError."""
    found = urlsplit(f"//{text}")
    if not found.hostname:
        raise ValueError("no host")
    # One machine's names for itself.
    host = "127.0.0.1" if found.hostname in ("localhost", "::1") else found.hostname.rstrip(".")
    return f"{host}:{found.port or port}"
