from uuid import uuid4

import pytest
from hemline.identity.v1 import identity_service_pb2 as pb
from hemline.identity.v1 import tenant_service_pb2 as tenant_pb

from services.chassis.errors import InvalidArgument
from services.identity import convert, convert_tenants


def fields_of(refused: pytest.ExceptionInfo[InvalidArgument]) -> list[str]:
    return [violation.field for violation in refused.value.violations]


def create_tenant(name: str = "tenants/atelier-nord", **changed: str) -> tenant_pb.Tenant:
    return tenant_pb.Tenant(name=name, **changed)


def test_an_exchange_names_every_field_at_fault() -> None:
    with pytest.raises(InvalidArgument) as refused:
        convert.subject_token_from(pb.ExchangeTokenRequest())
    assert fields_of(refused) == ["subject_token", "subject_token_type"]


def test_a_token_beyond_the_limit_is_not_read() -> None:
    request = pb.ExchangeTokenRequest(subject_token="x" * 8193, subject_token_type=convert.ID_TOKEN)
    with pytest.raises(InvalidArgument) as refused:
        convert.subject_token_from(request)
    assert fields_of(refused) == ["subject_token"]


@pytest.mark.parametrize(
    "name", ["", "tenants/", "tenants/Atelier", "tenants/a_b", "a", "tenants/" + "a" * 64]
)
def test_a_tenant_needs_a_good_name(name: str) -> None:
    request = tenant_pb.CreateTenantRequest(tenant=create_tenant(name), request_id=str(uuid4()))
    with pytest.raises(InvalidArgument) as refused:
        convert_tenants.tenant_draft_from(request)
    assert fields_of(refused) == ["tenant.name"]


def test_a_tenant_needs_a_short_display_name_and_a_uuid() -> None:
    request = tenant_pb.CreateTenantRequest(
        tenant=create_tenant(display_name="x" * 201), request_id="1"
    )
    with pytest.raises(InvalidArgument) as refused:
        convert_tenants.tenant_draft_from(request)
    assert fields_of(refused) == ["request_id", "tenant.display_name"]


@pytest.mark.parametrize(
    "email", ["", "nobody", "a@", "@b", "a b@c.example", "a@b@c", "x" * 255 + "@b"]
)
def test_a_user_needs_an_address(email: str) -> None:
    request = tenant_pb.CreateUserRequest(
        parent="tenants/a",
        user=tenant_pb.User(email=email, role="planner"),
        request_id=str(uuid4()),
    )
    with pytest.raises(InvalidArgument) as refused:
        convert_tenants.user_fields_from(request)
    assert fields_of(refused) == ["user.email"]
    assert not email or email not in str(refused.value)  # An error holds nobody's address.


@pytest.mark.parametrize("role", ["", "owner", "platform-admin"])
def test_a_user_gets_a_role_of_a_tenant_and_never_the_operators(role: str) -> None:
    request = tenant_pb.CreateUserRequest(
        parent="tenants/a",
        user=tenant_pb.User(email="a@b.example", role=role),
        request_id=str(uuid4()),
    )
    with pytest.raises(InvalidArgument) as refused:
        convert_tenants.user_fields_from(request)
    assert fields_of(refused) == ["user.role"]
