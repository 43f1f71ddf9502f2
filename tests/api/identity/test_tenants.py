from uuid import uuid4

import grpc
import grpc.aio
import pytest
from hemline.identity.v1 import tenant_service_pb2 as pb

from tests.api.identity.support import REGION, Identity, bearer, forged, reason_of
from tests.store.identity.support import fresh


def create_tenant(name: str | None = None) -> pb.CreateTenantRequest:
    tenant = pb.Tenant(name=f"tenants/{name or fresh()}", display_name="A retailer")
    return pb.CreateTenantRequest(tenant=tenant, request_id=str(uuid4()))


def create_user(parent: str, email: str | None = None) -> pb.CreateUserRequest:
    user = pb.User(email=email or f"{fresh()}@retailer.example", role="planner")
    return pb.CreateUserRequest(parent=parent, user=user, request_id=str(uuid4()))


async def test_a_tenant_is_at_home_where_its_operator_is(service: Identity) -> None:
    request = create_tenant()
    answer = await service.tenants.CreateTenant(request, metadata=await service.as_operator())
    made = answer.tenant
    assert (made.name, made.display_name) == (request.tenant.name, "A retailer")
    assert (made.jurisdiction, made.home_region, made.home_epoch) == ("EU", REGION, 1)


async def test_a_retry_gets_the_first_answer(service: Identity) -> None:
    operator, request = await service.as_operator(), create_tenant()
    first = await service.tenants.CreateTenant(request, metadata=operator)
    assert await service.tenants.CreateTenant(request, metadata=operator) == first
    user = create_user(request.tenant.name)
    made = await service.tenants.CreateUser(user, metadata=operator)
    assert await service.tenants.CreateUser(user, metadata=operator) == made
    assert made.user.email == ""
    assert made.user.name.startswith(f"{request.tenant.name}/users/")


async def test_what_is_taken_is_said_to_be(service: Identity) -> None:
    operator, request = await service.as_operator(), create_tenant()
    await service.tenants.CreateTenant(request, metadata=operator)
    user = create_user(request.tenant.name)
    await service.tenants.CreateUser(user, metadata=operator)
    other = create_tenant(request.tenant.name.removeprefix("tenants/"))
    reused = pb.CreateTenantRequest(tenant=create_tenant().tenant, request_id=request.request_id)
    taken = create_user(request.tenant.name, user.user.email)
    reused_user = create_user(request.tenant.name)
    reused_user.request_id = user.request_id
    for call, again, reason in (
        (service.tenants.CreateTenant, other, "TENANT_EXISTS"),
        (service.tenants.CreateTenant, reused, "REQUEST_ID_REUSED"),
        (service.tenants.CreateUser, taken, "LOGIN_TAKEN"),
        (service.tenants.CreateUser, reused_user, "REQUEST_ID_REUSED"),
    ):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await call(again, metadata=operator)
        assert reason_of(refused.value)[:2] == (grpc.StatusCode.ALREADY_EXISTS, reason)
        assert "@" not in (refused.value.details() or "")


async def test_a_user_needs_a_tenant(service: Identity) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await service.tenants.CreateUser(
            create_user(f"tenants/{fresh()}"), metadata=await service.as_operator()
        )
    code, reason, metadata = reason_of(refused.value)
    assert (code, reason) == (grpc.StatusCode.NOT_FOUND, "TENANT_NOT_FOUND")
    assert metadata["home_region"] == REGION


async def test_tenants_are_listed_page_by_page(service: Identity) -> None:
    operator = await service.as_operator()
    made = set()
    for _ in range(3):
        answer = await service.tenants.CreateTenant(create_tenant(), metadata=operator)
        made.add(answer.tenant.name)
    request, seen = pb.ListTenantsRequest(page_size=2), []
    while True:
        page = await service.tenants.ListTenants(request, metadata=operator)
        assert len(page.tenants) <= 2
        seen += [tenant.name for tenant in page.tenants]
        if not page.next_page_token:
            break
        request.page_token = page.next_page_token
    assert seen == sorted(set(seen))
    assert made | {"tenants/hemline-operations"} <= set(seen)


async def test_a_page_token_of_nothing_is_refused(service: Identity) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await service.tenants.ListTenants(
            pb.ListTenantsRequest(page_token="x"), metadata=await service.as_operator()
        )
    assert reason_of(refused.value)[:2] == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST")


async def test_a_planner_is_no_operator(service: Identity) -> None:
    operator, request = await service.as_operator(), create_tenant()
    await service.tenants.CreateTenant(request, metadata=operator)
    account = service.provider.add(f"{fresh()}@retailer.example")
    user = create_user(request.tenant.name, account.email)
    await service.tenants.CreateUser(user, metadata=operator)
    planner = bearer((await service.sign_in(account)).access_token)
    for call, message in (
        (service.tenants.CreateTenant, create_tenant()),
        (service.tenants.CreateUser, create_user(request.tenant.name)),
        (service.tenants.ListTenants, pb.ListTenantsRequest()),
    ):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await call(message, metadata=planner)
        code, reason, metadata = reason_of(refused.value)
        assert (code, reason) == (grpc.StatusCode.PERMISSION_DENIED, "PERMISSION_MISSING")
        assert metadata["permission"] == "platform:admin"


@pytest.mark.parametrize("metadata", [(), forged(), (("authorization", "Basic eDp5"),)])
async def test_nobody_is_no_operator(
    service: Identity, metadata: tuple[tuple[str, str], ...]
) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await service.tenants.ListTenants(pb.ListTenantsRequest(), metadata=metadata)
    assert reason_of(refused.value)[:2] == (grpc.StatusCode.UNAUTHENTICATED, "TOKEN_INVALID")
