"""Every kind of token that may come, as bits of a number: sets of tokens are then plain integers.

Tokens differ by whose keys have signed them, which jurisdiction and home they claim, and whether
their home epoch is below the floor. Whatever else they say, no rule here may look at it.
"""

import json
from collections.abc import Iterable
from itertools import product

from services.router.check.plain import Plain
from services.router.check.rbac import Claims, metadata
from services.router.translate.facts import Facts

ELSEWHERE = "elsewhere"


class Residencies:
    """The kinds of tokens of one world. The first is no token at all."""

    def __init__(self, facts: Facts) -> None:
        topology = facts.topology
        self.tokens: list[Claims] = [{}]
        self._proper = dict.fromkeys(topology.regions, 0)
        self._matching: dict[str, int] = {}
        claimed = (*topology.jurisdictions, ELSEWHERE)
        homes = (*topology.regions, ELSEWHERE)
        for signer, jurisdiction, home in product(topology.jurisdictions, claimed, homes):
            policy = facts.policies.get(signer)
            floor = policy.home_epoch_floor if policy is not None else 0
            for epoch in {float(max(0, floor - 1)), float(floor)}:
                self.tokens.append(
                    {
                        (signer, "jurisdiction"): jurisdiction,
                        (signer, "home_region"): home,
                        (signer, "home_epoch"): epoch,
                    }
                )
                own = home in topology.regions and topology.regions[home].jurisdiction == signer
                if own and jurisdiction == signer and epoch >= floor:
                    self._proper[home] |= 1 << (len(self.tokens) - 1)
        self.all = (1 << len(self.tokens)) - 1

    def proper(self, home: str) -> int:
        """Tokens of tenants of ``home``: signed by its jurisdiction, not below the floor."""
        return self._proper[home]

    def homes(self, tokens: int) -> Iterable[str]:
        """The homes of proper tokens among these."""
        return (home for home, proper in self._proper.items() if proper & tokens)

    def matching(self, matchers: list[Plain]) -> int:
        """Tokens that all of these match. Raises rbac.Unknown."""
        key = json.dumps(matchers, sort_keys=True)
        if key not in self._matching:
            self._matching[key] = sum(
                1 << i
                for i, claims in enumerate(self.tokens)
                if all([metadata(matcher, claims) for matcher in matchers])  # noqa: C419  # Reads every matcher.
            )
        return self._matching[key]
