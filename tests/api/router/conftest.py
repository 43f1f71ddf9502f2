"""One mesh for tests that only ask, in both dialects of xDS; a fresh one for those that break."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from services.chassis import topology
from services.chassis.topology import Topology
from tests.api.router.mesh import ORIGIN, Mesh, mesh

DIALECTS = ["DELTA_GRPC", "GRPC"]


def two_jurisdictions(foreign_edges: str = "redirect") -> Topology:
    document: dict[str, Any] = {
        "jurisdictions": {
            "EU": {"regions": ["eu-central-1", "eu-west-1"], "foreign_edges": foreign_edges},
            "US": {"regions": ["us-east-1"], "foreign_edges": "redirect"},
        },
        "regions": {
            "eu-central-1": {"endpoint": "https://central.example", "failover": ["eu-west-1"]},
            "eu-west-1": {"endpoint": "https://west.example", "failover": ["eu-central-1"]},
            "us-east-1": {"endpoint": "https://east.example", "failover": []},
        },
        "edge": {"cors_origins": [ORIGIN], "reflection": True},
    }
    return topology.parse(document)


@pytest_asyncio.fixture(params=DIALECTS, scope="package")
async def world(request: pytest.FixtureRequest) -> AsyncIterator[Mesh]:
    async with mesh(two_jurisdictions(), request.param) as made:
        yield made


@pytest_asyncio.fixture
async def fragile(request: pytest.FixtureRequest) -> AsyncIterator[Mesh]:
    """A mesh of the test's own. Its dialect may be set by indirect parametrization."""
    async with mesh(two_jurisdictions(), getattr(request, "param", "DELTA_GRPC")) as made:
        yield made
