"""Tenant messages to domain values and back. A field that breaks its rule: InvalidArgument."""

import re
from uuid import UUID

from hemline.identity.v1 import tenant_service_pb2 as pb

from services.chassis.fields import Fields
from services.chassis.paging import Limits, Page, page_from
from services.chassis.tenancy import UserId
from services.chassis.topology import Jurisdiction
from services.chassis.wire import to_timestamp
from services.identity.authenticate import EMAIL_LENGTH
from services.identity.domain import Role, Tenant, TenantDraft

PAGE = Limits(default=50, most=500)
EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
DISPLAY_NAME_LENGTH = 200
ROLES = (Role.PLANNER, Role.STORE_MANAGER, Role.VIEWER)


def tenant_draft_from(request: pb.CreateTenantRequest) -> TenantDraft:
    fields = Fields()
    request_id = fields.request_id(request.request_id)
    name = fields.name(request.tenant.name, "tenant.name", "tenants")
    display_name = request.tenant.display_name
    if len(display_name) > DISPLAY_NAME_LENGTH:
        fields.refuse("tenant.display_name", f"want at most {DISPLAY_NAME_LENGTH} characters.")
    if "\x00" in display_name:
        fields.refuse("tenant.display_name", "must hold no NUL character.")
    fields.check()
    return TenantDraft(request_id, name, display_name)


def user_fields_from(request: pb.CreateUserRequest) -> tuple[UUID, str, str, Role]:
    """Returns request id, tenant, e-mail and role. The e-mail must not be kept."""
    fields = Fields()
    request_id = fields.request_id(request.request_id)
    tenant = fields.name(request.parent, "parent", "tenants")
    email = request.user.email.strip()
    if len(email) > EMAIL_LENGTH or not EMAIL.fullmatch(email) or "\x00" in email:
        fields.refuse("user.email", f"want an e-mail address of at most {EMAIL_LENGTH} characters.")
    if request.user.role not in ROLES:
        fields.refuse("user.role", f"want one of {', '.join(ROLES)}.")
    fields.check()
    return request_id, tenant, email, Role(request.user.role)


def page_of(request: pb.ListTenantsRequest) -> Page:
    return page_from(request, PAGE, key=(str,))


def list_response_from(
    tenants: list[Tenant], page: Page, jurisdiction: Jurisdiction, home_region: str
) -> pb.ListTenantsResponse:
    """Builds the page from its tenants and, if there are more, one beyond."""
    shown = tenants[: page.size]
    last = (shown[-1].name,) if len(tenants) > page.size else None
    return pb.ListTenantsResponse(
        tenants=[tenant_message_from(tenant, jurisdiction, home_region) for tenant in shown],
        next_page_token=page.token(last),
    )


def tenant_message_from(tenant: Tenant, jurisdiction: Jurisdiction, home_region: str) -> pb.Tenant:
    return pb.Tenant(
        name=f"tenants/{tenant.name}",
        display_name=tenant.display_name,
        uid=str(tenant.tenant_id),
        jurisdiction=jurisdiction.name,
        home_region=home_region,
        home_epoch=tenant.home_epoch,
        create_time=to_timestamp(tenant.create_time),
    )


def user_response_from(tenant: str, user_id: UserId, role: Role) -> pb.CreateUserResponse:
    return pb.CreateUserResponse(
        user=pb.User(name=f"tenants/{tenant}/users/{user_id}", role=role.value)
    )
