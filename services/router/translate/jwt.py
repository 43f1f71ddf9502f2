"""Verification of enriched tokens inside Envoy.

A provider for each jurisdiction, with that jurisdiction's keys alone, that writes claims under the
jurisdiction's own name. What the EU's keys have signed can be read as an EU token and as no other,
whatever it claims.
"""

import json
from collections.abc import Iterable
from typing import Any

from services.chassis.auth import LEEWAY_SECONDS
from services.router import xds_types
from services.router.policy import HIGHEST_EPOCH
from services.router.translate.facts import Facts
from services.router.translate.listener import OVER_ADS

NAME = "hemline-jwt"
METADATA = "envoy.filters.http.jwt_authn"
TYPE = f"{xds_types.HTTP_FILTERS}jwt_authn.v3.JwtAuthentication"
CACHE_TOKENS = 2000


def http_filter() -> dict[str, Any]:
    """The filter, whose configuration comes by itself: a new key must not replace a listener."""
    return {
        "name": NAME,
        "config_discovery": {"config_source": OVER_ADS, "type_urls": [TYPE]},
    }


def extension(
    facts: Facts, jurisdictions: Iterable[str], open_matches: list[dict[str, Any]]
) -> dict[str, Any]:
    """The filter's configuration.

    Args:
        facts: for keys, issuers and audiences.
        jurisdictions: whose tokens are taken; those without known keys are left out.
        open_matches: requests that need no token. All others do.
    """
    known = [name for name in sorted(jurisdictions) if facts.keys.get(name)]
    wanted = [{"provider_name": name} for name in known]
    requires = wanted[0] if len(wanted) == 1 else {"requires_any": {"requirements": wanted}}
    # Envoy lets pass what no rule matches: the last one matches everything.
    rules = [*({"match": match} for match in open_matches)]
    rules.append({"match": {"prefix": "/"}, "requires": requires})
    config = {
        "@type": TYPE,
        "providers": {name: _provider(facts, name) for name in known},
        "rules": rules,
    }
    return {"name": NAME, "typed_config": config}


def open_matches(facts: Facts, probes: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Requests that need no token: public methods, and those that ``probes`` match."""
    return [*({"path": path} for path in facts.public_paths), *probes]


def claim(jurisdiction: str, name: str, value: str) -> dict[str, Any]:
    """A metadata matcher: this jurisdiction's keys have signed the claim ``name`` = ``value``."""
    return {
        "filter": METADATA,
        "path": [{"key": jurisdiction}, {"key": name}],
        "value": {"string_match": {"exact": value}},
    }


def epoch_claims(jurisdiction: str, floor: int) -> list[dict[str, Any]]:
    """A metadata matcher that wants ``home_epoch`` to be at least ``floor``; none for zero."""
    if floor <= 0:
        return []
    at_least = {"start": floor, "end": HIGHEST_EPOCH}
    return [
        {
            "filter": METADATA,
            "path": [{"key": jurisdiction}, {"key": "home_epoch"}],
            "value": {"double_match": {"range": at_least}},
        }
    ]


def home_claims(facts: Facts, home: str) -> list[dict[str, Any]]:
    """Metadata matchers for tokens of tenants of ``home`` that are not outdated."""
    name = facts.topology.jurisdiction_of(home).name
    floor = facts.policy_of(home).home_epoch_floor
    return [
        claim(name, "jurisdiction", name),
        claim(name, "home_region", home),
        *epoch_claims(name, floor),
    ]


def _provider(facts: Facts, name: str) -> dict[str, Any]:
    jurisdiction = facts.topology.jurisdictions[name]
    keys = sorted(facts.keys[name], key=lambda key: key.kid)
    jwks = json.dumps({"keys": [key.as_dict() for key in keys]}, sort_keys=True)
    return {
        "issuer": jurisdiction.issuer,
        "audiences": [jurisdiction.audience],
        "local_jwks": {"inline_string": jwks},
        "forward": True,
        # The default would also take a token from the URL, which ends up in logs.
        "from_headers": [{"name": "authorization", "value_prefix": "Bearer "}],
        "payload_in_metadata": name,
        "require_expiration": True,
        "clock_skew_seconds": LEEWAY_SECONDS,
        "jwt_cache_config": {"jwt_cache_size": CACHE_TOKENS},
        # The route is chosen anew once the claims are known.
        "clear_route_cache": True,
    }
