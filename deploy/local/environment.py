"""The environment of each part: what it needs, and nothing else of whoever starts the world."""

import json
import os

from deploy.local import certificates
from deploy.local.world import World


def base() -> dict[str, str]:
    """What every program gets."""
    return {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}


def service(world: World, region: str, name: str) -> dict[str, str]:
    """Everything that the service's settings ask for. Of the router: of the region's first."""
    siblings = world.siblings(region)
    common = {
        **base(),
        "HEMLINE_REGION": region,
        "HEMLINE_TOPOLOGY_FILE": str(world.places.topology),
        "HEMLINE_ADDRESS": f"127.0.0.1:{world.ports[region].grpc(name)}",
        "HEMLINE_IDENTITY_ADDRESSES": json.dumps(
            [
                world.wan.address(region, sibling, world.ports[sibling].grpc("identity"))
                for sibling in siblings
            ]
        ),
        "HEMLINE_OTLP_ENDPOINT": world.otlp(region),
    }
    return common | OWN[name](world, region)


def router(world: World, region: str, number: int) -> dict[str, str]:
    """What the region's router with this number needs to know."""
    return service(world, region, "router") | _numbered(world, region, number)


def _numbered(world: World, region: str, number: int) -> dict[str, str]:
    ports = {each: world.ports[region].router(each) for each in range(1, world.routers + 1)}
    own = ports.pop(number)
    return {
        "HEMLINE_ADDRESS": f"127.0.0.1:{own.grpc}",
        "HEMLINE_ADS_ADDRESS": f"127.0.0.1:{own.xds}",
        "HEMLINE_SIBLING_ADS_ADDRESSES": json.dumps(
            [f"127.0.0.1:{other.xds}" for other in ports.values()]
        ),
    }


def _databases(world: World, region: str, name: str) -> dict[str, str]:
    """The service's own database in each region of the jurisdiction, and no other's."""
    urls = {home: world.database_url(home, name, region) for home in world.siblings(region)}
    replicas = {
        home: url
        for home in world.siblings(region)
        if home != region and (url := world.replica_url(home, name, region))
    }
    return {
        "HEMLINE_DATABASE_URLS": json.dumps(urls),
        "HEMLINE_REPLICA_URLS": json.dumps(replicas),
    }


def _identity(world: World, region: str) -> dict[str, str]:
    jurisdiction = world.topology.jurisdiction_of(region).name
    return {
        **_databases(world, region, "identity"),
        "HEMLINE_PROVIDERS_FILE": world.providers,
        "HEMLINE_LOGIN_PEPPER": world.secrets.of("login pepper", jurisdiction),
        "HEMLINE_SIGNING_KEY_SECRET": world.secrets.of("signing keys", jurisdiction),
    }


def _router(world: World, region: str) -> dict[str, str]:
    own = world.topology.jurisdiction_of(region).name
    # Identity itself is reached inside of the jurisdiction only; from outside, through the edges.
    key_addresses = {
        name: [
            world.wan.address(
                region, sibling, ports.grpc("identity") if name == own else ports.edge
            )
            for sibling in jurisdiction.regions
            for ports in [world.ports[sibling]]
        ]
        for name, jurisdiction in world.topology.jurisdictions.items()
    }
    return {
        **_databases(world, region, "router"),
        "HEMLINE_ENDPOINTS_FILE": str(world.places.endpoints(region)),
        "HEMLINE_CERTIFICATES_FOLDER": str(certificates.folder(world.places, region)),
        **_numbered(world, region, 1),
        "HEMLINE_SIGNING_KEY_ADDRESSES": json.dumps(key_addresses),
    }


def _forecast(world: World, region: str) -> dict[str, str]:
    return {
        **_databases(world, region, "forecast"),
        "HEMLINE_REDIS_URL": world.redis_url(region),
    }


def _inventory(world: World, region: str) -> dict[str, str]:
    return _databases(world, region, "inventory")


OWN = {
    "identity": _identity,
    "router": _router,
    "forecast": _forecast,
    "inventory": _inventory,
}
