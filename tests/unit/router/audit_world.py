"""Entries and endpoints for tests of the audit."""

from services.router.addresses import Address
from services.router.endpoints import Endpoints, Host, RegionEndpoints

HOME, WEST, ABROAD = "eu-central-1", "eu-west-1", "us-east-1"
REGIONS = (HOME, WEST, ABROAD)
OWN, SIBLING, FOREIGN = "10.0.0.1:1", "10.0.1.1:1", "10.0.2.1:1"
APP = "10.0.0.1:2"
PATH = "/hemline.inventory.v1.InventoryService/GetStockLevel"
TENANT = "8f7ff0f0-9d3b-4d3a-8a5c-0f6b5b9d2a11"


def endpoints() -> Endpoints:
    """Region i has its only host at 10.0.i.1: the sidecar on port 1, the service on port 2."""
    return {
        region: RegionEndpoints(
            edge=Address(f"10.0.{i}.9", 443),
            otlp=None,
            services={"inventory": (Host(Address(f"10.0.{i}.1", 1), Address(f"10.0.{i}.1", 2)),)},
        )
        for i, region in enumerate(REGIONS)
    }


def body(
    jurisdiction: str = "-",
    host: str = "-",
    *,
    tenant: str = "-",
    tried: str = "",
    details: str = "via_upstream",
    path: str = PATH,
) -> str:
    """An entry as a proxy writes it."""
    return "\t".join((jurisdiction, tenant, host, tried or host, details, path))
