"""Shards on a Ray cluster. Needs the extra `ray`; a region's cluster must be the region's own."""

import asyncio
from typing import Any

import structlog

from services.forecast.shards.executor import WorkFailed
from services.forecast.shards.worker import ONE_THREAD

log = structlog.get_logger()


class RayTasks:
    """Computes on a cluster, a shard a task. Needs the same version of this package there."""

    def __init__(self, address: str | None) -> None:
        """Connects. Raises ImportError without the extra.

        Args:
            address: of the cluster, such as `ray://head:10001`; a local one is begun, if None.
        """
        import ray

        if not ray.is_initialized():
            environment = {"env_vars": ONE_THREAD}
            ray.init(address, runtime_env=environment, log_to_driver=False, logging_level="ERROR")
        self._ray: Any = ray
        # A task that fails is the job's to try again: it counts how often.
        self._compute: Any = ray.remote(num_cpus=1, max_retries=0)(_compute)

    async def run(self, task: bytes) -> bytes:
        """See `Executor`."""
        waiting = self._compute.remote(task)
        try:
            answer: bytes = await asyncio.wrap_future(waiting.future())
        except asyncio.CancelledError:
            self._ray.cancel(waiting, force=True)
            raise
        except self._ray.exceptions.RayError as error:
            log.warning("ray_task_failed", kind=type(error).__name__, said=str(error)[-2000:])
            raise WorkFailed("The forecasting task failed.") from None
        return answer

    def close(self) -> None:
        self._ray.shutdown()


def _compute(task: bytes) -> bytes:
    from services.forecast.shards.compute import compute
    from services.forecast.shards.data import Task

    return compute(Task.from_bytes(task)).to_bytes()
