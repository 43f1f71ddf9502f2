"""A PostgreSQL for each region, with the routers' database in it."""

import asyncio
import json
import shutil
import signal
import sys
from pathlib import Path

from deploy.local.postgres import SUPERUSER, Postgres, PostgresError, binary
from proofs.lab.plan import Plan, RegionPlan
from proofs.lab.ports import Ports, port_of
from proofs.lab.process import Process, environment

PASSWORD = "lab-password"  # noqa: S105  # Of a server on loopback that lives for minutes.
SERVICE = "router"
START_SECONDS = 30.0
FAST = ("-c", "fsync=off", "-c", "logging_collector=off")


async def prepare(plan: Plan, folder: Path) -> None:
    """Makes one data folder with the routers' tables, and a copy of it for each region.

    Raises:
        PostgresError: it cannot be made.
    """
    template = Postgres(folder / "postgres-template", port_of(Ports().one()), PASSWORD)
    await asyncio.to_thread(template.initialise)
    running = _process("postgres/template", template, folder)
    running.start()
    try:
        await _accepts(template.port)
        await _migrate(template)
    finally:
        await running.stop(signal.SIGINT)
    for name in plan.regions:
        command = ["cp", "-a", str(template.data), str(_data(folder, name))]
        done = await asyncio.create_subprocess_exec(*command)
        if await done.wait():
            raise PostgresError(f"cannot copy the data folder for {name}")
    shutil.rmtree(template.data)


def server(folder: Path, region: RegionPlan) -> Process:
    """The region's server, to be started after `prepare`."""
    found = Postgres(_data(folder, region.name), port_of(region.postgres), PASSWORD)
    return _process(f"postgres/{region.name}", found, folder)


def urls(plan: Plan, asker: str) -> dict[str, str]:
    """Region to the URL of its routers' database, for every region of ``asker``'s jurisdiction."""
    return {name: _url(plan, asker, name) for name in plan.siblings(asker)}


def _url(plan: Plan, asker: str, owner: str) -> str:
    address = plan.seen_from(asker, owner, plan.regions[owner].postgres)
    return Postgres(Path(), port_of(address), PASSWORD).app_url(SERVICE)


def _data(folder: Path, region: str) -> Path:
    return folder / region / "postgres"


def _process(name: str, found: Postgres, folder: Path) -> Process:
    log = folder / f"{name.replace('/', '-')}.log"
    return Process(name, [*_lazy(found), *FAST], environment(), log)


def _lazy(found: Postgres) -> list[str]:
    # What stands before `postgres` depends on whether its folder can be read, which is not there.
    found.data.parent.mkdir(parents=True, exist_ok=True)
    assert binary("postgres").exists()
    return found.command()


async def _accepts(port: int) -> None:
    async with asyncio.timeout(START_SECONDS):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                return


async def _migrate(found: Postgres) -> None:
    passwords = {SERVICE: {"owner": PASSWORD, "app": PASSWORD}}
    done = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "deploy.local.prepare", "databases"),
        env=environment(
            HEMLINE_SUPERUSER_URL=found.url(SUPERUSER, "postgres"),
            HEMLINE_SERVICE_PASSWORDS=json.dumps(passwords),
        ),
        stdout=asyncio.subprocess.DEVNULL,
    )
    if await done.wait():
        raise PostgresError("the routers' tables cannot be made")
