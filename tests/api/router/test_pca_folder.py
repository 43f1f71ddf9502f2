"""The program that keeps a region's folder, with an authority in each of two AWS regions."""

import asyncio
import datetime as dt
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from botocore.exceptions import ClientError

from deploy.local import certificates, provider
from services.router import certificate_files as files
from services.router import pca_folder
from services.router.acm_pca import PrivateCa
from services.router.certificates import CertificatesError, CertificateSource
from tests.api.router.private_ca import authority, client_in
from tests.support.certificates import now
from tests.support.envoy import until
from tests.unit.router.world import topology, topology_document

TOPOLOGY = topology.parse(topology_document())
HERE, ABROAD = "eu-central-1", "us-east-1"
REGION = TOPOLOGY.regions[HERE]
NAMES = list(pca_folder.names())

Authorities = dict[str, list[PrivateCa]]


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with provider.serving(0) as found:
        yield found


@pytest.fixture(scope="module")
def authorities(endpoint: str) -> Iterator[Authorities]:
    with client_in(HERE, endpoint) as european, client_in(ABROAD, endpoint) as american:
        yield {"EU": [authority(european)], "US": [authority(american)]}


@pytest.fixture
def another(endpoint: str) -> Iterator[PrivateCa]:
    """The next authority of the EU."""
    with client_in(HERE, endpoint) as european:
        yield authority(european)


@pytest.fixture
def nobody(endpoint: str) -> Iterator[PrivateCa]:
    """One that does not answer."""
    with client_in(ABROAD, endpoint) as american:
        arn = f"arn:aws:acm-pca:{ABROAD}:123456789012:certificate-authority/none"
        yield PrivateCa(american, arn)


def source(folder: Path) -> CertificateSource:
    services = {name.removeprefix(files.SIDECAR) for name in NAMES if files.SIDECAR in name}
    return CertificateSource(folder, TOPOLOGY, HERE, sorted(services))


def test_the_folder_is_that_of_the_local_world(authorities: Authorities, tmp_path: Path) -> None:
    assert sorted(NAMES) == sorted(certificates.NAMES)
    assert pca_folder.establish(tmp_path, REGION, authorities, now()) == NAMES
    found = source(tmp_path).load()
    assert len(found.leaves) == len(NAMES)
    assert found.bundles == {name: some[0].bundle() for name, some in authorities.items()}
    for name in NAMES:
        assert files.envoy(tmp_path, name).exists()


def test_leaves_are_kept_until_two_thirds_of_their_life(
    authorities: Authorities, tmp_path: Path
) -> None:
    pca_folder.establish(tmp_path, REGION, authorities, now())
    assert pca_folder.establish(tmp_path, REGION, authorities, now()) == []
    files.chain(tmp_path, "router").unlink()
    assert pca_folder.establish(tmp_path, REGION, authorities, now()) == ["router"]
    # Moto's certificates are good for a year.
    later = now() + dt.timedelta(days=250)
    assert pca_folder.establish(tmp_path, REGION, authorities, later) == NAMES


def test_an_authority_is_rolled_in_three_starts(
    authorities: Authorities, another: PrivateCa, tmp_path: Path
) -> None:
    old = authorities["EU"][0]

    def start(*eu: PrivateCa) -> list[str]:
        return pca_folder.establish(tmp_path, REGION, {**authorities, "EU": [*eu]}, now())

    assert start(old) == NAMES
    assert start(old, another) == []
    assert source(tmp_path).load().bundles["EU"] == old.bundle() + another.bundle()
    for name in NAMES:
        files.chain(tmp_path, name).unlink()
    assert start(another, old) == NAMES
    assert start(another) == []
    assert source(tmp_path).load().bundles["EU"] == another.bundle()
    start(old)
    with pytest.raises(CertificatesError, match="not signed by an authority in the bundle"):
        source(tmp_path).load()


def test_a_jurisdiction_that_is_silent_keeps_its_bundle_and_holds_nothing_up(
    authorities: Authorities, nobody: PrivateCa, tmp_path: Path
) -> None:
    silent = {**authorities, "US": [nobody]}
    with pytest.raises(ClientError):
        pca_folder.establish(tmp_path, REGION, silent, now())
    pca_folder.establish(tmp_path, REGION, authorities, now())
    files.chain(tmp_path, "edge").unlink()
    assert pca_folder.establish(tmp_path, REGION, silent, now()) == ["edge"]
    assert source(tmp_path).load().bundles["US"] == authorities["US"][0].bundle()


def test_what_is_no_authority_is_named(authorities: Authorities) -> None:
    arn = authorities["EU"][0]._arn
    with pytest.raises(ValueError, match="no authority of US"):
        pca_folder.private_cas([f"EU={arn}"], TOPOLOGY)
    with pytest.raises(ValueError, match="want JURISDICTION=ARN, one of EU, US"):
        pca_folder.private_cas([f"MARS={arn}"], TOPOLOGY)
    with pytest.raises(ValueError, match="want the ARN of a private certificate authority"):
        pca_folder.private_cas(["EU=arn:aws:s3:::bucket"], TOPOLOGY)


@pytest.fixture
def command(
    endpoint: str, authorities: Authorities, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> list[str]:
    """As a task would run it."""
    for name, value in {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "topology.yaml").write_text(yaml.safe_dump(topology_document()))
    words = [sys.executable, "-m", "services.router.pca_folder", "--region", HERE]
    words += ["--topology", str(tmp_path / "topology.yaml"), "--folder", str(tmp_path / "made")]
    for name, some in authorities.items():
        words += ["--authority", f"{name}={some[0]._arn}"]
    return words


def test_once_it_ends_when_the_folder_is_good(command: list[str], tmp_path: Path) -> None:
    done = subprocess.run([*command, "--once"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert source(tmp_path / "made").load()
    wrong = [*command, "--once", "--authority", f"US=arn:aws:acm-pca:{ABROAD}:1:c/none"]
    (tmp_path / "made" / "bundles" / "US.pem").unlink()
    done = subprocess.run(wrong, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1


async def test_beside_the_others_it_renews_until_it_is_told_to_stop(
    command: list[str], tmp_path: Path
) -> None:
    def good() -> bool:
        try:
            return bool(source(tmp_path / "made").load())
        except CertificatesError:
            return False

    running = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.DEVNULL)
    try:
        assert await until(good)
        assert running.returncode is None
        running.terminate()
        assert await asyncio.wait_for(running.wait(), 20) == 0
    finally:
        if running.returncode is None:
            running.kill()
