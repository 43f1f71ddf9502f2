"""An identity service that only tells its keys."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc.aio
from hemline.identity.v1 import identity_service_pb2 as pb
from hemline.identity.v1 import identity_service_pb2_grpc as pb_grpc

from services.chassis.keys import Jwk


class Identity(pb_grpc.IdentityServiceServicer):
    def __init__(self, *keys: Jwk) -> None:
        self.keys = keys

    async def ListSigningKeys(self, request: Any, context: Any) -> Any:
        del request, context
        keys = [
            pb.SigningKey(kid=one.kid, issuer=one.issuer, x=one.x, y=one.y) for one in self.keys
        ]
        return pb.ListSigningKeysResponse(signing_keys=keys)


@asynccontextmanager
async def identity(address: str, *keys: Jwk) -> AsyncIterator[Identity]:
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    made = Identity(*keys)
    pb_grpc.add_IdentityServiceServicer_to_server(made, server)
    server.add_insecure_port(address)
    await server.start()
    try:
        yield made
    finally:
        await server.stop(None)
