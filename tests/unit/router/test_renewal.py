"""When leaves are replaced, and how they lie in the folder."""

import datetime as dt
import json
import stat
from pathlib import Path
from typing import Any

from services.chassis import topology
from services.router import certificate_files as files
from services.router import renewal
from services.router.authority import LEAF_LIFETIME
from services.router.leaf import Leaf
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


def test_a_leaf_whose_issuer_was_ended_between_its_two_files_is_issued_again(
    tmp_path: Path,
) -> None:
    mesh = MeshCertificates(tmp_path, TOPOLOGY)
    folder, issuer = mesh.folder(HERE), mesh.authorities["EU"]
    files.key(folder, "edge").write_bytes(files.key(folder, "router").read_bytes())
    files.key(folder, "sidecar-identity").write_bytes(b"half")
    files.key(folder, "sidecar-forecast").unlink()
    issued = renewal.renew(folder, REGION, mesh.names, issuer, now())
    assert sorted(issued) == ["edge", "sidecar-forecast", "sidecar-identity"]
    assert mesh.load(HERE)


def test_keys_are_the_owners_alone_and_nothing_is_left_behind(tmp_path: Path) -> None:
    mesh = MeshCertificates(tmp_path, TOPOLOGY)
    there = [path for path in mesh.folder(HERE).rglob("*") if path.is_file()]
    assert {path.suffix for path in there} == {".pem", ".key", ".json"}
    holders = [path for path in there if b"PRIVATE KEY" in path.read_bytes()]
    assert len(holders) == 2 * len(mesh.names)
    for path in there:
        wanted = 0o600 if path in holders else 0o644
        assert stat.S_IMODE(path.stat().st_mode) == wanted


def test_envoys_are_told_what_the_files_say(tmp_path: Path) -> None:
    mesh = MeshCertificates(tmp_path, TOPOLOGY)
    folder, issuer = mesh.folder(HERE), mesh.authorities["EU"]
    before = told_leaf(folder)
    assert before == mesh.leaf("edge", HERE)
    renewal.issue(folder, REGION, ["edge"], issuer, now())
    assert told_leaf(folder) == mesh.leaf("edge", HERE) != before
    renewal.trust(folder, "EU", [issuer.certificate_pem, issuer.certificate_pem])
    assert told_trust(folder) == files.bundle(folder, "EU").read_text()
    files.envoy(folder, "edge").write_text("half")
    mesh.establish(HERE)
    assert told_leaf(folder) == mesh.leaf("edge", HERE)


def told_leaf(folder: Path) -> Leaf:
    found = secret(files.envoy(folder, "edge"))["tls_certificate"]
    chain, key = (found[part]["inline_string"] for part in ("certificate_chain", "private_key"))
    return Leaf(chain.encode(), key.encode())


def told_trust(folder: Path) -> Any:
    found = secret(files.envoy_trust(folder, "EU"))
    return found["validation_context"]["trusted_ca"]["inline_string"]


def secret(path: Path) -> Any:
    [found] = json.loads(path.read_text())["resources"]
    return found


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
