"""Spans and metrics to the region's own collector over OTLP.

Spans' ids are such that X-Ray takes, and their context is sent in both dialects. Both are a store
like any other: the collector must be of this jurisdiction. No span holds a value from a request;
statements are recorded without their parameters.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import grpc.aio
from opentelemetry import metrics, propagate, trace
from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation import grpc as grpc_instrumentation
from opentelemetry.propagators.aws import AwsXRayPropagator
from opentelemetry.propagators.composite import CompositePropagator
from opentelemetry.sdk.extension.aws.trace import AwsXRayIdGenerator
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from services.chassis.scrub import ScrubbingExporter
from services.chassis.settings import ServiceSettings

EXPORT_DELAY_MS = 500
METRICS_INTERVAL_MS = 10_000
EXPORT_LIMIT_SECONDS = 2
"""Retries included: a collector that is gone must not hold up the end of a service."""


@dataclass(frozen=True, slots=True)
class Telemetry:
    """What is under way to the collector."""

    tracers: TracerProvider
    meters: MeterProvider

    def shutdown(self) -> None:
        """Sends what is left, and lets a collector that is gone take `EXPORT_LIMIT_SECONDS`."""
        with ThreadPoolExecutor() as both:
            ends = [both.submit(one.shutdown) for one in (self.tracers, self.meters)]
        for end in ends:
            end.result()


def start(service: str, settings: ServiceSettings) -> Telemetry:
    """Sends this process's spans and metrics to the collector, if the settings name one.

    Returns:
        What must be shut down at the end.
    """
    resource = Resource.create(
        {
            "service.namespace": "hemline",
            "service.name": service,
            "cloud.provider": "aws",
            "cloud.region": settings.region,
        }
    )
    made = Telemetry(_tracers(resource, settings), _meters(resource, settings.otlp_endpoint))
    trace.set_tracer_provider(made.tracers)
    metrics.set_meter_provider(made.meters)
    # The last one wins on extraction: W3C, which Envoy speaks, over X-Ray.
    propagate.set_global_textmap(
        CompositePropagator([AwsXRayPropagator(), TraceContextTextMapPropagator()])
    )
    return made


def _tracers(resource: Resource, settings: ServiceSettings) -> TracerProvider:
    provider = TracerProvider(
        resource=resource,
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
    return provider


def _meters(resource: Resource, collector: str | None) -> MeterProvider:
    if not collector:
        return MeterProvider(resource=resource)
    exporter = OTLPMetricExporter(endpoint=collector, insecure=True, timeout=EXPORT_LIMIT_SECONDS)
    reader = PeriodicExportingMetricReader(exporter, METRICS_INTERVAL_MS)
    return MeterProvider([reader], resource)


def server_interceptor() -> grpc.aio.ServerInterceptor:
    """A span for each call, but none for health checks."""
    quiet = grpc_instrumentation.filters.negate(grpc_instrumentation.filters.health_check())
    made: grpc.aio.ServerInterceptor = grpc_instrumentation.aio_server_interceptor(filter_=quiet)
    return made
