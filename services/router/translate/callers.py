"""Who may call whom inside a jurisdiction. Edges may call every service; services, only these."""

from collections.abc import Mapping

CALLERS: Mapping[str, tuple[str, ...]] = {
    "forecast": ("inventory",),  # A replenishment plan reads what will sell.
    "inventory": ("forecast",),  # A forecast reads what was in stock.
}
"""Service to the services that may call it on a tenant's behalf, with the tenant's own token."""


def of(service: str) -> tuple[str, ...]:
    """The services that may call ``service``."""
    return CALLERS.get(service, ())


def called_by(service: str) -> tuple[str, ...]:
    """The services that ``service`` may call, by name."""
    return tuple(sorted(name for name, callers in CALLERS.items() if service in callers))


def all_callers() -> tuple[str, ...]:
    """Every service that calls another, by name."""
    return tuple(sorted({caller for callers in CALLERS.values() for caller in callers}))
