"""Resources as Envoy receives them, each with a version that is a hash of its content.

The same facts give the same versions in every router and after every restart, so that a proxy that
comes back is sent only what has changed.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from google.protobuf import any_pb2, json_format

from services.router import xds_types

HASH_LENGTH = 16
KEPT = 4096
"""Resources that are kept by their content. A region of 31 regions' world has about 300."""


@dataclass(frozen=True)
class Resource:
    """One xDS resource. Compare versions: equal content may have been packed in another order."""

    type_url: str
    name: str
    body: any_pb2.Any

    @cached_property
    def plain(self) -> dict[str, Any]:
        """As plain data, read back from what is sent; defaults are left out. Not to be changed."""
        made: dict[str, Any] = json_format.MessageToDict(
            self.body, preserving_proto_field_name=True
        )
        return made

    @cached_property
    def mappings(self) -> tuple[dict[str, Any], ...]:
        """Every mapping within `plain`, itself included, in no particular order."""
        found: list[dict[str, Any]] = []
        waiting: list[Any] = [self.plain]
        while waiting:
            one = waiting.pop()
            if isinstance(one, dict):
                found.append(one)
                waiting += one.values()
            elif isinstance(one, list):
                waiting += one
        return tuple(found)

    @cached_property
    def version(self) -> str:
        # Of the JSON, not of the bytes: protobuf promises no order of map entries within an Any.
        return digest(json.dumps(self.plain, sort_keys=True))


class Snapshot:
    """Everything that one proxy is to know. Never changes."""

    def __init__(self, resources: Iterable[Resource]) -> None:
        self._by_type: dict[str, dict[str, Resource]] = {kind: {} for kind in xds_types.ORDER}
        for resource in resources:
            kept = self._by_type[resource.type_url]
            if resource.name in kept:
                raise ValueError(f"{resource.name} stands twice in one snapshot.")
            kept[resource.name] = resource

    def of(self, type_url: str) -> Mapping[str, Resource]:
        """The resources of a type, by name. Of an unknown type there are none."""
        return self._by_type.get(type_url, {})

    @cached_property
    def version(self) -> str:
        return combined(found for kind in self._by_type.values() for found in kind.values())

    def plain(self) -> dict[str, list[dict[str, Any]]]:
        """As plain data, for people and golden files. Private keys are left out."""
        return {
            kind.rpartition(".")[2]: [_without_keys(found[name].plain) for name in sorted(found)]
            for kind, found in self._by_type.items()
            if found
        }


def _without_keys(body: dict[str, Any]) -> dict[str, Any]:
    certificate = body.get("tls_certificate")
    if certificate is None:
        return body
    return {**body, "tls_certificate": {**certificate, "private_key": "[redacted]"}}


def resource(type_url: str, body: dict[str, Any]) -> Resource:
    """Builds a resource from its JSON form. Raises json_format.ParseError for a wrong field.

    Equal bodies give the same object: with each change of the facts nearly all of them are as they
    were, and reading and hashing them is most of the work. Secrets are not kept.
    """
    if type_url == xds_types.SECRET:
        return _build(type_url, body)
    return _kept(type_url, json.dumps(body))


@lru_cache(maxsize=KEPT)
def _kept(type_url: str, body: str) -> Resource:
    return _build(type_url, json.loads(body))


def _build(type_url: str, body: dict[str, Any]) -> Resource:
    xds_types.register()
    packed = any_pb2.Any()
    json_format.ParseDict({"@type": type_url, **body}, packed)
    name = body["cluster_name"] if type_url == xds_types.ENDPOINTS else body["name"]
    return Resource(type_url, str(name), packed)


def combined(resources: Iterable[Resource]) -> str:
    """One version for several resources."""
    return digest(
        "\n".join(sorted(f"{one.type_url} {one.name} {one.version}" for one in resources))
    )


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:HASH_LENGTH]
