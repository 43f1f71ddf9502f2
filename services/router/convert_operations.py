"""Operations as messages, and requests as checked orders."""

from collections.abc import Mapping
from uuid import UUID

from google.protobuf.duration_pb2 import Duration
from hemline.router.v1 import operations_service_pb2 as pb

from services.chassis.contract import Method
from services.chassis.fields import CONTROL, Fields
from services.chassis.paging import Limits, Page, page_from
from services.chassis.topology import Topology
from services.chassis.wire import to_timestamp
from services.router.errors import RegionNotFound
from services.router.explain import Explanation, Question, RouteOutcome, Step
from services.router.observed import Observed
from services.router.operations import Outcome
from services.router.operations_rules import Scene, Shares
from services.router.policy import HIGHEST_EPOCH, PERCENT, Mode, Policy
from services.router.policy_log import Change, Merged
from services.router.policy_writer import Order
from services.router.registry import Proxy, Resources

PAGES = Limits(default=50, most=500)
REASON_CHARACTERS = 200
ETAG_CHARACTERS = 64
WEIGHTS = 64
DOWN_REGIONS = 64

MODES = {
    Mode.FAILOVER: pb.TRAFFIC_MODE_FAILOVER,
    Mode.LATENCY: pb.TRAFFIC_MODE_LATENCY,
    Mode.GEOLOCATION: pb.TRAFFIC_MODE_GEOLOCATION,
    Mode.WEIGHTED: pb.TRAFFIC_MODE_WEIGHTED,
}
OUTCOMES = {
    RouteOutcome.SERVED: pb.ROUTE_OUTCOME_SERVED,
    RouteOutcome.REDIRECTED: pb.ROUTE_OUTCOME_REDIRECTED,
    RouteOutcome.NO_HEALTHY_REGION: pb.ROUTE_OUTCOME_NO_HEALTHY_REGION,
}


def drain_from(request: pb.DrainRegionRequest, operator: UUID) -> tuple[Order, str, int]:
    """Returns order, region and percent. Raises InvalidArgument."""
    fields = Fields()
    region = fields.name(request.name, "name", "regions")
    percent = request.percent or PERCENT
    if not 1 <= percent <= PERCENT:
        fields.refuse("percent", "must be 1 to 100, or 0 for 100.")
    order = _order(fields, request, request.etag, operator)
    return order, region, percent


def undrain_from(request: pb.UndrainRegionRequest, operator: UUID) -> tuple[Order, str, int]:
    """Returns order, region and the percent that stays drained. Raises InvalidArgument."""
    fields = Fields()
    region = fields.name(request.name, "name", "regions")
    if not 0 <= request.percent < PERCENT:
        fields.refuse("percent", "must be 0 to 99: how much stays drained.")
    order = _order(fields, request, request.etag, operator)
    return order, region, request.percent


def steering_from(request: pb.SetTrafficPolicyRequest, operator: UUID) -> tuple[Order, Policy]:
    """Returns the order and what is to hold, without drains. Raises InvalidArgument."""
    fields, policy = Fields(), request.policy
    modes = {message: mode for mode, message in MODES.items()}
    if policy.mode not in modes:
        fields.refuse("policy.mode", f"want one of {', '.join(mode.value for mode in Mode)}.")
    if not 0 <= policy.home_epoch_floor < HIGHEST_EPOCH:
        fields.refuse("policy.home_epoch_floor", "must be 0 or more, and below 2^53.")
    tracks = {service: dict(found.percents) for service, found in policy.tracks.items()}
    if max((len(policy.weights), *map(len, tracks.values())), default=0) > WEIGHTS:
        fields.refuse("policy", f"holds at most {WEIGHTS} weights of a kind.")
    order = _order(fields, request, policy.etag, operator)
    return order, Policy(
        mode=modes[policy.mode],
        weights=dict(policy.weights),
        tracks=tracks,
        home_epoch_floor=policy.home_epoch_floor,
    )


def question_from(
    request: pb.ExplainRouteRequest, topology: Topology, methods: Mapping[str, Method]
) -> Question:
    """Raises InvalidArgument, or RegionNotFound for a region that is not in the topology."""
    fields = Fields()
    if not request.home_region:
        fields.refuse("home_region", "must name the tenant's home region.")
    if request.method and request.method not in methods:
        fields.refuse("method", "no such method; want a path such as /package.Service/Method.")
    if len(request.down_regions) > DOWN_REGIONS:
        fields.refuse("down_regions", f"at most {DOWN_REGIONS}.")
    fields.check()
    edge = request.edge_region or request.home_region
    for region in (request.home_region, edge, *request.down_regions):
        if region not in topology.regions:
            known = ", ".join(sorted(topology.regions))
            raise RegionNotFound(f"There is no such region in the topology; known: {known}.")
    down = frozenset(request.down_regions)
    return Question(request.home_region, edge, methods.get(request.method), down)


