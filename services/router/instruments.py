"""What the router counts. Sent to the region's collector every few seconds, if there is one.

An attribute has a handful of values, and none of them comes from a request.
"""

from opentelemetry import metrics

LATENCY_BOUNDS_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class Instruments:
    def __init__(self) -> None:
        meter = metrics.get_meter("hemline.router")
        self.published = meter.create_counter(
            "hemline.router.snapshots_published", description="Snapshots put into force."
        )
        self.refused = meter.create_counter(
            "hemline.router.snapshots_refused",
            description="Snapshots that broke a rule, by who says so: translate, check or envoy.",
        )
        self.unanswered = meter.create_counter(
            "hemline.router.validations_unanswered",
            description="Attempts to ask Envoy about a snapshot that brought no answer.",
        )
        self.nacks = meter.create_counter(
            "hemline.router.nacks", description="Answers that a proxy refused, by type."
        )
        self.streams = meter.create_up_down_counter(
            "hemline.router.streams", description="Open streams of proxies, by kind."
        )
        self.latency = meter.create_histogram(
            "hemline.router.accept_latency",
            unit="s",
            description="From sending an answer to its acceptance, by type.",
            explicit_bucket_boundaries_advisory=LATENCY_BOUNDS_SECONDS,
        )
