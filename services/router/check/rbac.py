"""A sidecar's RBAC, run for every kind of call: who passes is who should, and nobody else.

Only exact names, prefixes of paths and two kinds of claims are understood; any other rule is a
problem of its own. So what a rule does not mention is all alike, and one example stands for it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

from services.router import spiffe
from services.router.check.plain import Plain, dicts
from services.router.check.tokens import HEALTH, REFLECTION
from services.router.nodes import Node
from services.router.translate import callers
from services.router.translate.facts import Facts

JWT = "envoy.filters.http.jwt_authn"
NOBODY = "spiffe://elsewhere.example/edge"
OTHER_PATH = "/elsewhere"


class Unknown(Exception):
    """A rule that is not understood."""


@dataclass(frozen=True, slots=True)
class Call:
    caller: str  # SPIFFE id of its certificate.
    path: str
    claims: tuple[tuple[tuple[str, str], str | float], ...]  # (provider, claim) to value.


def problems(facts: Facts, node: Node, rules: Any) -> Iterator[str]:
    """Yields one sentence for the first call that is treated wrongly."""
    if not isinstance(rules, dict) or rules.keys() != {"policies"}:
        yield "RBAC has no rules, or rules that deny"
        return
    wanted = Wanted.of(facts, node)
    try:
        for call in _calls(facts, wanted, rules):
            if _allows(rules["policies"], call) != wanted.allows(call):
                said = "refuses" if wanted.allows(call) else "lets pass"
                yield f"RBAC {said} {call.caller} at {call.path} with {dict(call.claims)}"
                return
    except Unknown as error:
        yield f"RBAC has a rule that nobody can judge: {error}"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Who may pass, by the facts alone."""

    jurisdiction: str
    floor: int
    edges: frozenset[str]
    own_edges: frozenset[str]
    clients: frozenset[str]
    routers: frozenset[str]
    public: frozenset[str]

    @classmethod
    def of(cls, facts: Facts, node: Node) -> "Wanted":
        own = facts.jurisdiction
        regions = [facts.topology.regions[name] for name in own.regions]
        abroad = [] if own.foreign_edges.value != "forward" else facts.topology.regions.values()
        known = [one for one in abroad if one.jurisdiction in facts.certificates.bundles]
        may_call = callers.CALLERS.get(node.service, ())
        return cls(
            own.name,
            facts.policy_of(node.region).home_epoch_floor,
            frozenset(spiffe.edge(region) for region in (*regions, *known)),
            frozenset(spiffe.edge(region) for region in regions),
            frozenset(spiffe.client(region, one) for region in regions for one in may_call),
            frozenset(spiffe.router(region) for region in regions),
            frozenset(facts.public_paths),
        )

    def allows(self, call: Call) -> bool:
        claims = dict(call.claims)
        if call.caller in self.edges | self.clients and self._ours(claims):
            return True
        if call.caller in self.own_edges and call.path in self.public:
            return True
        probe = call.path.startswith((HEALTH, *REFLECTION))
        return probe and call.caller in self.edges | self.routers

    def _ours(self, claims: dict[tuple[str, str], str | float]) -> bool:
        epoch = claims.get((self.jurisdiction, "home_epoch"), 0)
        signed_here = claims.get((self.jurisdiction, "jurisdiction")) == self.jurisdiction
        return signed_here and float(epoch) >= self.floor


def _calls(facts: Facts, wanted: Wanted, rules: Plain) -> Iterator[Call]:
    """One call for each way in which calls can differ."""
    named, paths = {NOBODY, *wanted.edges, *wanted.clients, *wanted.routers}, {OTHER_PATH}
    for one in dicts(rules):
        if "principal_name" in one:
            named.add(str(one["principal_name"].get("exact")))
        path = one.get("path")
        if isinstance(path, dict):
            paths.add(path.get("exact", f"{path.get('prefix')}x"))
    paths |= wanted.public | {f"{HEALTH}Check", f"{REFLECTION[0]}x", f"{REFLECTION[1]}x"}
    for caller, path, claims in product(sorted(named), sorted(paths), _claims(facts, wanted)):
        yield Call(caller, path, claims)


def _claims(facts: Facts, wanted: Wanted) -> list[tuple[Any, ...]]:
    """No token, and of each jurisdiction's keys tokens that claim each jurisdiction, old or new."""
    names = sorted(facts.topology.jurisdictions)
    epochs = sorted({0.0, float(max(0, wanted.floor - 1)), float(wanted.floor)})
    tokens = [
        (((provider, "jurisdiction"), claimed), ((provider, "home_epoch"), epoch))
        for provider, claimed, epoch in product(names, names, epochs)
    ]
    return [(), *tokens]


def _allows(policies: Plain, call: Call) -> bool:
    results = []
    for policy in policies.values():
        if policy.keys() != {"permissions", "principals"}:
            raise Unknown(str(sorted(policy)))
        permitted = [_permission(one, call) for one in policy["permissions"]]
        known = [_principal(one, call) for one in policy["principals"]]
        results.append(any(permitted) and any(known))
    return any(results)


def _permission(rule: Plain, call: Call) -> bool:
    match rule:
        case {"any": True}:
            return True
        case {"url_path": {"path": {"exact": str(path)}}}:
            return call.path == path
        case {"url_path": {"path": {"prefix": str(prefix)}}}:
            return call.path.startswith(prefix)
    raise Unknown(str(rule))


def _principal(rule: Plain, call: Call) -> bool:
    match rule:
        case {"and_ids": {"ids": list(ids)}}:
            # Lists: every rule is read, also when the first one decides.
            found = [_principal(one, call) for one in ids]
            return all(found)
        case {"or_ids": {"ids": list(ids)}}:
            found = [_principal(one, call) for one in ids]
            return any(found)
        case {"authenticated": {"principal_name": {"exact": str(name)}}}:
            return call.caller == name
        case {"sourced_metadata": {"metadata_matcher": dict(matcher), **more}} if not more:
            return metadata(matcher, dict(call.claims))
    raise Unknown(str(rule))


def metadata(matcher: Plain, claims: dict[tuple[str, str], Any]) -> bool:
    """Whether claims match. Raises Unknown for a matcher that is not understood."""
    match matcher:
        case {
            "filter": "envoy.filters.http.jwt_authn",
            "path": [{"key": str(provider)}, {"key": str(claim)}],
            "value": dict(value),
            **more,
        } if not more:
            found = claims.get((provider, claim))
            match value:
                case {"string_match": {"exact": str(exact), **others}} if not others:
                    return found == exact
                case {"double_match": {"range": {"start": start, "end": end}}}:
                    return isinstance(found, float) and float(start) <= found < float(end)
    raise Unknown(str(matcher))
