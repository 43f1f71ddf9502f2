"""Where the local world keeps its files. Delete the one folder, and nothing is left."""

import os
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
TOPOLOGY = ROOT / "deploy" / "topology.yaml"


@dataclass(frozen=True, slots=True)
class Places:
    """The files of one world. Those that a start writes anew are marked so."""

    folder: Path

    @property
    def topology(self) -> Path:
        """deploy/topology.yaml with this world's edge addresses. Written at each start."""
        return self.folder / "topology.yaml"

    def endpoints(self, region: str) -> Path:
        """Where each part of each region is, as seen from ``region``. Written at each start."""
        return self.region(region) / "endpoints.yaml"

    @property
    def routes(self) -> Path:
        """What the relay between the regions does. Written at each start, and by `chaos`."""
        return self.folder / "routes.json"

    @property
    def faults(self) -> Path:
        """What `hemline chaos` has done and not undone. Forgotten at each start."""
        return self.folder / "faults.json"

    @property
    def providers(self) -> Path:
        """The sign-in providers that identity trusts. Written at each start, by the provider."""
        return self.folder / "providers.yaml"

    @property
    def accounts(self) -> Path:
        """Who can sign in at the local provider. Kept, readable by the owner alone."""
        return self.folder / "accounts.json"

    @property
    def secrets(self) -> Path:
        """Passwords and keys of this world. Made once, readable by the owner alone."""
        return self.folder / "secrets.json"

    @property
    def authorities(self) -> Path:
        """Keys of the mesh's certificate authorities. Made once, readable by the owner alone."""
        return self.folder / "authorities"

    @property
    def status(self) -> Path:
        """What runs, as the supervisor last saw it."""
        return self.folder / "status.json"

    @property
    def replacements(self) -> Path:
        """Addresses of servers of the user's own. Written by the user alone."""
        return self.folder / "world.yaml"

    @property
    def primaries(self) -> Path:
        """Which region has whose primary. Written by `hemline promote`, lost with the data."""
        return self.folder / "regions" / "primaries.json"

    @property
    def seeded(self) -> Path:
        """Says with what the world has been seeded. Absent until that is done."""
        return self.folder / "seeded.json"

    @property
    def logs(self) -> Path:
        return self.folder / "logs"

    def log(self, part: str) -> Path:
        """The log of one part: `logs/<region>/<part>.log`, or `logs/world/<part>.log`."""
        group, _, name = part.rpartition("/")
        return self.logs / (group or "world") / f"{name}.log"

    def region(self, name: str) -> Path:
        """Data of one region: PostgreSQL, Redis, spans. Nothing of it is kept elsewhere."""
        return self.folder / "regions" / name


def places(folder: Path | None = None) -> Places:
    """The world in ``folder``, or else in HEMLINE_WORLD, or else in this checkout."""
    found = folder or Path(os.environ.get("HEMLINE_WORLD", ROOT / ".hemline"))
    return Places(found.resolve())
