"""Calls a second: each tenant has a share of its own, by the verified token."""

from uuid import uuid4

import grpc
import pytest

from services.router.translate import limits
from tests.api.router.conftest import two_jurisdictions
from tests.api.router.mesh import GET_STOCK, mesh

HOME = "eu-central-1"
SHARE = 5


async def test_a_tenants_flood_is_turned_away_and_another_tenant_is_served(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "TENANT_CALLS_PER_SECOND", SHARE)
    async with mesh(two_jurisdictions(), "DELTA_GRPC") as world:
        flooding, calm = (world.token(HOME, tenant=str(uuid4())) for _ in range(2))
        flood = [await world.grpc(HOME, GET_STOCK, flooding) for _ in range(20 * SHARE)]
        refused = [one for one in flood if one.code is not grpc.StatusCode.OK]
        assert refused
        assert {(one.code, one.reason) for one in refused} == {
            (grpc.StatusCode.RESOURCE_EXHAUSTED, "RATE_LIMITED")
        }
        assert flood[0].code is grpc.StatusCode.OK
        assert (await world.grpc(HOME, GET_STOCK, calm)).code is grpc.StatusCode.OK
        assert world.web(HOME, GET_STOCK, flooding).reason in {"RATE_LIMITED", ""}
