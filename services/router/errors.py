"""What the proxies answer on their own, in the words of the error tree; what operators are told."""

from collections.abc import Sequence
from typing import ClassVar

from services.chassis.errors import (
    Aborted,
    FailedPrecondition,
    NotFound,
    PermissionDenied,
    ResourceExhausted,
    RuleViolation,
    Unavailable,
)


class TokenUnusable(PermissionDenied):
    """The token holds, but leads nowhere."""

    reason = "TOKEN_UNUSABLE"


class NoHealthyRegion(Unavailable):
    """Every region that may hold the tenant's data is down. No other is asked."""

    reason = "RESIDENCY_NO_HEALTHY_REGION"
    retry_seconds = 2.0


class Overloaded(Unavailable):
    """An edge has as many calls under way as it may have. Nothing was sent on."""

    reason = "OVERLOADED"


class RateLimited(ResourceExhausted):
    """More calls a second than an edge takes, or than it takes of one tenant."""

    reason = "RATE_LIMITED"


class ProofMissing(Unavailable):
    """The router has put no snapshot into force yet, and can vouch for none."""

    reason = "PROOF_MISSING"


class RegionNotFound(NotFound):
    reason = "REGION_NOT_FOUND"


class PolicyChanged(Aborted):
    """Somebody else was faster."""

    reason = "POLICY_CHANGED"


class EpochFloorLowered(FailedPrecondition):
    """A token that was refused once must stay refused."""

    reason = "EPOCH_FLOOR_LOWERED"


class LastHealthyRegion(FailedPrecondition):
    """Nobody who is known to be healthy would be left to take the calls."""

    reason = "LAST_HEALTHY_REGION"

    def __init__(self, message: str, *, region: str) -> None:
        rule = RuleViolation(self.reason, f"regions/{region}", message)
        super().__init__(message, [rule], region=region)


class SnapshotRefused(FailedPrecondition):
    """The checker would refuse what follows from a policy: it must not come into the log."""

    reason = "SNAPSHOT_REFUSED"
    most: ClassVar = 10
    """Of the checker's sentences that are told: one mistake shows at each proxy and home."""

    def __init__(self, problems: Sequence[str]) -> None:
        message = "The snapshots that follow from this policy would not be safe. Nothing is set."
        rules = [RuleViolation(self.reason, "policy", said) for said in problems[: self.most]]
        super().__init__(message, rules)
