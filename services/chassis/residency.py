"""The last lock on residency: a service serves tenants of its own jurisdiction, and nobody else."""

from services.chassis.errors import FailedPrecondition
from services.chassis.tenancy import Caller
from services.chassis.topology import Topology


class WrongRegion(FailedPrecondition):
    """Says where to go instead."""

    reason = "WRONG_REGION"


class ResidencyGuard:
    def __init__(self, topology: Topology, region: str) -> None:
        self._topology = topology
        self._jurisdiction = topology.jurisdiction_of(region)

    def admit(self, caller: Caller) -> None:
        """Lets a caller of this jurisdiction pass.

        Raises:
            WrongRegion: the caller's data may not exist here.
        """
        here = caller.jurisdiction == self._jurisdiction.name
        if here and caller.home_region in self._jurisdiction.regions:
            return
        raise wrong_region(self._topology, caller.jurisdiction, caller.home_region)


def wrong_region(topology: Topology, jurisdiction: str, home_region: str) -> WrongRegion:
    """Builds the error that sends a caller home. The edges' redirect says the same words."""
    home = topology.regions.get(home_region)
    return WrongRegion(
        f"The data lives in {home_region}. Call its endpoint instead.",
        jurisdiction=jurisdiction,
        home_region=home_region,
        endpoint=home.endpoint if home else "",
    )
