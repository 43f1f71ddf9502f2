"""What a proxy answers on its own, as a full gRPC error instead of a bare HTTP status.

To a gRPC-Web client too the HTTP status is 200: what its library makes of another status has
neither the gRPC code nor the details.
"""

import base64
import string
from typing import Any
from urllib.parse import quote

from services.chassis.auth import TokenInvalid
from services.chassis.errors import HemlineError
from services.chassis.status import to_status
from services.router.errors import NoHealthyRegion, Overloaded, RateLimited, TokenUnusable

MESH_ERROR = "x-hemline-mesh-error"
"""Tells an edge that a sidecar, not the service, made the answer: it may be tried elsewhere."""

NOBODY_ANSWERED = ("UH", "UF", "URX", "LH")
"""No healthy host; connection failed; retries used up; host failed its health check."""

FROM_THE_MESH = ("UH", "UF", "UC", "UO", "UR", "URX", "LH")
"""Whatever may go wrong between a sidecar and its service."""

_PRINTABLE = string.punctuation.replace("%", "") + " "

_GRPC = {
    "header_filter": {
        "header": {"name": "content-type", "string_match": {"prefix": "application/grpc"}}
    }
}


def of_edge() -> dict[str, Any]:
    """`local_reply_config` of an edge. The first mapper that matches is taken."""
    return {"mappers": [_no_token(), _unusable_token(), _rate_limited(), _overloaded(), _nobody()]}


def of_sidecar() -> dict[str, Any]:
    """`local_reply_config` of a sidecar."""
    mesh = _nobody(FROM_THE_MESH)
    mesh["headers_to_add"].append(header(MESH_ERROR, "%RESPONSE_FLAGS%"))
    return {"mappers": [_no_token(), _unusable_token(), mesh]}


def headers(error: HemlineError) -> list[dict[str, Any]]:
    """The headers of a response without a body that make ``error`` of it, details and all."""
    status = to_status(error)
    details = base64.b64encode(status.SerializeToString(deterministic=True)).decode().rstrip("=")
    return [
        header("content-type", "application/grpc"),
        header("grpc-status", str(status.code)),
        header("grpc-message", percent_encoded(status.message)),
        header("grpc-status-details-bin", details),
    ]


def header(name: str, value: str) -> dict[str, Any]:
    return {
        "header": {"key": name, "value": value},
        "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
    }


def percent_encoded(text: str) -> str:
    """As `grpc-message` wants it, with `%` doubled, which Envoy's formatter halves again."""
    return quote(text, safe=_PRINTABLE).replace("%", "%%")


def _no_token() -> dict[str, Any]:
    error = TokenInvalid("The token is missing, malformed, forged or expired. Sign in again.")
    return _mapper(_status_is(401), error)


def _unusable_token() -> dict[str, Any]:
    error = TokenUnusable("The token is not meant for this, or there is no such method.")
    return _mapper(_status_is(403), error)


def _overloaded() -> dict[str, Any]:
    error = Overloaded("Too many calls at once. Try again later.")
    return _mapper({"response_flag_filter": {"flags": ["UO"]}}, error)


def _rate_limited() -> dict[str, Any]:
    error = RateLimited("Too many calls a second. Try again a little later.")
    return _mapper(_status_is(429), error)


def _nobody(flags: tuple[str, ...] = NOBODY_ANSWERED) -> dict[str, Any]:
    error = NoHealthyRegion("No region that may serve this tenant answers. Try again later.")
    return _mapper({"response_flag_filter": {"flags": list(flags)}}, error)


def _status_is(code: int) -> dict[str, Any]:
    value = {"default_value": code, "runtime_key": f"hemline.reply_{code}"}
    return {"status_code_filter": {"comparison": {"op": "EQ", "value": value}}}


def _mapper(matches: dict[str, Any], error: HemlineError) -> dict[str, Any]:
    return {
        "filter": {"and_filter": {"filters": [matches, _GRPC]}},
        "status_code": 200,
        "body": {"inline_string": ""},
        "headers_to_add": headers(error),
    }
