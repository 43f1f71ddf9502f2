"""HTTP filters of listeners: every request passes token verification, limits, RBAC, the router.

What each is told is compared with what is known here, but for the rules of a sidecar's RBAC, which
are run, and the sizes of buckets.
"""

from collections.abc import Iterator

from services.router import xds_types
from services.router.check import rbac
from services.router.check.doors import OVER_ADS
from services.router.check.plain import Plain
from services.router.check.tokens import JWT
from services.router.nodes import Kind, Node
from services.router.translate.facts import Facts

VERIFIES = "hemline-jwt"
LIMITS = f"{xds_types.HTTP_FILTERS}local_ratelimit.v3.LocalRateLimit"
RBAC = f"{xds_types.HTTP_FILTERS}rbac.v3.RBAC"
ROUTER = f"{xds_types.HTTP_FILTERS}router.v3.Router"

# Verification comes over ADS, and until it is there the listener waits: no default.
DISCOVERY = {"config_source": OVER_ADS, "type_urls": [JWT]}

LAST = {
    Kind.EDGE: (VERIFIES, LIMITS, RBAC, ROUTER),
    Kind.SIDECAR: (VERIFIES, RBAC, ROUTER),
}

_ALIVE = {"name": ":path", "string_match": {"exact": "/healthz"}}
BEFORE: tuple[Plain, ...] = (
    {
        "@type": f"{xds_types.HTTP_FILTERS}health_check.v3.HealthCheck",
        "pass_through_mode": False,
        "headers": [_ALIVE],
    },
    {"@type": f"{xds_types.HTTP_FILTERS}grpc_web.v3.GrpcWeb"},
    {"@type": f"{xds_types.HTTP_FILTERS}cors.v3.Cors"},
)
"""What may stand before token verification at an edge: none of it passes a request on."""

HIGHEST_RATE = 100_000
"""Calls a second. A bucket that lets more pass is no limit."""


def problems(facts: Facts, node: Node, filters: list[Plain]) -> Iterator[str]:
    wanted = LAST[node.kind]
    before, last = filters[: -len(wanted)], filters[-len(wanted) :]
    if tuple(_kind(one) for one in last) != wanted:
        yield "token verification, RBAC and the router are not its last filters"
        return
    for one in before:
        if node.kind is not Kind.EDGE or one.get("typed_config") not in BEFORE or len(one) > 2:  # noqa: PLR2004  # Name and configuration.
            yield f"it has the filter {one.get('name')} before token verification"
    *_, limits, access, router = (one.get("typed_config", {}) for one in last)
    if router != {"@type": ROUTER}:
        yield "the router is told more than it should"
    if access.keys() - {"@type", "rules"} or (node.kind is Kind.EDGE and "rules" in access):
        yield "RBAC is told more than it should"
    if node.kind is Kind.SIDECAR:
        yield from rbac.problems(facts, node, access.get("rules"))
    elif not _limits_all(facts, limits):
        yield "calls are not limited, or in another way"


def _kind(http_filter: Plain) -> str:
    """Message of an HTTP filter that is surely run; empty for any other."""
    if http_filter == {"name": VERIFIES, "config_discovery": DISCOVERY}:
        return VERIFIES
    if http_filter.keys() != {"name", "typed_config"}:
        return ""
    kind: str = http_filter["typed_config"].get("@type", "")
    return kind


def _limits_all(facts: Facts, config: Plain) -> bool:
    """Whether it limits each call, by all calls and by the tenant that a verified token names."""
    descriptors = config.get("descriptors", [])
    entries = [one.get("entries") for one in descriptors]
    buckets = [one.get("token_bucket", {}) for one in (config, *descriptors)]
    rest = {
        key: value
        for key, value in config.items()
        if key not in {"stat_prefix", "descriptors", "token_bucket", "max_dynamic_descriptors"}
    }
    return (
        rest
        == {
            "@type": LIMITS,
            "filter_enabled": _always("enabled"),
            "filter_enforced": _always("enforced"),
            "rate_limited_as_resource_exhausted": True,
            "rate_limits": [_tenant(name) for name in sorted(facts.topology.jurisdictions)],
        }
        and entries == [[{"key": "tenant"}]]
        and all(_is_bucket(one) for one in buckets)
    )


def _always(what: str) -> Plain:
    return {"runtime_key": f"hemline.rate_limit.{what}", "default_value": {"numerator": 100}}


def _tenant(jurisdiction: str) -> Plain:
    claim = {"key": rbac.JWT, "path": [{"key": jurisdiction}, {"key": "tenant"}]}
    return {"actions": [{"metadata": {"descriptor_key": "tenant", "metadata_key": claim}}]}


def _is_bucket(bucket: Plain) -> bool:
    if bucket.keys() != {"max_tokens", "tokens_per_fill", "fill_interval"}:
        return False
    seconds = float(bucket["fill_interval"].removesuffix("s"))
    highest = max(bucket["max_tokens"], bucket["tokens_per_fill"] / seconds if seconds else 1e9)
    return bool(0 < highest <= HIGHEST_RATE)
