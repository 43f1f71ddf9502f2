import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from deploy.local.postgres import Postgres
from tests.api.identity.support import (
    OPERATOR,
    REGION,
    ROOT,
    TOPOLOGY,
    Identity,
    environment,
    identity,
    settings_for,
)
from tests.store.identity.support import SIBLING, identity_postgres
from tests.support.provider import Provider, cognito


@pytest.fixture(scope="session")
def servers() -> Iterator[dict[str, Postgres]]:
    with identity_postgres() as home, identity_postgres() as sibling:
        yield {REGION: home, SIBLING: sibling}


@pytest.fixture(scope="session")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    with cognito(TOPOLOGY, tmp_path_factory.mktemp("provider")) as running:
        yield running


@pytest_asyncio.fixture(scope="session")
async def service(servers: dict[str, Postgres], provider: Provider) -> AsyncIterator[Identity]:
    # The region's operator is made as a person does it: by the command.
    settings = settings_for(servers, provider.providers_file)
    done = run_module("services.identity.bootstrap", environment(settings), OPERATOR)
    assert done.returncode == 0, done.stderr
    async with identity(servers, provider) as running:
        yield running


def run_module(
    module: str, settings: dict[str, str], email: str | None = None
) -> subprocess.CompletedProcess[str]:
    """Runs a module of identity in a process of its own."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("HEMLINE_")}
    command = [sys.executable, "-m", module]
    if email is not None:
        command += ["--operator-email", email]
    return subprocess.run(
        command,
        cwd=Path(ROOT),
        env={**clean, **settings},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
