"""When leaves are replaced, and how they lie in the folder."""

import datetime as dt
import stat
from pathlib import Path

from services.chassis import topology
from services.router import certificate_files as files
from services.router import renewal
from services.router.authority import LEAF_LIFETIME
from tests.support.certificates import MeshCertificates, now
from tests.unit.router.world import topology_document

TOPOLOGY = topology.parse(topology_document())
HERE = "eu-central-1"
REGION = TOPOLOGY.regions[HERE]


def test_a_leaf_is_due_after_two_thirds_of_its_life(tmp_path: Path) -> None:
    mesh = MeshCertificates(tmp_path, TOPOLOGY)
    folder = mesh.folder(HERE)
    life = LEAF_LIFETIME / 3
    assert renewal.due(folder, mesh.names, now() + life * 1.9) == []
    assert renewal.due(folder, mesh.names, now() + life * 2) == list(mesh.names)


def test_only_what_is_due_or_broken_is_issued(tmp_path: Path) -> None:
    mesh = MeshCertificates(tmp_path, TOPOLOGY)
    folder, issuer = mesh.folder(HERE), mesh.authorities["EU"]
    before = files.chain(folder, "router").read_bytes()
    files.chain(folder, "edge").write_bytes(b"half")
    files.chain(folder, "sidecar-identity").unlink()
    issued = renewal.renew(folder, REGION, mesh.names, issuer, now())
    assert issued == ["edge", "sidecar-identity"]
    assert files.chain(folder, "router").read_bytes() == before
    assert mesh.load(HERE)


def test_keys_are_the_owners_alone_and_nothing_is_left_behind(tmp_path: Path) -> None:
    mesh = MeshCertificates(tmp_path, TOPOLOGY)
    there = [path for path in mesh.folder(HERE).rglob("*") if path.is_file()]
    assert {path.suffix for path in there} == {".pem", ".key", ".json"}
    for path in there:
        wanted = 0o600 if path.suffix == ".key" else 0o644
        assert stat.S_IMODE(path.stat().st_mode) == wanted


def test_a_bundle_that_is_the_same_is_not_touched(tmp_path: Path) -> None:
    mesh = MeshCertificates(tmp_path, TOPOLOGY)
    path = files.bundle(mesh.folder(HERE), "EU")
    before = path.stat().st_ino
    renewal.trust(mesh.folder(HERE), "EU", [mesh.authorities["EU"].certificate_pem])
    assert path.stat().st_ino == before


def test_an_issued_leaf_is_good_from_a_little_before(tmp_path: Path) -> None:
    mesh = MeshCertificates(tmp_path, TOPOLOGY)
    late = now() + dt.timedelta(days=5)
    assert renewal.renew(mesh.folder(HERE), REGION, ["edge"], mesh.authorities["EU"], late)
    assert renewal.due(mesh.folder(HERE), ["edge"], late) == []
