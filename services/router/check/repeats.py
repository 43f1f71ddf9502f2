"""What a proxy may send twice: only what may run twice; at the same time, what changes nothing."""

from collections.abc import Iterator

from services.chassis.contract import Method
from services.router.check.plain import Plain, unknown_fields

NEVER_ARRIVED = frozenset({"connect-failure", "refused-stream", "reset-before-request"})
MAY_HAVE_ARRIVED = NEVER_ARRIVED | {"reset", "retriable-headers"}
"""Not `unavailable`: what a service answers is an answer, and fails elsewhere too."""

RETRY = frozenset(
    {
        "host_selection_retry_max_attempts",
        "num_retries",
        "per_try_timeout",
        "retriable_headers",
        "retry_back_off",
        "retry_host_predicate",
        "retry_on",
        "retry_priority",
    }
)


def problems(where: str, action: Plain, method: Method | None) -> Iterator[str]:
    """Of a route's action, for calls of ``method``; None is any that is not of the contract."""
    retry = action.get("retry_policy", {})
    yield from unknown_fields(where, retry, RETRY)
    reasons = frozenset(retry["retry_on"].split(",")) if retry.get("retry_on") else frozenset()
    if reasons - (MAY_HAVE_ARRIVED if method and method.retryable else NEVER_ARRIVED):
        yield f"{where} repeats what may have run"
    if "hedge_policy" not in action:
        return
    if not (method and method.safe):
        yield f"{where} runs twice at once what changes something"
    if action["hedge_policy"] != {"hedge_on_per_try_timeout": True}:
        yield f"{where} runs at once what has not been waited for"
