"""Which calls an edge may send again, and when."""

from typing import Any

from services.chassis.contract import Method
from services.router import xds_types
from services.router.translate.replies import MESH_ERROR

HEDGE_SECONDS = 0.3
"""A read without an answer after this is sent to the next region as well; the first answer counts.

It is what a read loses when its region freezes, until health checks notice. It must be more than a
round trip between regions and what a slow read takes, or slowness leads to more of it.
"""

RETRIES = 3
"""One for each region that may stand in, in a jurisdiction of four."""

NEVER_ARRIVED = "connect-failure,refused-stream,reset-before-request"
"""Nobody has seen the request: safe for every method."""

MAY_HAVE_ARRIVED = f"{NEVER_ARRIVED},reset,retriable-headers"
"""The connection broke, or a sidecar gave up on its service. For methods that may run twice.

Not `unavailable`: that is the service's own answer, and trying it elsewhere would multiply a
request that fails everywhere.
"""


def never_arrived() -> dict[str, Any]:
    """Fields of a route action for methods that must not run twice."""
    return {"retry_policy": _policy(NEVER_ARRIVED)}


def of_method(method: Method) -> dict[str, Any]:
    """Fields of a route action for a method that the contract calls idempotent.

    Only reads are hedged: two copies of a write would run at the same time, and a slow one would be
    made slower by its own copies.
    """
    policy = _policy(MAY_HAVE_ARRIVED)
    policy["retriable_headers"] = [{"name": MESH_ERROR, "present_match": True}]
    if not method.safe:
        return {"retry_policy": policy}
    policy["per_try_timeout"] = f"{HEDGE_SECONDS:.3f}s"
    return {"retry_policy": policy, "hedge_policy": {"hedge_on_per_try_timeout": True}}


def _policy(retry_on: str) -> dict[str, Any]:
    retry = f"{xds_types.EXTENSIONS}retry."
    return {
        "retry_on": retry_on,
        "num_retries": RETRIES,
        "retry_back_off": {"base_interval": "0.010s", "max_interval": "0.100s"},
        # The first retry leaves the region already: a region usually fails as a whole.
        "retry_priority": {
            "name": "envoy.retry_priorities.previous_priorities",
            "typed_config": {
                "@type": f"{retry}priority.previous_priorities.v3.PreviousPrioritiesConfig",
                "update_frequency": 1,
            },
        },
        "retry_host_predicate": [
            {
                "name": "envoy.retry_host_predicates.previous_hosts",
                "typed_config": {"@type": f"{retry}host.previous_hosts.v3.PreviousHostsPredicate"},
            }
        ],
        "host_selection_retry_max_attempts": "5",
    }
