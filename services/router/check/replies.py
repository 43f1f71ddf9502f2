"""Answers that a proxy gives by itself: full gRPC errors, and nothing of the request in them."""

import base64
import re
from collections.abc import Iterator
from urllib.parse import unquote

from google.protobuf.message import DecodeError
from google.rpc import status_pb2

from services.chassis.residency import wrong_region
from services.chassis.status import to_status
from services.router.check.plain import Plain, unknown_fields
from services.router.translate.facts import Facts

REPLACES = "OVERWRITE_IF_EXISTS_OR_ADD"
MAPPER = frozenset({"filter", "status_code", "body", "headers_to_add"})
FLAGS = "%RESPONSE_FLAGS%"
"""The one thing that is told of a call: why the mesh has failed it."""

_BASE64 = re.compile(r"[A-Za-z0-9+/]+")


def problems(config: Plain) -> Iterator[str]:
    """Of the `local_reply_config` of a connection manager."""
    yield from unknown_fields("a local reply", config, frozenset({"mappers"}))
    for mapper in config.get("mappers", ()):
        yield from unknown_fields("a local reply", mapper, MAPPER)
        if mapper.get("body") != {"inline_string": ""}:
            yield "a local reply has a body"
        found = _headers(mapper.get("headers_to_add", []))
        if found is None or not all(one == FLAGS or _literal(one) for one in found.values()):
            yield "a local reply tells of the call"


def sends_home(facts: Facts, home: str, headers: list[Plain]) -> bool:
    """Whether these headers of an answer are the error that names ``home`` and its endpoint."""
    found = _headers(headers)
    if found is None:
        return False
    jurisdiction = facts.topology.jurisdiction_of(home).name
    wanted = to_status(wrong_region(facts.topology, jurisdiction, home))
    details, message = found.pop("grpc-status-details-bin", ""), found.pop("grpc-message", "")
    return (
        found == {"content-type": "application/grpc", "grpc-status": str(wanted.code)}
        and _literal(message)
        and unquote(message.replace("%%", "%")) == wanted.message
        and _decoded(details) == wanted
    )


def _headers(options: list[Plain]) -> dict[str, str] | None:
    """Name to value, as Envoy is to fill it in. None if they say more, or one twice."""
    headers = [one.get("header", {}) for one in options]
    found = {one.get("key", ""): one.get("value", "") for one in headers}
    plainly = [
        {"header": {"key": key, "value": value}, "append_action": REPLACES}
        for key, value in found.items()
    ]
    return found if options == plainly else None


def _literal(value: str) -> bool:
    """Whether Envoy has nothing to fill in. Of `%%` it makes `%`."""
    return "%" not in value.replace("%%", "")


def _decoded(details: str) -> status_pb2.Status | None:
    if not _BASE64.fullmatch(details):
        return None
    try:
        return status_pb2.Status.FromString(base64.b64decode(details + "=" * (-len(details) % 4)))
    except (ValueError, DecodeError):
        return None
