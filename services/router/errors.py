"""What the proxies answer on their own, in the words of the error tree."""

from services.chassis.errors import PermissionDenied, Unavailable


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