def changes_page(request: pb.ListPolicyChangesRequest) -> Page:
    return page_from(request, PAGES, key=(int, str, str))


def proxies_page(request: pb.ListProxiesRequest) -> Page:
    return page_from(request, PAGES, key=(str,))


def policy_message(jurisdiction: str, merged: Merged) -> pb.TrafficPolicy:
    policy = merged.policy
    return pb.TrafficPolicy(
        jurisdiction=jurisdiction,
        mode=MODES[policy.mode],
        weights=policy.weights,
        drained=policy.drained,
        tracks={
            service: pb.TrackWeights(percents=found) for service, found in policy.tracks.items()
        },
        home_epoch_floor=policy.home_epoch_floor,
        etag=merged.etag,
    )


def outcome_fields(
    jurisdiction: str, outcome: Outcome
) -> tuple[pb.TrafficPolicy, list[pb.RegionShares], tuple[str, ...]]:
    """Returns `policy`, `shares` and `unreachable`."""
    policy = policy_message(jurisdiction, outcome.merged)
    return policy, [_shares(found) for found in outcome.shares], outcome.unreachable


def change_message(change: Change) -> pb.PolicyChange:
    return pb.PolicyChange(
        version=change.version,
        create_time=to_timestamp(change.create_time),
        operator=change.operator,
        action=change.action,
        reason=change.reason,
        region=change.region,
    )


def region_statuses(scene: Scene, observed: Observed, policy: Policy) -> list[pb.RegionStatus]:
    """Returns health and load of the jurisdiction's regions, by name."""
    return [
        pb.RegionStatus(
            name=f"regions/{region}",
            drained_percent=policy.drained.get(region, 0),
            services=[
                _service_status(observed, region, service)
                for service in sorted(scene.endpoints[region].services)
            ],
        )
        for region in sorted(scene.regions)
    ]


def explanation_message(found: Explanation) -> pb.ExplainRouteResponse:
    return pb.ExplainRouteResponse(
        outcome=OUTCOMES[found.outcome],
        choices=[
            pb.RouteChoice(percent=choice.percent, steps=[_step(step) for step in choice.steps])
            for choice in found.choices
        ],
        reasons=found.reasons,
        retried=found.retried,
        hedged=found.hedged,
    )


def proxy_message(proxy: Proxy, meant: str) -> pb.Proxy:
    """Args: what the router knows of the proxy, and the version of the snapshot meant for it."""
    types = sorted(proxy.types.items(), key=lambda each: _kind(each[0]))
    return pb.Proxy(
        node=proxy.node,
        connected=proxy.streams > 0,
        snapshot_version=meant,
        resources=[_resources(_kind(url), found) for url, found in types],
        in_sync=bool(meant) and proxy.good_version == meant,
    )


def _order(
    fields: Fields,
    request: pb.DrainRegionRequest | pb.UndrainRegionRequest | pb.SetTrafficPolicyRequest,
    etag: str,
    operator: UUID,
) -> Order:
    """Reads what all writes have in common, and checks ``fields``."""
    request_id = fields.request_id(request.request_id)
    if len(request.reason) > REASON_CHARACTERS or CONTROL.search(request.reason):
        fields.refuse("reason", f"at most {REASON_CHARACTERS} characters, none of control.")
    if len(etag) > ETAG_CHARACTERS:
        fields.refuse("etag", "not an etag of a policy.")
    fields.check()
    return Order(str(operator), request_id, request.reason, etag, request.validate_only)


def _shares(found: Shares) -> pb.RegionShares:
    return pb.RegionShares(
        home_region=found.home, edge_region=found.edge, percents=dict(found.percents)
    )


def _service_status(observed: Observed, region: str, service: str) -> pb.ServiceStatus:
    healthy, hosts = observed.healthy_hosts(region, service) or (0, 0)
    load, told = observed.load(region, service), observed.report_time(region, service)
    return pb.ServiceStatus(
        service=service,
        healthy_hosts=healthy,
        hosts=hosts,
        calls_per_second=load.calls_per_second if load else 0,
        errors_per_second=load.errors_per_second if load else 0,
        report_time=to_timestamp(told) if told else None,
    )


def _step(step: Step) -> pb.RouteStep:
    return pb.RouteStep(
        region=step.region, endpoints=step.endpoints, healthy=step.healthy, serves=step.serves
    )


def _kind(type_url: str) -> str:
    return type_url.rpartition(".")[2]


def _resources(kind: str, found: Resources) -> pb.ProxyResources:
    latency = Duration()
    latency.FromMicroseconds(round((found.latency_seconds or 0) * 1_000_000))
    return pb.ProxyResources(
        type=kind,
        accepted_version=found.accepted_version,
        refused_version=found.refused_version,
        refused_reason=found.refused_reason,
        accept_latency=latency if found.latency_seconds is not None else None,
    )
