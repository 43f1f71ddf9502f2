"""The local sign-in provider as a process, and its file of accounts."""

import stat
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import jwt
import pytest

from deploy.local import accounts
from deploy.local.accounts import AccountsError, ProviderDown
from tests.api.identity.support import ROOT
from tests.support.servers import free_port, listening, running


def command(folder: Path, port: int) -> list[str]:
    return [
        sys.executable,
        *("-m", "deploy.local.provider", "--port", str(port)),
        *("--accounts", str(folder / "accounts.json")),
        *("--providers", str(folder / "providers.yaml")),
    ]


@contextmanager
def provider(folder: Path, port: int) -> Iterator[Path]:
    """Runs it until left. Yields the providers file, which it writes when it is ready."""
    file = folder / "providers.yaml"
    file.unlink(missing_ok=True)
    with running(command(folder, port), file.exists, cwd=ROOT):
        yield file


def test_accounts_and_issuers_outlive_the_process(tmp_path: Path) -> None:
    account = accounts.add(tmp_path / "accounts.json", "Planner@Retailer.example", "EU")
    issued = []
    for _ in range(2):
        port = free_port()
        with provider(tmp_path, port) as file:
            token = accounts.sign_in(accounts.pool(file, "EU"), account)
        assert not listening(port)
        issued.append(jwt.decode(token, options={"verify_signature": False}))
    first, second = issued
    assert first["email"] == "planner@retailer.example"
    assert (first["iss"], first["aud"]) == (second["iss"], second["aud"])


def test_each_jurisdiction_has_a_pool_of_its_own(tmp_path: Path) -> None:
    european = accounts.add(tmp_path / "accounts.json", "a@retailer.example", "EU")
    with provider(tmp_path, free_port()) as file:
        pools = accounts.pools(file)
        assert {pools[name].region for name in pools} == {"eu-central-1", "us-east-1"}
        accounts.sign_in(pools["EU"], european)
        with pytest.raises(AccountsError, match="refuses the account's password"):
            accounts.sign_in(pools["US"], european)
        with pytest.raises(AccountsError, match="MARS has no local sign-in provider"):
            accounts.pool(file, "MARS")
    with pytest.raises(ProviderDown):
        accounts.sign_in(pools["EU"], european)


def test_a_port_that_is_taken_ends_the_start(tmp_path: Path) -> None:
    port = free_port()
    with provider(tmp_path, port):
        done = subprocess.run(
            command(tmp_path, port), cwd=ROOT, capture_output=True, text=True, check=False
        )
    assert done.returncode == 1
    assert f"Port {port} is in use" in done.stderr


def test_only_the_owner_reads_passwords(tmp_path: Path) -> None:
    file = tmp_path / "accounts.json"
    accounts.add(file, "a@retailer.example", "EU")
    accounts.add(file, "b@retailer.example", "EU")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len({account.password for account in accounts.read(file)}) == 2
    assert "@" not in repr(accounts.read(file))


def test_adding_an_account_again_returns_the_one_that_is_there(tmp_path: Path) -> None:
    file = tmp_path / "accounts.json"
    assert accounts.read(file) == ()
    first = accounts.add(file, "a@retailer.example", "EU")
    assert accounts.add(file, " A@Retailer.example", "EU") == first
    with pytest.raises(AccountsError, match="in EU already, not in US"):
        accounts.add(file, "a@retailer.example", "US")


def test_no_account_is_lost_when_many_are_added_at_once(tmp_path: Path) -> None:
    file = tmp_path / "accounts.json"
    emails = [f"user-{number}@retailer.example" for number in range(20)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda email: accounts.add(file, email, "EU"), emails))
    assert {account.email for account in accounts.read(file)} == set(emails)


def test_a_broken_file_is_said_to_be(tmp_path: Path) -> None:
    file = tmp_path / "accounts.json"
    file.write_text('[{"email": "a@retailer.example"}]')
    with pytest.raises(AccountsError, match="want a list of email, password, jurisdiction"):
        accounts.read(file)
