"""Token verification: whose keys, which claims, and who needs no token."""

import json
from collections.abc import Iterator

from services.chassis.auth import LEEWAY_SECONDS
from services.router import xds_types
from services.router.check.plain import Plain, unknown_fields
from services.router.nodes import Kind, Node
from services.router.snapshot import Snapshot
from services.router.translate.facts import Facts

HEALTH = "/grpc.health.v1.Health/"
REFLECTION = (
    "/grpc.reflection.v1.ServerReflection/",
    "/grpc.reflection.v1alpha.ServerReflection/",
)

JWT = f"{xds_types.HTTP_FILTERS}jwt_authn.v3.JwtAuthentication"
BEARER = [{"name": "authorization", "value_prefix": "Bearer "}]

FIELDS = frozenset({"@type", "providers", "rules"})
"""Fields of the filter. Any other could let requests pass."""

PROVIDER_FIELDS = frozenset(
    {
        "audiences",
        "clear_route_cache",
        "clock_skew_seconds",
        "forward",
        "from_headers",
        "issuer",
        "jwt_cache_config",
        "local_jwks",
        "payload_in_metadata",
        "require_expiration",
    }
)


def problems(facts: Facts, node: Node, snapshot: Snapshot) -> Iterator[str]:
    configs = [found.plain["typed_config"] for found in snapshot.of(xds_types.EXTENSION).values()]
    if [one["@type"] for one in configs] != [JWT]:
        yield "tokens are not verified, or not by this alone"
        return
    for config in configs:
        yield from unknown_fields("token verification", config, FIELDS)
        yield from _providers(facts, node, config.get("providers", {}))
        yield from _rules(open_matches(facts, node), config)


def open_matches(facts: Facts, node: Node) -> list[Plain]:
    """All that may be asked of ``node`` without a token."""
    reflected = facts.topology.reflection or node.kind is Kind.SIDECAR
    return [
        *({"path": path} for path in facts.public_paths),
        {"prefix": HEALTH} if node.kind is Kind.SIDECAR else {"path": f"{HEALTH}Check"},
        *({"prefix": prefix} for prefix in (REFLECTION if reflected else ())),
    ]


def _providers(facts: Facts, node: Node, providers: Plain) -> Iterator[str]:
    """Each jurisdiction's provider holds its own keys; a sidecar, its own jurisdiction's alone."""
    own = facts.jurisdiction.name
    wanted = {own} if node.kind is Kind.SIDECAR else {own, *facts.keys}
    for name in sorted(wanted - providers.keys()):
        if name == own or facts.keys[name]:
            yield f"the keys of {name} are missing"
    for name, provider in sorted(providers.items()):
        if node.kind is Kind.SIDECAR and name != own:
            yield f"a sidecar of {own} would trust keys of {name}"
        if not _faithful(facts, name, provider):
            yield f"provider {name} holds keys or claims of another jurisdiction"
        if not provider.get("require_expiration"):
            yield f"provider {name} takes tokens without an expiry"
        if provider.get("clock_skew_seconds") != LEEWAY_SECONDS:
            yield f"provider {name} takes tokens long after their expiry"
        if not (provider.get("forward") and provider.get("clear_route_cache")):
            yield f"provider {name} keeps tokens from routes or services"
        cache = provider.get("jwt_cache_config", {})
        yield from unknown_fields(f"provider {name}", cache, frozenset({"jwt_cache_size"}))
        yield from unknown_fields(f"provider {name}", provider, PROVIDER_FIELDS)


def _faithful(facts: Facts, name: str, provider: Plain) -> bool:
    jurisdiction = facts.topology.jurisdictions.get(name)
    if jurisdiction is None or provider.get("local_jwks", {}).keys() != {"inline_string"}:
        return False
    jwks = json.loads(provider["local_jwks"]["inline_string"])["keys"]
    own = [key.as_dict() for key in facts.keys.get(name, ())]
    return (
        provider.get("issuer") == jurisdiction.issuer
        and provider.get("audiences") == [jurisdiction.audience]
        and provider.get("payload_in_metadata") == name
        and provider.get("from_headers") == BEARER
        and bool(jwks)
        and all(key in own for key in jwks)
    )


def _rules(opened: list[Plain], config: Plain) -> Iterator[str]:
    """The last rule takes everything that is left, and asks for a token of a known provider."""
    *rules, last = config.get("rules") or [{}]
    for rule in rules:
        if rule.get("match") not in opened:
            yield f"a rule of token verification opens {rule.get('match')}"
    providers = sorted(config.get("providers", {}))
    wanted = [{"provider_name": name} for name in providers]
    requires = wanted[0] if len(wanted) == 1 else {"requires_any": {"requirements": wanted}}
    if last != {"match": {"prefix": "/"}, "requires": requires}:
        yield "the last rule of token verification lets requests pass"
