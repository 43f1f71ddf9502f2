"""How many calls a second an edge takes: of all together, and of one tenant.

The tenant is that of the verified token. No tenant is named here: Envoy makes a bucket for each
that comes, and forgets those that come no more.
"""

from typing import Any

from services.router.translate.facts import Facts
from services.router.translate.jwt import METADATA
from services.router.translate.listener import http_filter as filter_of

CALLS_PER_SECOND = 40_000
"""More than one Envoy can pass on: what is above is a flood."""

TENANT_CALLS_PER_SECOND = 10_000
"""A quarter of it: one tenant's flood leaves room for the others."""

TENANTS_LIMIT = 10_000
"""Buckets that are kept. With more tenants at once, those of the longest silent start anew."""

TENANT = "tenant"


def http_filter(facts: Facts) -> dict[str, Any]:
    """The filter. Behind token verification, whose claims it reads."""
    return filter_of(
        "local_ratelimit",
        "LocalRateLimit",
        stat_prefix="edge",
        token_bucket=_bucket(CALLS_PER_SECOND),
        filter_enabled=_always("enabled"),
        filter_enforced=_always("enforced"),
        rate_limited_as_resource_exhausted=True,
        rate_limits=[_by_tenant(name) for name in sorted(facts.topology.jurisdictions)],
        # An entry without a value stands for each value that comes.
        descriptors=[
            {"entries": [{"key": TENANT}], "token_bucket": _bucket(TENANT_CALLS_PER_SECOND)}
        ],
        max_dynamic_descriptors=TENANTS_LIMIT,
    )


def _by_tenant(jurisdiction: str) -> dict[str, Any]:
    path = [{"key": jurisdiction}, {"key": TENANT}]
    claim = {
        "descriptor_key": TENANT,
        "metadata_key": {"key": METADATA, "path": path},
        "source": "DYNAMIC",
    }
    return {"actions": [{"metadata": claim}]}


def _bucket(per_second: int) -> dict[str, Any]:
    filled = max(1, per_second // 20)
    return {"max_tokens": per_second, "tokens_per_fill": filled, "fill_interval": "0.050s"}


def _always(what: str) -> dict[str, Any]:
    every = {"numerator": 100, "denominator": "HUNDRED"}
    return {"runtime_key": f"hemline.rate_limit.{what}", "default_value": every}
