"""The commands `token` and `tenant` in a world whose one edge is the identity service itself."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import jwt
import pytest
import pytest_asyncio
import yaml
from hemline.identity.v1 import identity_service_pb2 as pb
from hemline.identity.v1 import identity_service_pb2_grpc as pb_grpc

from cli import session
from deploy.local.postgres import Postgres
from tests.api.identity.support import OPERATOR, REGION, ROOT, TOPOLOGY_FILE, Identity, identity
from tests.store.identity.support import SIBLING, fresh
from tests.support.servers import free_port

COMMAND = [sys.executable, "-c", "from cli.main import main; main()"]


@dataclass(frozen=True)
class World:
    folder: Path

    async def run(self, *arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
        """Runs `hemline` in this world, beside the service that runs in this process."""
        return await asyncio.to_thread(
            subprocess.run,
            [*COMMAND, *arguments],
            cwd=ROOT,
            env={**os.environ, "HEMLINE_WORLD": str(self.folder), "NO_COLOR": "1"},
            input=text,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )


@pytest_asyncio.fixture(scope="module")
async def world(service: Identity, servers: dict[str, Postgres]) -> AsyncIterator[World]:
    """The provider's folder, with a topology that leads to a service which says the same."""
    provider, port = service.provider, free_port()
    provider.add(OPERATOR)
    topology = yaml.safe_load(TOPOLOGY_FILE.read_text())
    for region in (REGION, SIBLING):
        topology["regions"][region]["endpoint"] = f"http://127.0.0.1:{port}"
    file = provider.accounts_file.parent / "topology.yaml"
    file.write_text(yaml.safe_dump(topology))
    address = f"127.0.0.1:{port}"
    async with identity(servers, provider, topology_file=file, address=address):
        yield World(file.parent)


async def test_from_a_new_tenant_to_a_token_of_its_planner(world: World) -> None:
    name, email = fresh(), f"{fresh()}@retailer.example"
    made = await world.run("tenant", "create", name, "--display-name", "X", "--region", REGION)
    assert made.returncode == 0, made.stderr
    listed = await world.run("tenant", "list", "--region", REGION, "--json")
    assert f"tenants/{name}" in {tenant["name"] for tenant in json.loads(listed.stdout)["tenants"]}
    added = await world.run("tenant", "add-user", name, "--region", REGION, "--email", email)
    assert added.returncode == 0, added.stderr
    token = await world.run("token", "--user", email)
    assert (token.returncode, token.stderr) == (0, "")
    claims = jwt.decode(token.stdout.strip(), options={"verify_signature": False})
    assert "inventory:write" in claims["scope"]


async def test_a_token_as_json_says_where_to_use_it(world: World) -> None:
    done = await world.run("token", "--user", OPERATOR, "--json")
    answer = json.loads(done.stdout)
    assert answer["home_region"] == REGION
    assert answer["home_endpoint"].startswith("http://127.0.0.1:")
    assert answer["expires_in_seconds"] == 900


async def test_inspect_shows_claims_and_never_the_signature(world: World) -> None:
    token = (await world.run("token", "--user", OPERATOR)).stdout.strip()
    for arguments in (["token", "inspect", token], ["token", "inspect", "-", "--json"]):
        done = await world.run(*arguments, text=token)
        assert done.returncode == 0
        assert "platform:admin" in done.stdout
        assert "verified" in done.stdout
        assert token.rsplit(".", 1)[1] not in done.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["token", "--user", "nobody@x.example"], 1, OPERATOR),
        (["token"], 2, "--user"),
        (["token", "inspect", "x"], 1, "not a token"),
        (["tenant", "list", "--region", "mars-1"], 1, "known: eu-central-1, eu-west-1"),
        (["tenant", "list", "--region", "us-east-1"], 1, "no account of operator@us-east-1"),
        (["tenant", "create", "A_B", "--region", REGION], 1, "tenant.name: must be tenants/"),
        (
            ["tenant", "add-user", "a", "--region", REGION, "--email", "x@y.example"],
            1,
            "NOT_FOUND TENANT_NOT_FOUND: No such tenant in eu-central-1",
        ),
        (
            ["tenant", "add-user", "a", "--region", REGION, "--email", "x", "--role", "king"],
            1,
            "user.role: want one of planner, store-manager, viewer",
        ),
    ],
)
async def test_what_goes_wrong_is_said_in_one_line(
    world: World, arguments: list[str], code: int, says: str
) -> None:
    done = await world.run(*arguments)
    assert done.returncode == code
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert code == 2 or len(done.stderr.splitlines()) == 1


async def test_an_account_of_no_tenant_is_told_how_to_get_one(
    world: World, service: Identity
) -> None:
    account = service.provider.add(f"{fresh()}@nobody.example")
    done = await world.run("token", "--user", account.email)
    assert done.returncode == 1
    assert "LOGIN_UNKNOWN" in done.stderr
    assert "hemline tenant add-user" in done.stderr


async def test_a_world_that_is_down_is_said_to_be(tmp_path: Path) -> None:
    done = await World(tmp_path).run("token", "--user", OPERATOR)
    assert done.returncode == 3
    (line,) = done.stderr.splitlines()
    assert line.startswith("hemline: the local world is not up")
    assert line.endswith("start it with `hemline up`")


async def test_a_session_carries_its_token_and_replaces_it_in_time(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEMLINE_WORLD", str(world.folder))

    def call_twice() -> tuple[str, str, str]:
        signed_in = session.sign_in(OPERATOR)
        with signed_in.channel() as channel:
            answer = pb_grpc.IdentityServiceStub(channel).WhoAmI(pb.WhoAmIRequest())
        first = signed_in.token
        signed_in._renew_at = float("-inf")
        return answer.home_region, first, signed_in.token

    home_region, first, second = await asyncio.to_thread(call_twice)
    assert home_region == REGION
    assert first != second
