from datetime import UTC, datetime
from uuid import UUID, uuid4

import grpc
import grpc.aio
import jwt
import pytest
from hemline.identity.v1 import identity_service_pb2 as pb
from hemline.identity.v1 import tenant_service_pb2 as tenant_pb

from deploy.local.accounts import Account
from services.chassis import keys
from services.identity.convert import ID_TOKEN
from tests.api.identity.support import TOPOLOGY, Identity, bearer, forged, reason_of
from tests.store.identity.support import fresh

EU = TOPOLOGY.jurisdictions["EU"]


async def planner(service: Identity, role: str = "planner") -> tuple[Account, str]:
    """Makes a tenant with a user. Returns their account and the tenant's UUID."""
    account = service.provider.add(f"{fresh()}@retailer.example")
    operator = await service.as_operator()
    tenant = tenant_pb.Tenant(name=f"tenants/{fresh()}", display_name="A retailer")
    made = await service.tenants.CreateTenant(
        tenant_pb.CreateTenantRequest(tenant=tenant, request_id=str(uuid4())), metadata=operator
    )
    user = tenant_pb.User(email=account.email.upper(), role=role)
    await service.tenants.CreateUser(
        tenant_pb.CreateUserRequest(parent=tenant.name, user=user, request_id=str(uuid4())),
        metadata=operator,
    )
    return account, made.tenant.uid


async def test_a_sign_in_becomes_an_enriched_token(service: Identity) -> None:
    account, tenant = await planner(service)
    answer = await service.sign_in(account)
    assert (answer.token_type, answer.expires_in_seconds) == ("Bearer", 900)
    assert answer.issued_token_type == "urn:ietf:params:oauth:token-type:access_token"
    assert (answer.home_region, answer.home_endpoint) == ("eu-central-1", "http://127.0.0.1:8081")
    claims = jwt.decode(answer.access_token, options={"verify_signature": False})
    assert claims["tenant"] == tenant
    assert claims["scope"] == "forecast:read forecast:write inventory:read inventory:write"
    assert "@" not in str(claims)


async def test_other_services_verify_the_token_with_the_listed_keys(service: Identity) -> None:
    account, _ = await planner(service)
    token = (await service.sign_in(account)).access_token
    ring = keys.ring_of([service.address], EU.issuer)
    key = await ring.find(jwt.get_unverified_header(token)["kid"])
    assert key is not None
    assert jwt.decode(token, key, algorithms=["ES256"], audience=EU.audience, issuer=EU.issuer)


async def test_who_am_i_says_what_the_token_says(service: Identity) -> None:
    account, tenant = await planner(service, role="viewer")
    token = (await service.sign_in(account)).access_token
    answer = await service.stub.WhoAmI(pb.WhoAmIRequest(), metadata=bearer(token))
    assert answer.tenant == f"tenants/{tenant}"
    assert UUID(answer.user.removeprefix("users/"))
    assert list(answer.permissions) == ["forecast:read", "inventory:read"]
    assert (answer.jurisdiction, answer.home_region, answer.home_epoch) == ("EU", "eu-central-1", 1)
    assert answer.expire_time.ToDatetime(UTC) > datetime.now(UTC)


async def test_who_am_i_refuses_a_token_of_another_key(service: Identity) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await service.stub.WhoAmI(pb.WhoAmIRequest(), metadata=forged())
    assert reason_of(refused.value)[:2] == (grpc.StatusCode.UNAUTHENTICATED, "TOKEN_INVALID")


async def test_an_id_token_is_no_enriched_token(service: Identity) -> None:
    account, _ = await planner(service)
    token = service.provider.id_token(account)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await service.stub.WhoAmI(pb.WhoAmIRequest(), metadata=bearer(token))
    assert reason_of(refused.value)[:2] == (grpc.StatusCode.UNAUTHENTICATED, "TOKEN_INVALID")


async def test_a_login_of_no_tenant_is_unknown(service: Identity) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await service.sign_in(service.provider.add(f"{fresh()}@nobody.example"))
    assert reason_of(refused.value)[:2] == (grpc.StatusCode.UNAUTHENTICATED, "LOGIN_UNKNOWN")
    assert "@" not in (refused.value.details() or "")


async def test_a_login_of_another_jurisdiction_is_sent_there(service: Identity) -> None:
    account = service.provider.add(f"{fresh()}@retailer.example", "US")
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await service.sign_in(account)
    code, reason, metadata = reason_of(refused.value)
    assert (code, reason) == (grpc.StatusCode.FAILED_PRECONDITION, "WRONG_REGION")
    assert metadata["jurisdiction"] == "US"
    assert metadata["endpoint"] == "http://127.0.0.1:8083"


async def test_an_access_token_of_the_provider_is_no_id_token(service: Identity) -> None:
    account, _ = await planner(service)
    good = jwt.decode(service.provider.id_token(account), options={"verify_signature": False})
    token = service.provider.access_token(account)
    assert jwt.decode(token, options={"verify_signature": False})["iss"] == good["iss"]
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await service.exchange(token)
    code, reason, _ = reason_of(refused.value)
    assert (code, reason) == (grpc.StatusCode.UNAUTHENTICATED, "SUBJECT_TOKEN_INVALID")


async def test_a_changed_id_token_is_refused(service: Identity) -> None:
    account, _ = await planner(service)
    head, body, signature = service.provider.id_token(account).split(".")
    changed = signature[:-8] + ("A" * 8 if signature[-8:] != "A" * 8 else "B" * 8)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await service.exchange(f"{head}.{body}.{changed}")
    assert reason_of(refused.value)[1] == "SUBJECT_TOKEN_INVALID"


async def test_fields_that_break_a_rule_are_named(service: Identity) -> None:
    request = pb.ExchangeTokenRequest(subject_token="x", subject_token_type="jwt")
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await service.stub.ExchangeToken(request)
    assert reason_of(refused.value)[:2] == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST")
    assert ID_TOKEN in (refused.value.details() or "")


async def test_listed_keys_are_public_and_of_this_jurisdiction(service: Identity) -> None:
    answer = await service.stub.ListSigningKeys(pb.ListSigningKeysRequest())
    (key,) = answer.signing_keys
    assert key.issuer == EU.issuer
    assert keys.Jwk(key.kid, key.issuer, key.x, key.y).public_key()


async def test_no_log_line_names_anybody(
    service: Identity, capsys: pytest.CaptureFixture[str]
) -> None:
    account, _ = await planner(service)
    token = (await service.sign_in(account)).access_token
    await service.stub.WhoAmI(pb.WhoAmIRequest(), metadata=bearer(token))
    with pytest.raises(grpc.aio.AioRpcError):
        await service.sign_in(service.provider.add(f"{fresh()}@nobody.example"))
    lines = capsys.readouterr().out
    assert "IdentityService/ExchangeToken" in lines
    assert "TenantService/CreateUser" in lines
    assert "@" not in lines
    assert token.rsplit(".", 1)[1] not in lines
