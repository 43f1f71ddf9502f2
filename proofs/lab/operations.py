"""An operator at a lab."""

import asyncio
from typing import Any
from uuid import uuid4

import grpc
import grpc.aio
from hemline.router.v1 import operations_service_pb2 as pb
from hemline.router.v1 import operations_service_pb2_grpc as pb_grpc

from proofs.lab.lab import Lab

SECONDS = 10.0
READY_SECONDS = 60.0
TRY_SECONDS = 0.05


class Operator:
    """Of the jurisdiction of ``region``, whose routers are asked without a detour."""

    def __init__(self, lab: Lab, region: str) -> None:
        self._lab = lab
        self._address = lab.plan.regions[region].routers[0]
        self._metadata = (("authorization", f"Bearer {lab.tokens.sign(region)}"),)

    async def ready(self, region: str) -> None:
        """Waits until the routers know enough of the siblings' health to drain ``region``."""
        request = pb.DrainRegionRequest(
            name=f"regions/{region}", validate_only=True, request_id=str(uuid4()), reason="proof"
        )
        async with asyncio.timeout(READY_SECONDS):
            while True:
                try:
                    await self._call("DrainRegion", request)
                except grpc.aio.AioRpcError:
                    await asyncio.sleep(TRY_SECONDS)
                else:
                    return

    async def drain(self, region: str, percent: int) -> pb.DrainRegionResponse:
        """Raises grpc.aio.AioRpcError."""
        request = pb.DrainRegionRequest(
            name=f"regions/{region}", percent=percent, request_id=str(uuid4()), reason="proof"
        )
        answer: pb.DrainRegionResponse = await self._call("DrainRegion", request)
        return answer

    async def undrain(self, region: str, percent: int = 0) -> pb.UndrainRegionResponse:
        """Leaves ``percent`` drained. Raises grpc.aio.AioRpcError."""
        request = pb.UndrainRegionRequest(
            name=f"regions/{region}", percent=percent, request_id=str(uuid4()), reason="proof"
        )
        answer: pb.UndrainRegionResponse = await self._call("UndrainRegion", request)
        return answer

    async def _call(self, method: str, request: Any) -> Any:
        async with grpc.aio.insecure_channel(self._address) as channel:
            stub = pb_grpc.OperationsServiceStub(channel)
            return await getattr(stub, method)(request, metadata=self._metadata, timeout=SECONDS)
