"""Calls to an edge as clients make them: gRPC and, by hand, gRPC-Web."""

import base64
import http.client
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import grpc
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status
from hemline.forecast.v1 import forecast_service_pb2 as forecast_pb
from hemline.inventory.v1 import inventory_service_pb2 as inventory_pb

LIST_LEVELS = "/hemline.inventory.v1.InventoryService/ListStockLevels"
LIST_FORECASTS = "/hemline.forecast.v1.ForecastService/ListForecasts"
ANSWERS: dict[str, Callable[[bytes], Message]] = {
    LIST_LEVELS: inventory_pb.ListStockLevelsResponse.FromString,
    LIST_FORECASTS: forecast_pb.ListForecastsResponse.FromString,
}
SECONDS = 10
TRAILERS = 0x80


@dataclass(frozen=True)
class Outcome:
    """What a client sees of one call."""

    code: grpc.StatusCode
    reason: str  # Of `google.rpc.ErrorInfo`, empty without.
    metadata: dict[str, str]  # Of `google.rpc.ErrorInfo`.
    headers: dict[str, str]
    answer: Any  # None unless the code is OK.


def call_grpc(port: int, path: str, headers: dict[str, str]) -> Outcome:
    """One unary call with an empty request."""
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        method = channel.unary_unary(path, response_deserializer=ANSWERS.get(path))
        future = method.future(b"", metadata=tuple(headers.items()), timeout=SECONDS)
        try:
            answer = future.result()
        except grpc.RpcError as error:
            info = _error_info(rpc_status.from_call(error))
            found = dict(future.initial_metadata() or ())
            return Outcome(error.code(), info.reason, dict(info.metadata), found, None)
        return Outcome(grpc.StatusCode.OK, "", {}, dict(future.initial_metadata()), answer)


def call_grpc_web(port: int, path: str, headers: dict[str, str]) -> Outcome:
    """The same in gRPC-Web, from a page at the first origin that the topology allows."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)
    connection.request(
        "POST",
        path,
        body=b"\0\0\0\0\0",
        headers={
            "content-type": "application/grpc-web+proto",
            "x-grpc-web": "1",
            "origin": "http://localhost:5173",
            **headers,
        },
    )
    response = connection.getresponse()
    found = {name.lower(): value for name, value in response.getheaders()}
    frames = _frames(response.read()) if response.status == http.client.OK else []
    connection.close()
    trailers = dict(found)
    for kind, data in frames:
        if kind & TRAILERS:
            lines = data.decode().split("\r\n")
            trailers |= {n.lower(): v.strip() for n, _, v in (x.partition(":") for x in lines if x)}
    code = next(c for c in grpc.StatusCode if c.value[0] == int(trailers["grpc-status"]))
    info = _error_info(_decoded(trailers.get("grpc-status-details-bin")))
    data = [frame for kind, frame in frames if not kind & TRAILERS]
    answer = ANSWERS.get(path, bytes)(data[0]) if data else None
    return Outcome(code, info.reason, dict(info.metadata), found, answer)


CLIENTS = {"grpc": call_grpc, "grpc-web": call_grpc_web}


def _frames(body: bytes) -> list[tuple[int, bytes]]:
    frames = []
    while body:
        size = int.from_bytes(body[1:5], "big")
        frames.append((body[0], body[5 : 5 + size]))
        body = body[5 + size :]
    return frames


def _decoded(header: str | None) -> status_pb2.Status | None:
    if header is None:
        return None
    text = unquote(header)
    return status_pb2.Status.FromString(base64.b64decode(text + "=" * (-len(text) % 4)))


def _error_info(status: Any) -> error_details_pb2.ErrorInfo:
    info = error_details_pb2.ErrorInfo()
    for detail in status.details if status else ():
        if detail.Is(info.DESCRIPTOR):
            detail.Unpack(info)
    return info
