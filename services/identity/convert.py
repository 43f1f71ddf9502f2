"""Identity messages to domain values and back. A field that breaks its rule: InvalidArgument."""

from hemline.identity.v1 import identity_service_pb2 as pb

from services.chassis.errors import FieldViolation, InvalidArgument
from services.chassis.tenancy import Caller
from services.chassis.wire import to_timestamp
from services.identity.domain import Resident
from services.identity.keys import PublishedKey
from services.identity.mint import LIFETIME_SECONDS

ID_TOKEN = "urn:ietf:params:oauth:token-type:id_token"  # noqa: S105 - the name of a kind of token.
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"  # noqa: S105 - the same.
TOKEN_LENGTH = 8192


def subject_token_from(request: pb.ExchangeTokenRequest) -> str:
    """Returns the token, unread."""
    violations = []
    if not 0 < len(request.subject_token) <= TOKEN_LENGTH:
        rule = f"want an ID token of at most {TOKEN_LENGTH} characters."
        violations.append(FieldViolation("subject_token", rule))
    if request.subject_token_type != ID_TOKEN:
        violations.append(FieldViolation("subject_token_type", f"want {ID_TOKEN}."))
    if violations:
        raise InvalidArgument(*violations)
    return request.subject_token


def exchange_response_from(
    token: str, resident: Resident, home_endpoint: str
) -> pb.ExchangeTokenResponse:
    return pb.ExchangeTokenResponse(
        access_token=token,
        issued_token_type=ACCESS_TOKEN,
        token_type="Bearer",  # noqa: S106 - a scheme.
        expires_in_seconds=LIFETIME_SECONDS,
        home_region=resident.home_region,
        home_endpoint=home_endpoint,
    )


def who_am_i_response_from(caller: Caller) -> pb.WhoAmIResponse:
    return pb.WhoAmIResponse(
        user=f"users/{caller.user_id}",
        tenant=f"tenants/{caller.tenant_id}",
        permissions=sorted(caller.permissions),
        jurisdiction=caller.jurisdiction,
        home_region=caller.home_region,
        home_epoch=caller.home_epoch,
        expire_time=to_timestamp(caller.expire_time),
    )


def signing_keys_response_from(keys: list[PublishedKey]) -> pb.ListSigningKeysResponse:
    return pb.ListSigningKeysResponse(
        signing_keys=[
            pb.SigningKey(
                kid=key.jwk.kid,
                issuer=key.jwk.issuer,
                x=key.jwk.x,
                y=key.jwk.y,
                create_time=to_timestamp(key.create_time),
            )
            for key in keys
        ]
    )
