"""Whom a sidecar lets in: by the caller's certificate and the tenant's token, both."""

from collections.abc import Iterable
from typing import Any

from services.router import spiffe
from services.router.translate import callers, jwt
from services.router.translate.facts import HEALTH, REFLECTION, Facts
from services.router.translate.tls import calling_jurisdictions

PROBES = tuple({"prefix": prefix} for prefix in (HEALTH, *REFLECTION))

Principal = dict[str, Any]


def policies(facts: Facts, service: str) -> dict[str, Any]:
    """Policies of the RBAC filter of a sidecar of ``service``."""
    exact = [{"exact": path} for path in facts.public_paths]
    return {
        "jurisdiction": {
            "permissions": [{"any": True}],
            "principals": [
                {"and_ids": {"ids": [*_claims(facts), _any_of(_callers(facts, service))]}}
            ],
        },
        "public": {
            "permissions": [{"url_path": {"path": path}} for path in exact],
            "principals": [_any_of(_own_edges(facts))],
        },
        "probes": {
            "permissions": [{"url_path": {"path": path}} for path in PROBES],
            "principals": [_any_of((*_edges(facts), *_routers(facts)))],
        },
    }


def _claims(facts: Facts) -> list[Principal]:
    name = facts.jurisdiction.name
    floor = facts.policy_of(facts.region).home_epoch_floor
    wanted = [jwt.claim(name, "jurisdiction", name), *jwt.epoch_claims(name, floor)]
    return [{"sourced_metadata": {"metadata_matcher": matcher}} for matcher in wanted]


def _callers(facts: Facts, service: str) -> tuple[str, ...]:
    """Edges, and clients of the services that may call this one."""
    regions = (facts.topology.regions[name] for name in facts.jurisdiction.regions)
    clients = (spiffe.client(region, one) for region in regions for one in callers.of(service))
    return (*_edges(facts), *clients)


def _edges(facts: Facts) -> tuple[str, ...]:
    """Of every jurisdiction that may pass calls on to this one."""
    calling = calling_jurisdictions(facts)
    regions = sorted(facts.topology.regions.values(), key=lambda region: region.name)
    return tuple(spiffe.edge(region) for region in regions if region.jurisdiction in calling)


def _own_edges(facts: Facts) -> tuple[str, ...]:
    own = sorted(facts.jurisdiction.regions)
    return tuple(spiffe.edge(facts.topology.regions[name]) for name in own)


def _routers(facts: Facts) -> tuple[str, ...]:
    own = sorted(facts.jurisdiction.regions)
    return tuple(spiffe.router(facts.topology.regions[name]) for name in own)


def _any_of(spiffe_ids: Iterable[str]) -> Principal:
    ids = [{"authenticated": {"principal_name": {"exact": one}}} for one in spiffe_ids]
    return {"or_ids": {"ids": ids}}
