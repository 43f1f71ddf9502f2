"""Searches the files of every region of a lab for tenants of other jurisdictions.

Files are logs, PostgreSQL's data with its log of changes, endpoints, bootstraps and certificates.
What is searched for are the tenants' ids, and what stands in the payloads of their calls.
"""

from collections.abc import Iterator
from pathlib import Path

from proofs.lab.lab import Lab
from proofs.lab.load import Way
from proofs.lab.tokens import tenant_prefix
from proofs.leaks.scan import Family, Hit, Scanner


def payload(number: int, way: Way) -> bytes:
    """Of the call of that number: it tells whose it is."""
    return f"{_prefix(way.home)}{number:08d}".encode()


def abroad(lab: Lab) -> list[Hit]:
    """Traces of tenants in regions outside of their jurisdiction."""
    topology = lab.plan.topology
    return [
        hit
        for region in topology.regions
        for hit in _search(
            lab,
            region,
            [
                home
                for home in topology.regions
                if topology.jurisdiction_of(home) != topology.jurisdiction_of(region)
            ],
        )
    ]


def at_home(lab: Lab) -> list[Hit]:
    """Traces of tenants where they may be: the audit counts by tenant, so there are some."""
    return [hit for region in lab.plan.regions for hit in _search(lab, region, [region])]


def _search(lab: Lab, region: str, homes: list[str]) -> Iterator[Hit]:
    scanner = Scanner([Family(home, _prefix(home), tenant_prefix(home)) for home in homes])
    yield from scanner.scan_folder(lab.folder / region)
    for log in _logs(lab.folder, region):
        yield from scanner.scan_file(log)


def _logs(folder: Path, region: str) -> list[Path]:
    return sorted(path for path in folder.glob("*.log") if region in path.name)


def _prefix(home: str) -> str:
    return f"canary-{home}-"
