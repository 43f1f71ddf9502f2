"""Two regions of one jurisdiction, and a provider that comes and goes."""

from contextlib import AsyncExitStack
from pathlib import Path
from uuid import uuid4

import grpc
import grpc.aio
import pytest
from hemline.identity.v1 import identity_service_pb2 as pb
from hemline.identity.v1 import tenant_service_pb2 as tenant_pb

from deploy.local.postgres import Postgres
from tests.api.identity.support import REGION, TOPOLOGY, Identity, bearer, identity, reason_of
from tests.store.identity.support import SIBLING, fresh
from tests.support.provider import Provider, cognito


async def test_a_sibling_region_signs_a_user_in_and_sends_them_home(
    service: Identity, servers: dict[str, Postgres], provider: Provider
) -> None:
    async with identity(servers, provider, SIBLING) as sibling:
        answer = await sibling.sign_in(provider.add(f"operator@{REGION}.hemline.example"))
        assert answer.home_region == REGION
        # Signed with the sibling's own key, which this region reads from the sibling's database.
        me = await service.stub.WhoAmI(pb.WhoAmIRequest(), metadata=bearer(answer.access_token))
        assert me.home_region == REGION


async def test_what_an_operator_makes_through_a_sibling_is_at_home_in_their_own_region(
    service: Identity, servers: dict[str, Postgres], provider: Provider
) -> None:
    request = tenant_pb.CreateTenantRequest(
        tenant=tenant_pb.Tenant(name=f"tenants/{fresh()}"), request_id=str(uuid4())
    )
    operator = await service.as_operator()
    async with identity(servers, provider, SIBLING) as sibling:
        answer = await sibling.tenants.CreateTenant(request, metadata=operator)
    assert answer.tenant.home_region == REGION
    again = await service.tenants.CreateTenant(request, metadata=operator)
    assert again.tenant == answer.tenant


async def test_a_provider_that_is_down_is_said_to_be(
    servers: dict[str, Postgres], tmp_path: Path
) -> None:
    with cognito(TOPOLOGY, tmp_path) as running:
        account = running.add(f"{fresh()}@retailer.example")
        token = running.id_token(account)
    async with identity(servers, running) as service:
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await service.exchange(token)
    assert reason_of(refused.value)[:2] == (grpc.StatusCode.UNAVAILABLE, "PROVIDER_UNAVAILABLE")


async def test_the_providers_keys_are_read_once_and_kept(
    servers: dict[str, Postgres], tmp_path: Path, service: Identity
) -> None:
    del service  # Has made the operator.
    async with AsyncExitStack() as longer:
        with cognito(TOPOLOGY, tmp_path) as running:
            account = running.add(f"operator@{REGION}.hemline.example")
            tokens = [running.id_token(account) for _ in range(2)]
            started = await longer.enter_async_context(identity(servers, running))
            first = await started.exchange(tokens[0])
        second = await started.exchange(tokens[1])
    assert first.home_region == second.home_region == REGION
    assert first.access_token != second.access_token
