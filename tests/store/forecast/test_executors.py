import asyncio
from importlib.util import find_spec

import numpy as np
import psutil
import pytest

from services.forecast.engine.panel import Panel
from services.forecast.engine.period import Period
from services.forecast.shards.compute import compute
from services.forecast.shards.data import Found, Task, pack_panel
from services.forecast.shards.executor import WorkFailed
from services.forecast.shards.ray_tasks import RayTasks
from services.forecast.shards.worker import Processes

UNITS = np.random.default_rng(5).poisson(3.0, (6, 40)).astype(np.float64)
PANEL = Panel(Period.DAY, np.datetime64("2026-01-01") + np.arange(47), UNITS)
TASK = Task(pack_panel(PANEL), "light")
NONSENSE = Task(b"not packed", "light")


async def test_a_process_finds_what_this_one_finds() -> None:
    found = await Processes().run(TASK.to_bytes())
    assert Found.from_bytes(found) == compute(TASK)


async def test_a_process_that_fails_says_so() -> None:
    with pytest.raises(WorkFailed):
        await Processes().run(NONSENSE.to_bytes())


async def test_a_process_ends_with_whoever_waits_for_it() -> None:
    before = set(psutil.Process().children(recursive=True))
    waiting = asyncio.create_task(Processes().run(TASK.to_bytes()))
    while not (begun := set(psutil.Process().children(recursive=True)) - before):  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    waiting.cancel()
    await asyncio.wait([waiting])
    _, alive = psutil.wait_procs(list(begun), timeout=5)
    assert alive == []


@pytest.mark.skipif(find_spec("ray") is None, reason="needs the extra `ray`, 258 MB")
async def test_a_cluster_finds_what_this_process_finds() -> None:
    cluster = RayTasks("local")
    try:
        assert Found.from_bytes(await cluster.run(TASK.to_bytes())) == compute(TASK)
        with pytest.raises(WorkFailed):
            await cluster.run(NONSENSE.to_bytes())
    finally:
        cluster.close()
