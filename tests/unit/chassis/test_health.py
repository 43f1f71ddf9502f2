"""What a service says of itself while its database cannot be asked."""

import asyncio

import pytest
from grpc_health.v1 import health as grpc_health
from grpc_health.v1 import health_pb2
from structlog.testing import capture_logs

from services.chassis import health
from services.chassis.pulse import Pulse

NAME = "hemline.Probe"
SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


class Failing(Pulse):
    """One beat, then a bug for so many, then beats again."""

    def __init__(self, bugs: int) -> None:
        self._beats = iter([True, *[False] * bugs])

    async def beats(self) -> bool:
        if not next(self._beats, True):
            raise RuntimeError("a bug")
        return True

    async def close(self) -> None:
        pass


class Shown(grpc_health.aio.HealthServicer):
    """Remembers what was shown, until it has been changed twice."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[int] = []
        self.back = asyncio.Event()

    async def set(self, service: str, status: int) -> None:
        self.said.append(status)
        if len(self.said) == 3:
            self.back.set()


async def test_a_bug_in_asking_is_no_beat_and_the_next_ones_count_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(health, "BEAT_SECONDS", 0.01)
    checks = Shown()
    with capture_logs() as logged:
        async with health.shown(checks, [NAME], Failing(bugs=3)):
            await asyncio.wait_for(checks.back.wait(), 10)
    assert checks.said == [SERVING, NOT_SERVING, SERVING]
    assert [one["event"] for one in logged].count("database_health_unknown") == 3
