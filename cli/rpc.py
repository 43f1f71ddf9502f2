"""What a failed call says beyond its code."""

from typing import Any

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status


def details_of(
    error: grpc.RpcError,
) -> tuple[error_details_pb2.ErrorInfo, error_details_pb2.BadRequest]:
    """Returns the two details that Hemline's errors carry, empty where there are none."""
    info, bad_request = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
    call: Any = error
    status = rpc_status.from_call(call) if isinstance(call, grpc.Call) else None
    for detail in status.details if status else ():
        if not detail.Unpack(info):
            detail.Unpack(bad_request)
    return info, bad_request
