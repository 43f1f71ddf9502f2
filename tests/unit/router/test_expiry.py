"""A leaf that nobody renews is spoken of: a day after that was due, each day, and at its end."""

import asyncio
import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from services.chassis import topology
from services.router import certificates, spiffe
from services.router.authority import LEAF_LIFETIME, Authority
from services.router.certificates import CertificateSource
from services.router.expiry import Expiry
from tests.support.certificates import MeshCertificates, now
from tests.support.envoy import until
from tests.unit.router.world import topology_document

TOPOLOGY = topology.parse(topology_document())
REGION = TOPOLOGY.regions["eu-central-1"]
EDGE = spiffe.edge(REGION)
START = dt.datetime(2026, 3, 2, 9, 30, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
HOUR = dt.timedelta(hours=1)
"""Leaves are good from some minutes before they were issued on."""


class Clock:
    def __init__(self, now: dt.datetime) -> None:
        self.now = now

    def __call__(self) -> dt.datetime:
        return self.now


class Watched:
    """What is said of one leaf of a life of so long, as time goes by."""

    def __init__(self, life: dt.timedelta) -> None:
        self.clock = Clock(START)
        self.expiry = Expiry(self.clock)
        self._life = life
        self._authority = Authority.create("EU", START - DAY)
        self.renew()

    def renew(self) -> None:
        leaf = self._authority.issue(EDGE, self.clock.now, lifetime=self._life)
        self.expiry.follow({EDGE: leaf})
        self._leaf = leaf

    def unchanged(self) -> None:
        """Another leaf than this one was replaced."""
        self.expiry.follow({EDGE: self._leaf})

    def at(self, age: dt.timedelta) -> list[str]:
        self.clock.now = START + age
        with capture_logs() as logged:
            self.expiry.look()
        assert {one["identity"] for one in logged} <= {EDGE}
        return [one["event"] for one in logged]


@pytest.mark.parametrize(
    ("life", "late"),
    [
        (6 * DAY, 5 * DAY),
        # A day after two thirds it would be over.
        (DAY, DAY * 5 / 6),
    ],
)
def test_a_leaf_is_warned_of_when_it_is_late_and_not_before(
    life: dt.timedelta, late: dt.timedelta
) -> None:
    watched = Watched(life)
    assert watched.at(late - HOUR) == []
    assert watched.at(late + HOUR) == ["certificate_not_renewed"]


def test_it_is_warned_of_once_a_day_and_when_it_ends() -> None:
    watched = Watched(9 * DAY)
    assert watched.at(7 * DAY + HOUR) == ["certificate_not_renewed"]
    watched.unchanged()
    assert watched.at(8 * DAY) == []
    assert watched.at(8 * DAY + 2 * HOUR) == ["certificate_not_renewed"]
    assert watched.at(9 * DAY + HOUR) == ["certificate_expired"]
    assert watched.at(9 * DAY + 2 * HOUR) == []
    assert watched.at(10 * DAY + 2 * HOUR) == ["certificate_expired"]


def test_a_renewed_leaf_is_warned_of_no_more() -> None:
    watched = Watched(6 * DAY)
    assert watched.at(5 * DAY + HOUR) == ["certificate_not_renewed"]
    watched.renew()
    assert watched.at(7 * DAY) == []


async def test_the_folder_is_looked_at_although_nothing_changes_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(certificates, "POLL_SECONDS", 0.01)
    mesh = MeshCertificates(tmp_path, TOPOLOGY)
    clock = Clock(now())
    folder = mesh.folder(REGION.name)
    source = CertificateSource(folder, TOPOLOGY, REGION.name, mesh.services, clock)
    source.load()
    clock.now += LEAF_LIFETIME
    with capture_logs() as logged:
        running = asyncio.create_task(source.run(lambda _: None))
        assert await until(lambda: expired(logged) == len(mesh.names))
        running.cancel()


def expired(logged: list[Any]) -> int:
    return [one["event"] for one in logged].count("certificate_expired")
