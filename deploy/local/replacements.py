"""Servers of the user's own in place of embedded parts: `world.yaml` in the world's folder.

    replace:
      eu-central-1/postgres: postgresql://admin:secret@db.example:5432/postgres
      eu-central-1/redis: redis://cache.example:6379/0
      eu-central-1/otlp: 10.0.0.7:4317
      provider: /etc/hemline/providers.yaml

PostgreSQL: a role that may make roles and databases; each service gets its own of both. OTLP: the
IP:port of a collector for gRPC. The provider: a file as `services/identity` reads it; without the
local one `hemline token` has nobody to sign in, and the demo retailers are not seeded.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from deploy.local.parts import PlanError

PER_REGION = {"postgres": ("postgresql://",), "redis": ("redis://", "rediss://"), "otlp": ("",)}
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


def load(path: Path, regions: Sequence[str]) -> Replacements:
    """Reads ``path``; no file is no replacement. Raises PlanError, which shows no address."""
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
        _check(path, str(part), address, regions)
    return Replacements({str(part): str(address) for part, address in found.items()})


def _check(path: Path, part: str, address: object, regions: Sequence[str]) -> None:
    region, _, server = part.rpartition("/")
    if part != PROVIDER and (region not in regions or server not in PER_REGION):
        known = ", ".join([*(f"<region>/{name}" for name in PER_REGION), PROVIDER])
        raise PlanError(f"{path}: replace.{part}: unknown; want {known}, one of this topology")
    starts = PER_REGION.get(server, ("/",))
    if not isinstance(address, str) or not address.startswith(starts):
        raise PlanError(f"{path}: replace.{part}: want an address that begins with {starts[0]!r}")
