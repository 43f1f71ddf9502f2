"""Where shards are computed: an interface, so that a cluster can stand in for this machine."""

from typing import Protocol


class WorkFailed(Exception):
    """The process that computed a shard ended without an answer. What it said is in the log."""


class Executor(Protocol):
    async def run(self, task: bytes) -> bytes:
        """Computes a packed `Task`, and returns the `Found`, packed.

        Cancelling this ends the work, wherever it is done.

        Raises:
            WorkFailed: there is no answer.
        """
