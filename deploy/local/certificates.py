"""The mesh certificates of a world: an authority for each jurisdiction, a folder for each region.

Authorities are kept in the world's own folder, readable by its owner alone. Leaves are good for a
week, are looked at every hour, and replaced when two thirds of that have passed.
"""

import asyncio
import datetime as dt
import fcntl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from deploy.local import atomic
from deploy.local.places import TOPOLOGY, Places
from deploy.local.ports import SERVICES
from services.chassis import topology as topologies
from services.chassis.topology import Jurisdiction, Topology
from services.router import certificate_files, renewal
from services.router.authority import Authority

NAMES = (
    *certificate_files.required(SERVICES),
    *(certificate_files.CLIENT + service for service in SERVICES),
)
RENEWAL_SECONDS = 3600.0


def folder(places: Places, region: str) -> Path:
    return places.region(region) / "certificates"


def establish(places: Places, topology: Topology) -> list[str]:
    """Makes what is missing and issues what is due. Returns leaves so issued, as region/name."""
    now = dt.datetime.now(dt.UTC)
    issued = []
    with _alone(places):
        authorities = {name: _Authorities(places, name) for name in topology.jurisdictions}
        for found in authorities.values():
            found.make(now)
        bundles = {name: found.bundle() for name, found in authorities.items()}
        for region in topology.regions.values():
            found = authorities[region.jurisdiction]
            here = folder(places, region.name)
            names = renewal.establish(here, region, NAMES, found.issuer(), bundles, now)
            issued += [f"{region.name}/{name}" for name in names]
    return issued


async def keep(places: Places) -> None:
    """Issues what is due, every hour, until cancelled. What goes wrong is in the world's log."""
    while True:
        await asyncio.sleep(RENEWAL_SECONDS)
        try:
            found = topologies.load(TOPOLOGY)
            done = " ".join(await asyncio.to_thread(establish, places, found)) or "nothing due"
        except (OSError, ValueError, topologies.TopologyError) as error:
            done = f"cannot renew: {error}"
        log = places.log("certificates")
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("a", encoding="utf-8") as file:
            file.write(f"{dt.datetime.now(dt.UTC).isoformat(timespec='seconds')} {done}\n")


def rotate(places: Places, topology: Topology, regions: Sequence[str]) -> None:
    """Issues every leaf of these regions anew."""
    with _alone(places):
        for name in regions:
            region = topology.regions[name]
            issuer = _Authorities(places, region.jurisdiction).issuer()
            here, now = folder(places, name), dt.datetime.now(dt.UTC)
            renewal.issue(here, region, NAMES, issuer, now)


def roll(places: Places, topology: Topology, jurisdiction: Jurisdiction) -> Iterator[str]:
    """Replaces the authority of ``jurisdiction`` in three steps. Yields what each has done.

    Go on when every router and proxy knows it. Left half way, it can be begun again.
    """
    found = _Authorities(places, jurisdiction.name)
    regions = [topology.regions[name] for name in jurisdiction.regions]
    with _alone(places):
        found.prepare(dt.datetime.now(dt.UTC))
        _trust(places, topology, jurisdiction.name, found)
    yield "trusts the old authority and the new one"
    with _alone(places):
        for region in regions:
            here, now = folder(places, region.name), dt.datetime.now(dt.UTC)
            renewal.issue(here, region, NAMES, found.issuer(), now)
    yield "shows certificates of the new one"
    with _alone(places):
        found.promote()
        _trust(places, topology, jurisdiction.name, found)
    yield "trusts the new one alone"


def _trust(places: Places, topology: Topology, name: str, found: "_Authorities") -> None:
    for region in topology.regions:
        renewal.trust(folder(places, region), name, [found.bundle()])


class _Authorities:
    """Files of one jurisdiction's authority, and of the next while it takes over."""

    def __init__(self, places: Places, jurisdiction: str) -> None:
        self._jurisdiction = jurisdiction
        self._current = places.authorities / f"{jurisdiction}.pem"
        self._next = places.authorities / f"{jurisdiction}.next.pem"

    def make(self, now: dt.datetime) -> None:
        if not self._current.exists():
            self._create(self._current, now)

    def prepare(self, now: dt.datetime) -> None:
        """Makes the next one. It issues from now on."""
        if not self._next.exists():
            self._create(self._next, now)

    def promote(self) -> None:
        """Lets the next one take the place of the current one."""
        self._next.replace(self._current)

    def issuer(self) -> Authority:
        pem = (self._next if self._next.exists() else self._current).read_bytes()
        return Authority.load(pem, pem)

    def bundle(self) -> bytes:
        """Certificates of all that count, PEM, without any key."""
        there = [path.read_bytes() for path in (self._current, self._next) if path.exists()]
        return b"".join(Authority.load(pem, pem).certificate_pem for pem in there)

    def _create(self, path: Path, now: dt.datetime) -> None:
        made = Authority.create(self._jurisdiction, now)
        # One file for both: they can never disagree.
        atomic.write(path, (made.certificate_pem + made.key_pem).decode())


@contextmanager
def _alone(places: Places) -> Iterator[None]:
    """Waits for whoever else writes certificates of this world."""
    places.authorities.mkdir(parents=True, exist_ok=True)
    with (places.authorities / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
