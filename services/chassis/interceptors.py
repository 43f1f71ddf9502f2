"""What happens around every call: deadline, error mapping, one log line, caller, residency.

Outside in: `CallInterceptor` (errors, deadline, log), then `CallerInterceptor` (who, may they).
Health and reflection pass untouched.
"""

import asyncio
import time
from abc import abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from typing import Any

import grpc
import grpc.aio
import structlog
from grpc_status import rpc_status

from services.chassis import status
from services.chassis.auth import TokenVerifier, authorize, bearer
from services.chassis.contract import PUBLIC, Method
from services.chassis.errors import DeadlineExceeded, HemlineError
from services.chassis.residency import ResidencyGuard
from services.chassis.tenancy import reading, serving

log = structlog.get_logger()

Context = grpc.aio.ServicerContext[Any, Any]
Continuation = Callable[[grpc.HandlerCallDetails], Awaitable[Any]]

UNARY_LIMIT_SECONDS = 60.0
"""The longest a call with one message each way may take, if its caller set no shorter deadline."""
STREAM_LIMIT_SECONDS = 900.0


class DeadlinePassed(DeadlineExceeded):
    reason = "DEADLINE_EXCEEDED"


class _AroundInterceptor(grpc.aio.ServerInterceptor):
    """Wraps each handler of a Hemline method in an asynchronous context manager."""

    async def intercept_service(
        self, continuation: Continuation, handler_call_details: grpc.HandlerCallDetails
    ) -> Any:
        handler = await continuation(handler_call_details)
        path: str = handler_call_details.method
        if handler is None or not path.startswith("/hemline."):
            return handler
        return _wrapped(handler, lambda context: self.around(path, handler, context))

    @abstractmethod
    def around(
        self, path: str, handler: Any, context: Context
    ) -> AbstractAsyncContextManager[None]: ...


class CallInterceptor(_AroundInterceptor):
    @asynccontextmanager
    async def around(self, path: str, handler: Any, context: Context) -> AsyncIterator[None]:
        streams = handler.request_streaming or handler.response_streaming
        limit = STREAM_LIMIT_SECONDS if streams else UNARY_LIMIT_SECONDS
        started = time.perf_counter()
        answer, code = None, "OK"
        try:
            async with asyncio.timeout(min(limit, context.time_remaining() or limit)):
                yield
        except TimeoutError:
            answer = status.to_status(DeadlinePassed("The call took longer than its deadline."))
        except HemlineError as error:
            answer = status.to_status(error)
        except asyncio.CancelledError:
            code = "CANCELLED"
            raise
        except Exception:
            # The one place where a bug ends. Its text stays in the log.
            log.exception("call_failed", path=path)
            answer = status.internal()
        finally:
            code = code if answer is None else status.grpc_code(answer).name
            spent_ms = round((time.perf_counter() - started) * 1000, 1)
            log.info("call", path=path, code=code, spent_ms=spent_ms)
        if answer is not None:
            rich = rpc_status.to_status(answer)
            # Not `abort_with_status`: tracing sees the code only of the plain `abort`.
            await context.abort(rich.code, rich.details, rich.trailing_metadata)


class CallerInterceptor(_AroundInterceptor):
    def __init__(
        self, verifier: TokenVerifier, guard: ResidencyGuard, methods: dict[str, Method]
    ) -> None:
        self._verifier = verifier
        self._guard = guard
        self._methods = methods

    @asynccontextmanager
    async def around(self, path: str, handler: Any, context: Context) -> AsyncIterator[None]:
        del handler
        method = self._methods[path]
        access = method.access
        # What changes nothing may be answered from a replica.
        kind = reading if method.safe else nullcontext
        if access == PUBLIC:
            with kind():
                yield
            return
        headers = dict(context.invocation_metadata() or ())
        authorization = headers.get("authorization")
        caller = await self._verifier.verify(bearer(_text(authorization)))
        # Residency first: to somebody who should not be here, permissions say nothing.
        self._guard.admit(caller)
        authorize(caller, access)
        # Never unbound: each call has a context of its own, and the line that ends it, written
        # further out, names the tenant too.
        structlog.contextvars.bind_contextvars(tenant_id=str(caller.tenant_id))
        with serving(caller), kind():
            yield


def _text(value: str | bytes | None) -> str | None:
    return value.decode("ascii", "replace") if isinstance(value, bytes) else value


def _wrapped(handler: Any, around: Callable[[Context], AbstractAsyncContextManager[None]]) -> Any:
    if handler.response_streaming:
        behaviour = handler.stream_stream or handler.unary_stream

        async def stream(request: Any, context: Context) -> AsyncIterator[Any]:
            async with around(context):
                async for response in behaviour(request, context):
                    yield response

        make = (
            grpc.stream_stream_rpc_method_handler
            if handler.request_streaming
            else grpc.unary_stream_rpc_method_handler
        )
        return make(stream, handler.request_deserializer, handler.response_serializer)

    behaviour = handler.stream_unary or handler.unary_unary

    async def unary(request: Any, context: Context) -> Any:
        async with around(context):
            return await behaviour(request, context)

    make_unary = (
        grpc.stream_unary_rpc_method_handler
        if handler.request_streaming
        else grpc.unary_unary_rpc_method_handler
    )
    return make_unary(unary, handler.request_deserializer, handler.response_serializer)
