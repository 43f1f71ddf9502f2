"""Where a region's PostgreSQL stands: at home, and once at each sibling. One of them takes writes.

The world's record says which one, by home region; home, where it says nothing. Every server reads
it when it starts, and starts as what it says. That is what fences a primary that comes back.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy.local import atomic
from deploy.local.parts import PlanError
from deploy.local.postgres import Postgres


@dataclass(frozen=True, slots=True)
class Copy:
    """One server with the data of ``home``."""

    home: str
    at: str  # The region in which it stands: home itself, or a sibling.
    server: Postgres

    @property
    def part(self) -> str:
        return f"{self.at}/postgres" if self.at == self.home else f"{self.at}/standby-{self.home}"

    @property
    def slot(self) -> str:
        """The replication slot that the primary keeps for it."""
        return f"at_{self.at.replace('-', '_')}"


def read(record: Path, jurisdictions: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Returns where the primary of each home region is that is not at home.

    Args:
        record: the world's record; no file is no exception.
        jurisdictions: by region, the regions of its jurisdiction.

    Raises:
        PlanError: the file is not as it was written, or names a region outside the jurisdiction.
    """
    if not record.exists():
        return {}
    try:
        found = {str(home): str(at) for home, at in json.loads(record.read_text()).items()}
    except (OSError, ValueError, AttributeError):
        raise PlanError(f"{record}: not as `hemline promote` wrote it") from None
    for home, at in found.items():
        if at not in jurisdictions.get(home, ()):
            raise PlanError(f"{record}: {at} may not hold the data of {home}")
    return found


def write(record: Path, primaries: Mapping[str, str]) -> None:
    """Replaces the record at once."""
    record.parent.mkdir(parents=True, exist_ok=True)
    moved = {home: at for home, at in primaries.items() if home != at}
    atomic.write(record, json.dumps(moved), atomic.ANYBODY)
