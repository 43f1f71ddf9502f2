"""Tenants and users on the wire, for operators.

What an operator makes, they make in their own home region, also when a sibling serves the call.
"""

from typing import Any
from uuid import uuid4

import grpc.aio
from hemline.identity.v1 import tenant_service_pb2 as pb
from hemline.identity.v1 import tenant_service_pb2_grpc as pb_grpc

from services.chassis.tenancy import TenantId, UserId, current_caller
from services.identity import convert_tenants as convert
from services.identity import tenants
from services.identity.domain import UserDraft, login_hash
from services.identity.region import Region
from services.identity.store import TenantStore, UserStore

Context = grpc.aio.ServicerContext[Any, Any]


class TenantServicer(pb_grpc.TenantServiceServicer):
    def __init__(self, region: Region) -> None:
        self._region = region

    async def CreateTenant(
        self, request: pb.CreateTenantRequest, context: Context
    ) -> pb.CreateTenantResponse:
        draft = convert.tenant_draft_from(request)
        home, tenant_id = current_caller().home_region, TenantId(uuid4())
        async with self._region.database.transaction_of(home, tenant_id) as session:
            made = await tenants.create_tenant(
                draft, tenant_id, store=TenantStore(session), now=self._region.clock()
            )
        message = convert.tenant_message_from(made, self._region.jurisdiction, home)
        return pb.CreateTenantResponse(tenant=message)

    async def ListTenants(
        self, request: pb.ListTenantsRequest, context: Context
    ) -> pb.ListTenantsResponse:
        page = convert.page_of(request)
        async with self._region.database.transaction() as session:
            store = TenantStore(session)
            await store.as_operator()
            found = await store.page(page)
        home = current_caller().home_region
        return convert.list_response_from(found, page, self._region.jurisdiction, home)

    async def CreateUser(
        self, request: pb.CreateUserRequest, context: Context
    ) -> pb.CreateUserResponse:
        region, home = self._region, current_caller().home_region
        request_id, name, email, role = convert.user_fields_from(request)
        login = login_hash(region.login_pepper.get_secret_value(), region.provider.issuer, email)
        draft = UserDraft(request_id, name, login, role)
        tenant = await tenants.tenant_named(name, database=region.database, region=home)
        elsewhere = tuple(each for each in region.jurisdiction.regions if each != home)
        await tenants.ensure_free(draft, database=region.database, regions=elsewhere)
        async with region.database.transaction_of(home, tenant.tenant_id) as session:
            user_id = await tenants.create_user(
                draft,
                UserId(uuid4()),
                tenant.tenant_id,
                store=UserStore(session),
                now=region.clock(),
            )
        return convert.user_response_from(name, user_id, role)
