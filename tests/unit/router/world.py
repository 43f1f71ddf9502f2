"""A small fixed world: two jurisdictions, two services, fixed addresses and keys."""

from typing import Any

from services.chassis import topology
from services.chassis.contract import PUBLIC, SIGNED_IN, Method
from services.chassis.keys import Jwk
from services.chassis.topology import Topology
from services.router import endpoints, spiffe
from services.router.leaf import Certificates, Leaf
from services.router.translate import Facts

REGIONS = ("eu-central-1", "eu-west-1", "us-east-1")
SERVICES = ("forecast", "identity", "inventory")

METHODS = (
    Method("/hemline.forecast.v1.ForecastService/GetForecast", "forecast", "r", True, True),
    Method("/hemline.identity.v1.IdentityService/ExchangeToken", "identity", PUBLIC, True, False),
    Method("/hemline.identity.v1.IdentityService/WhoAmI", "identity", SIGNED_IN, True, True),
    Method("/hemline.inventory.v1.InventoryService/GetStockLevel", "inventory", "r", True, True),
    Method("/hemline.inventory.v1.InventoryService/ImportStock", "inventory", "w", False, False),
    Method("/hemline.inventory.v1.InventoryService/RecordMovement", "inventory", "w", True, False),
)

X = "f5r5tiDs8RzjYdPKZfwaWL56duMSlMiqC702FTLDjqQ"
Y = "5OYpEysAd1axtTsAwUqqUqJ1xF4yGSMC_ZVx1ZXBOBU"


def topology_document(us_edges_abroad: str = "redirect") -> dict[str, Any]:
    return {
        "jurisdictions": {
            "EU": {"regions": ["eu-central-1", "eu-west-1"], "foreign_edges": "redirect"},
            "US": {"regions": ["us-east-1"], "foreign_edges": us_edges_abroad},
        },
        "regions": {
            "eu-central-1": {"endpoint": "https://central.example", "failover": ["eu-west-1"]},
            "eu-west-1": {"endpoint": "https://west.example", "failover": ["eu-central-1"]},
            "us-east-1": {"endpoint": "https://east.example", "failover": []},
        },
        "edge": {"cors_origins": ["https://app.hemline.test"], "reflection": True},
    }


def endpoints_document() -> dict[str, Any]:
    """Region i of the list has the addresses 10.0.i.*."""
    return {
        "regions": {
            region: {
                "edge": {"listen": f"10.0.{i}.1:443"},
                "otlp": f"10.0.{i}.2:4317",
                "services": {
                    service: [
                        {"sidecar": f"10.0.{i}.{10 * k + n}:8443", "app": f"127.0.0.1:{9000 + n}"}
                        for n in range(2)
                    ]
                    for k, service in enumerate(SERVICES, start=1)
                },
            }
            for i, region in enumerate(REGIONS)
        }
    }


def key(found: Topology, jurisdiction: str, kid: str = "1") -> Jwk:
    return Jwk(f"{jurisdiction}-{kid}", found.jurisdictions[jurisdiction].issuer, X, Y)


def certificates(found: Topology, region: str) -> Certificates:
    """Not real ones: nothing that looks at them here can tell."""
    here = found.regions[region]
    names = [spiffe.edge(here), *(spiffe.sidecar(here, service) for service in SERVICES)]
    leaves = {name: Leaf(f"chain of {name}".encode(), b"key") for name in names}
    return Certificates(
        leaves, {name: f"authority of {name}".encode() for name in found.jurisdictions}
    )


def facts(region: str = "eu-central-1", us_edges_abroad: str = "redirect") -> Facts:
    found = topology.parse(topology_document(us_edges_abroad))
    keys = {name: (key(found, name),) for name in found.jurisdictions}
    listening = endpoints.parse(endpoints_document(), found, set(SERVICES))
    return Facts(region, found, listening, keys, METHODS, 1.0, certificates(found, region))
