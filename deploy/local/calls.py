"""The few gRPC calls with which the supervisor asks whether a part is ready."""

import grpc.aio
from grpc_health.v1 import health_pb2, health_pb2_grpc
from hemline.identity.v1 import identity_service_pb2 as pb
from hemline.identity.v1 import identity_service_pb2_grpc as pb_grpc

CALL_SECONDS = 2.0


async def serving(port: int) -> bool:
    """Whether the server on ``port`` says that it serves."""
    async with _channel(port) as channel:
        check = health_pb2_grpc.HealthStub(channel).Check  # type: ignore[attr-defined]
        try:
            answer = await check(health_pb2.HealthCheckRequest(), timeout=CALL_SECONDS)
        except grpc.aio.AioRpcError:
            return False
    return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)


async def key_ids(edge_port: int) -> list[str]:
    """Returns the ids of the keys of the edge's region; none if it does not answer."""
    async with _channel(edge_port) as channel:
        stub = pb_grpc.IdentityServiceStub(channel)
        try:
            answer = await stub.ListSigningKeys(pb.ListSigningKeysRequest(), timeout=CALL_SECONDS)
        except grpc.aio.AioRpcError:
            return []
    return [key.kid for key in answer.signing_keys]


def _channel(port: int) -> grpc.aio.Channel:
    return grpc.aio.insecure_channel(f"127.0.0.1:{port}", [("grpc.enable_http_proxy", 0)])
