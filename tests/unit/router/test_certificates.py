"""The certificates folder: what is refused, and how a change is noticed."""

import asyncio
import contextlib
import datetime as dt
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from services.chassis import topology
from services.chassis.topology import Region
from services.router import certificate_files as files
from services.router import certificates, renewal, spiffe
from services.router.authority import Authority
from services.router.certificates import CertificatesError, CertificateSource
from services.router.leaf import Certificates
from tests.support.certificates import MeshCertificates, now
from tests.support.envoy import until
from tests.unit.router.world import topology_document

TOPOLOGY = topology.parse(topology_document())
HERE = "eu-central-1"
REFUSED = "certificates_refused"
LEFT_OUT = "certificate_left_out"
REGION = TOPOLOGY.regions[HERE]


@pytest.fixture
def mesh(tmp_path: Path) -> MeshCertificates:
    return MeshCertificates(tmp_path, TOPOLOGY)


@pytest.fixture
def folder(mesh: MeshCertificates) -> Path:
    return mesh.folder(HERE)


@pytest.fixture
def logged() -> Iterator[list[Any]]:
    with structlog.testing.capture_logs() as entries:
        yield entries


def source(mesh: MeshCertificates) -> CertificateSource:
    return CertificateSource(mesh.folder(HERE), TOPOLOGY, HERE, mesh.services)


def test_reads_this_regions_leaves_and_every_bundle(mesh: MeshCertificates) -> None:
    found = source(mesh).load()
    assert set(found.leaves) == {files.identity(name, REGION) for name in mesh.names}
    assert set(found.bundles) == {"EU", "US"}
    assert "PRIVATE" not in repr(found)


class Spoiled:
    """A folder, and ways to break it."""

    def __init__(self, mesh: MeshCertificates) -> None:
        self._authorities = mesh.authorities
        self._folder = mesh.folder(HERE)
        self._chain = files.chain(self._folder, "edge")
        self._key = files.key(self._folder, "edge")

    def key_is_missing(self) -> None:
        self._key.unlink()

    def key_is_of_another(self) -> None:
        self._key.write_bytes(files.key(self._folder, "router").read_bytes())

    def key_is_half(self) -> None:
        self._key.write_bytes(self._key.read_bytes()[:100])

    def chain_is_half(self) -> None:
        self._chain.write_bytes(self._chain.read_bytes()[:200])

    def leaf_is_of_another_region(self) -> None:
        self._issue("EU", TOPOLOGY.regions["eu-west-1"], now())

    def leaf_has_expired(self) -> None:
        self._issue("EU", REGION, now() - dt.timedelta(days=8))

    def leaf_is_another_authoritys(self) -> None:
        self._issue("US", REGION, now())

    def bundle_is_empty(self) -> None:
        files.bundle(self._folder, "US").write_bytes(b"")

    def _issue(self, authority: str, region: Region, since: dt.datetime) -> None:
        leaf = self._authorities[authority].issue(spiffe.edge(region), since)
        self._chain.write_bytes(leaf.chain)
        self._key.write_bytes(leaf.key)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (Spoiled.key_is_missing, r"edge\.key: No such file"),
        (Spoiled.key_is_of_another, r"edge\.pem: edge\.key is not its key"),
        (Spoiled.key_is_half, r"edge\.pem: edge\.key is not its key"),
        (Spoiled.chain_is_half, r"edge\.pem: not a certificate in PEM"),
        (
            Spoiled.leaf_is_of_another_region,
            r"edge\.pem: is not of spiffe://eu\.hemline/eu-central",
        ),
        (Spoiled.leaf_has_expired, r"edge\.pem: expired, or not yet good"),
        (
            Spoiled.leaf_is_another_authoritys,
            r"edge\.pem: not signed by an authority in the bundle",
        ),
        (Spoiled.bundle_is_empty, r"US\.pem: not a certificate in PEM"),
    ],
)
def test_a_problem_names_the_file_and_no_key(
    mesh: MeshCertificates, spoil: Callable[[Spoiled], None], message: str
) -> None:
    spoil(Spoiled(mesh))
    with pytest.raises(CertificatesError, match=message) as refused:
        source(mesh).load()
    assert "\n" not in str(refused.value)
    assert "PRIVATE" not in str(refused.value)


def retired(folder: Path, mesh: MeshCertificates) -> None:
    """The service `ledger` is gone for a while: nobody renews its leaf."""
    renewal.issue(
        folder, REGION, ["sidecar-ledger"], mesh.authorities["EU"], now() - dt.timedelta(days=8)
    )


