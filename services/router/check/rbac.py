"""A sidecar's RBAC, run for every kind of call: who passes is who should, and nobody else.

Only exact names, prefixes of paths and two kinds of claims are understood; any other rule is a
problem of its own. So what a rule does not mention is all alike, and one example stands for it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any, NamedTuple

from services.chassis.topology import ForeignEdges
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


Claims = dict[tuple[str, str], str | float]
"""Provider and claim to value."""


class Caller(NamedTuple):
    """One way in which callers can differ."""

    name: str  # SPIFFE id of its certificate.
    claims: Claims


def problems(facts: Facts, node: Node, rules: Any) -> Iterator[str]:
    """Yields one sentence for each path at which a call is treated wrongly."""
    if not isinstance(rules, dict) or rules.keys() != {"policies"}:
        yield "RBAC has no rules, or rules that deny"
        return
    wanted = Wanted.of(facts, node)
    every, paths = _callers(facts, wanted, rules), _paths(wanted, rules)
    try:
        policies = [_read(policy, every, paths) for policy in rules["policies"].values()]
    except Unknown as error:
        yield f"RBAC has a rule that nobody can judge: {error}"
        return
    for path in paths:
        passing = 0
        for permitted, known in policies:
            passing |= known if path in permitted else 0
        right = _bits(every, [wanted.allows(one, path) for one in every])
        if passing != right:
            wrong = passing ^ right
            one = every[(wrong & -wrong).bit_length() - 1]
            said = "lets pass" if passing & wrong & -wrong else "refuses"
            yield f"RBAC {said} {one.name} at {path} with {one.claims}"


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
        forward = own.foreign_edges is ForeignEdges.FORWARD
        abroad = facts.topology.regions.values() if forward else ()
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

    def allows(self, caller: Caller, path: str) -> bool:
        known = caller.name in self.edges or caller.name in self.clients
        if known and self._ours(caller.claims):
            return True
        if caller.name in self.own_edges and path in self.public:
            return True
        probe = path.startswith((HEALTH, *REFLECTION))
        return probe and (caller.name in self.edges or caller.name in self.routers)

    def _ours(self, claims: Claims) -> bool:
        epoch = claims.get((self.jurisdiction, "home_epoch"), 0)
        signed_here = claims.get((self.jurisdiction, "jurisdiction")) == self.jurisdiction
        return signed_here and float(epoch) >= self.floor


def _callers(facts: Facts, wanted: Wanted, rules: Plain) -> list[Caller]:
    """With each token: whoever should pass, whoever a rule names, and one for all others."""
    named = {NOBODY, *wanted.edges, *wanted.clients, *wanted.routers}
    named |= {
        str(one["principal_name"].get("exact")) for one in dicts(rules) if "principal_name" in one
    }
    tokens = _claims(facts, wanted)
    return [Caller(name, claims) for name, claims in product(sorted(named), tokens)]


def _paths(wanted: Wanted, rules: Plain) -> list[str]:
    """Each path that a rule or the facts name, and one for all others."""
    named = [one["path"] for one in dicts(rules) if isinstance(one.get("path"), dict)]
    paths = {path.get("exact", f"{path.get('prefix')}x") for path in named}
    probes = (f"{HEALTH}Check", f"{REFLECTION[0]}x", f"{REFLECTION[1]}x")
    return sorted({OTHER_PATH, *wanted.public, *probes, *paths})


def _claims(facts: Facts, wanted: Wanted) -> list[Claims]:
    """No token, and of each jurisdiction's keys tokens that claim each jurisdiction, old or new."""
    names = sorted(facts.topology.jurisdictions)
    epochs = sorted({0.0, float(max(0, wanted.floor - 1)), float(wanted.floor)})
    signed: list[Claims] = [
        {(provider, "jurisdiction"): claimed, (provider, "home_epoch"): epoch}
        for provider, claimed, epoch in product(names, names, epochs)
    ]
    return [{}, *signed]


def _read(policy: Plain, every: list[Caller], paths: list[str]) -> tuple[set[str], int]:
    """The paths that a policy permits, and to which callers, as bits."""
    if policy.keys() != {"permissions", "principals"}:
        raise Unknown(str(sorted(policy)))
    permitted = {path for rule in policy["permissions"] for path in paths if _permits(rule, path)}
    known = 0
    for rule in policy["principals"]:
        known |= _principal(rule, every)
    return permitted, known


def _permits(rule: Plain, path: str) -> bool:
    match rule:
        case {"any": True, **more} if not more:
            return True
        case {"url_path": {"path": {"exact": str(exact), **more}}} if not more:
            return path == exact
        case {"url_path": {"path": {"prefix": str(prefix), **more}}} if not more:
            return path.startswith(prefix)
    raise Unknown(str(rule))


def _principal(rule: Plain, every: list[Caller]) -> int:
    match rule:
        case {"and_ids": {"ids": list(ids)}, **more} if not more:
            found = _bits(every, [True] * len(every))
            for one in ids:
                found &= _principal(one, every)
            return found
        case {"or_ids": {"ids": list(ids)}, **more} if not more:
            found = 0
            for one in ids:
                found |= _principal(one, every)
            return found
        case {"authenticated": {"principal_name": {"exact": str(name), **more}}} if not more:
            return _bits(every, [one.name == name for one in every])
        case {"sourced_metadata": {"metadata_matcher": dict(matcher), **more}} if not more:
            return _bits(every, [metadata(matcher, one.claims) for one in every])
    raise Unknown(str(rule))


def _bits(every: list[Caller], holds: list[bool]) -> int:
    return sum(1 << i for i in range(len(every)) if holds[i])


def metadata(matcher: Plain, claims: Claims) -> bool:
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
