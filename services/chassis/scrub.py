"""Takes words that nobody chose out of spans and logs before they leave the process.

An exception's text may quote a value: PostgreSQL's "invalid input syntax for type uuid: ..." does.
So spans lose their events and status texts, and what the caller's software calls itself; a logged
bug is its class and its frames. Codes, names and times stay.
"""

import sys
import traceback
from collections.abc import Sequence

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.trace import Status
from structlog.typing import EventDict, ExcInfo, WrappedLogger

DROPPED = {"rpc.user_agent"}


class ScrubbingExporter(SpanExporter):
    """Exports to ``inner`` what is left of each span."""

    def __init__(self, inner: SpanExporter) -> None:
        self._inner = inner

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        return self._inner.export([_scrubbed(span) for span in spans])

    def shutdown(self) -> None:
        self._inner.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._inner.force_flush(timeout_millis)


def exception_frames(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """A structlog processor: `exc_info` becomes the class and the frames, innermost last."""
    given: ExcInfo | bool | None = event.pop("exc_info", None)
    # `log.exception` says True: the exception that is being handled.
    kind, _, trace = sys.exc_info() if given is True else given or (None, None, None)
    if kind is not None:
        event["exception"] = kind.__qualname__
        event["frames"] = [
            f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(trace)
        ]
    return event


def _scrubbed(span: ReadableSpan) -> ReadableSpan:
    return ReadableSpan(
        name=span.name,
        context=span.get_span_context(),
        parent=span.parent,
        resource=span.resource,
        attributes={
            name: value for name, value in (span.attributes or {}).items() if name not in DROPPED
        },
        links=span.links,
        kind=span.kind,
        status=Status(span.status.status_code),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )
