"""Spans to the region's own collector over OTLP. Ids that X-Ray takes, context in both dialects.

Spans are a store like any other: the collector must be of this jurisdiction. No span holds a value
from a request; statements are recorded without their parameters.
"""

import grpc.aio
from opentelemetry import propagate, trace
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation import grpc as grpc_instrumentation
from opentelemetry.propagators.aws import AwsXRayPropagator
from opentelemetry.propagators.composite import CompositePropagator
from opentelemetry.sdk.extension.aws.trace import AwsXRayIdGenerator
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from services.chassis.scrub import ScrubbingExporter
from services.chassis.settings import ServiceSettings

EXPORT_DELAY_MS = 500
EXPORT_LIMIT_SECONDS = 2
"""Retries included: a collector that is gone must not hold up the end of a service."""


def start(service: str, settings: ServiceSettings) -> TracerProvider:
    """Sends this process's spans to the collector. Returns what must be shut down at the end."""
    provider = TracerProvider(
        resource=Resource.create(
            {
                "service.namespace": "hemline",
                "service.name": service,
                "cloud.provider": "aws",
                "cloud.region": settings.region,
            }
        ),
        sampler=ParentBased(TraceIdRatioBased(settings.trace_ratio)),
        id_generator=AwsXRayIdGenerator(),
    )
    if settings.otlp_endpoint:
        exporter = OTLPSpanExporter(
            endpoint=settings.otlp_endpoint, insecure=True, timeout=EXPORT_LIMIT_SECONDS
        )
        provider.add_span_processor(
            BatchSpanProcessor(ScrubbingExporter(exporter), schedule_delay_millis=EXPORT_DELAY_MS)
        )
    trace.set_tracer_provider(provider)
    # The last one wins on extraction: W3C, which Envoy speaks, over X-Ray.
    propagate.set_global_textmap(
        CompositePropagator([AwsXRayPropagator(), TraceContextTextMapPropagator()])
    )
    return provider


def server_interceptor() -> grpc.aio.ServerInterceptor:
    """A span for each call, but none for health checks."""
    quiet = grpc_instrumentation.filters.negate(grpc_instrumentation.filters.health_check())
    made: grpc.aio.ServerInterceptor = grpc_instrumentation.aio_server_interceptor(filter_=quiet)
    return made
