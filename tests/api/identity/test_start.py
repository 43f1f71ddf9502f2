"""How the service and its bootstrap begin, as processes."""

from pathlib import Path

import psycopg

from deploy.local.postgres import Postgres
from tests.api.identity.conftest import run_module
from tests.api.identity.support import OPERATOR, REGION, Identity, environment, settings_for
from tests.store.identity.support import SIBLING, fresh
from tests.support.provider import Provider
from tests.support.servers import free_port

SERVICE = "services.identity"
BOOTSTRAP = "services.identity.bootstrap"


def one_line(text: str) -> str:
    lines = text.strip().splitlines()
    assert len(lines) == 1, text
    return lines[0]


def rows(server: Postgres) -> tuple[int, ...]:
    with psycopg.connect(server.url("postgres", "identity")) as connection:
        tables = ("tenant", "user_account", "membership", "login")
        counted = (connection.execute(f"SELECT count(*) FROM {name}") for name in tables)  # noqa: S608
        return tuple(row[0] for row in (cursor.fetchone() for cursor in counted) if row)


async def test_a_second_bootstrap_changes_nothing_and_names_nobody(
    service: Identity, servers: dict[str, Postgres]
) -> None:
    before = rows(servers[REGION])
    done = run_module(BOOTSTRAP, environment(service.settings), OPERATOR)
    assert (done.returncode, done.stderr) == (0, "")
    assert "@" not in done.stdout
    assert rows(servers[REGION]) == before


async def test_a_second_operator_may_be_added(
    service: Identity, servers: dict[str, Postgres]
) -> None:
    before = rows(servers[REGION])
    done = run_module(BOOTSTRAP, environment(service.settings), f"{fresh()}@hemline.example")
    assert done.returncode == 0
    assert rows(servers[REGION]) == (before[0], before[1] + 1, before[2] + 1, before[3] + 1)


async def test_bootstrap_needs_its_own_region_alone(
    service: Identity, servers: dict[str, Postgres]
) -> None:
    silent = f"postgresql://identity_app:x@127.0.0.1:{free_port()}/identity"
    urls = f'{{"{REGION}": "{servers[REGION].app_url("identity")}", "{SIBLING}": "{silent}"}}'
    settings = {**environment(service.settings), "HEMLINE_DATABASE_URLS": urls}
    assert run_module(BOOTSTRAP, settings, OPERATOR).returncode == 0


async def test_a_broken_providers_file_is_refused_in_one_line(
    service: Identity, tmp_path: Path
) -> None:
    file = tmp_path / "providers.yaml"
    file.write_text("providers: []")
    settings = {**environment(service.settings), "HEMLINE_PROVIDERS_FILE": str(file)}
    for module, email in ((SERVICE, None), (BOOTSTRAP, OPERATOR)):
        done = run_module(module, settings, email)
        assert done.returncode == 1
        line = one_line(done.stderr)
        assert line.startswith("hemline: cannot start: setting HEMLINE_PROVIDERS_FILE: ")


async def test_another_signing_key_secret_is_refused_in_one_line(service: Identity) -> None:
    secret = "t" * 32
    settings = {**environment(service.settings), "HEMLINE_SIGNING_KEY_SECRET": secret}
    done = run_module(SERVICE, settings)
    assert done.returncode == 1
    assert "HEMLINE_SIGNING_KEY_SECRET: does not open" in one_line(done.stderr)
    assert secret not in done.stdout + done.stderr


def test_a_short_secret_is_refused_and_not_printed(
    servers: dict[str, Postgres], provider: Provider
) -> None:
    settings = environment(settings_for(servers, provider.providers_file))
    done = run_module(SERVICE, {**settings, "HEMLINE_LOGIN_PEPPER": "too-short"})
    assert done.returncode == 1
    line = one_line(done.stderr)
    assert "HEMLINE_LOGIN_PEPPER" in line
    assert "too-short" not in line


async def test_a_database_that_is_down_is_refused_in_one_line(service: Identity) -> None:
    urls = f'{{"{REGION}": "postgresql://identity_app:x@127.0.0.1:{free_port()}/identity"}}'
    settings = {**environment(service.settings), "HEMLINE_DATABASE_URLS": urls}
    done = run_module(SERVICE, settings)
    assert done.returncode == 1
    assert "HEMLINE_DATABASE_URLS" in one_line(done.stderr)


async def test_a_database_of_another_jurisdiction_is_refused_in_one_line(
    service: Identity,
) -> None:
    urls = '{"us-east-1": "postgresql://identity_app:x@127.0.0.1:1/identity"}'
    done = run_module(SERVICE, {**environment(service.settings), "HEMLINE_DATABASE_URLS": urls})
    assert done.returncode == 1
    assert "HEMLINE_DATABASE_URLS: us-east-1 is not in EU" in one_line(done.stderr)


async def test_bootstrap_without_its_own_database_is_refused_in_one_line(
    service: Identity,
) -> None:
    done = run_module(
        BOOTSTRAP, {**environment(service.settings), "HEMLINE_DATABASE_URLS": "{}"}, OPERATOR
    )
    assert done.returncode == 1
    assert f"HEMLINE_DATABASE_URLS: nothing for {REGION}" in one_line(done.stderr)