def test_a_leaf_of_a_service_that_is_gone_keeps_nobody_from_running(
    mesh: MeshCertificates, folder: Path, logged: list[Any]
) -> None:
    retired(folder, mesh)
    files.chain(folder, "sideca-inventory").write_bytes(b"")
    found = source(mesh).load()
    assert set(found.leaves) == {files.identity(name, REGION) for name in mesh.names}
    said = sorted(one["problem"] for one in logged if one["event"] == LEFT_OUT)
    assert "sideca-inventory: want edge, router, sidecar-<service>" in said[0]
    assert "sidecar-ledger.pem: expired, or not yet good" in said[1]


class Followed:
    """What a source has said, one after the other."""

    def __init__(self) -> None:
        self.heard: asyncio.Queue[Certificates] = asyncio.Queue()

    async def next(self) -> Certificates:
        return await asyncio.wait_for(self.heard.get(), 20)


@contextlib.asynccontextmanager
async def following(found: CertificateSource) -> AsyncIterator[Followed]:
    made = Followed()
    running = asyncio.create_task(found.run(made.heard.put_nowait))
    try:
        yield made
    finally:
        running.cancel()


@pytest.fixture
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(certificates, "POLL_SECONDS", 0.01)


@pytest.mark.usefixtures("_quick")
async def test_a_rotation_is_noticed(mesh: MeshCertificates, folder: Path) -> None:
    found = source(mesh)
    before = found.load()
    async with following(found) as heard:
        renewal.issue(folder, REGION, ["edge"], mesh.authorities["EU"], now())
        after = await heard.next()
    changed = {name for name in after.leaves if after.leaves[name] != before.leaves[name]}
    assert changed == {spiffe.edge(REGION)}


@pytest.mark.usefixtures("_quick")
async def test_a_rotation_between_load_and_run_is_noticed(
    mesh: MeshCertificates, folder: Path
) -> None:
    found = source(mesh)
    found.load()
    renewal.issue(folder, REGION, ["edge"], mesh.authorities["EU"], now())
    async with following(found) as heard:
        await heard.next()


@pytest.mark.usefixtures("_quick")
async def test_a_broken_folder_keeps_the_last_good_one_and_warns_once(
    mesh: MeshCertificates, folder: Path, logged: list[Any]
) -> None:
    found = source(mesh)
    found.load()
    async with following(found) as heard:
        Spoiled(mesh).key_is_of_another()
        assert await until(lambda: any(one["event"] == REFUSED for one in logged))
        await asyncio.sleep(10 * certificates.POLL_SECONDS)  # Time to warn once more.
        assert heard.heard.empty()
        renewal.issue(folder, REGION, ["edge"], mesh.authorities["EU"], now())
        await heard.next()
    [warning] = [one for one in logged if one["event"] == REFUSED]
    assert warning["problem"].endswith("edge.pem: edge.key is not its key")


@pytest.mark.usefixtures("_quick")
async def test_rotation_goes_on_beside_a_leaf_of_a_service_that_is_gone(
    mesh: MeshCertificates, folder: Path, logged: list[Any]
) -> None:
    retired(folder, mesh)
    found = source(mesh)
    before = found.load()
    async with following(found) as heard:
        renewal.issue(folder, REGION, ["edge"], mesh.authorities["EU"], now())
        after = await heard.next()
    assert after.leaves[spiffe.edge(REGION)] != before.leaves[spiffe.edge(REGION)]
    assert REFUSED not in {one["event"] for one in logged}


@pytest.mark.usefixtures("_quick")
async def test_a_leaf_that_may_be_half_written_is_left_out_only_if_it_stays_so(
    mesh: MeshCertificates, folder: Path, logged: list[Any]
) -> None:
    found = source(mesh)
    found.load()
    forecast = spiffe.client(REGION, "forecast")
    async with following(found) as heard:
        files.key(folder, "client-forecast").write_bytes(b"half")
        assert forecast not in (await heard.next()).leaves
        renewal.issue(folder, REGION, ["client-forecast"], mesh.authorities["EU"], now())
        while forecast not in (await heard.next()).leaves:
            pass
    warning = next(one for one in logged if one["event"] == LEFT_OUT)
    assert warning["problem"].endswith("client-forecast.key is not its key")


@pytest.mark.usefixtures("_quick")
async def test_the_authoritys_roll_is_followed_step_by_step(
    mesh: MeshCertificates, folder: Path
) -> None:
    found = source(mesh)
    found.load()
    old, new = mesh.authorities["EU"].certificate_pem, Authority.create("EU", now())
    async with following(found) as heard:
        renewal.trust(folder, "EU", [old, new.certificate_pem])
        assert (await heard.next()).bundles["EU"] == old + new.certificate_pem
        renewal.issue(folder, REGION, mesh.names, new, now())
        renewal.trust(folder, "EU", [new.certificate_pem])
        while (await heard.next()).bundles["EU"] != new.certificate_pem:
            pass
