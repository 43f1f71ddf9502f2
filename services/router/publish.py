"""Facts to snapshots in force: translate, check, validate, publish, or keep what was good."""

import asyncio
import dataclasses
from collections.abc import Mapping
from typing import Protocol

import structlog
from google.protobuf import json_format

from services.router import check
from services.router.cache import SnapshotCache
from services.router.check import Proof
from services.router.gate import NoAnswer
from services.router.instruments import Instruments
from services.router.keys import Keys
from services.router.leaf import Certificates
from services.router.nodes import Node
from services.router.policy import Policy
from services.router.snapshot import Snapshot
from services.router.translate import Facts, translate

RETRY_SECONDS = 1.0

log = structlog.get_logger()

Snapshots = Mapping[Node, Snapshot]


class Validator(Protocol):
    """What asks Envoy itself, see `gate`."""

    def passed(self, snapshots: Snapshots) -> bool:
        """Whether everything in ``snapshots`` has been found good before. At once."""

    async def problem(self, snapshots: Snapshots) -> str | None:
        """Says what Envoy would refuse, or None. Takes its time. Raises `NoAnswer`."""


class Publisher:
    """Keeps the facts, and in force what follows from them.

    Attributes:
        refused: why the newest facts are not in force; empty if they are, or are on their way.
            Says so too while Envoy does not answer, and is asked again.
        proof: SHA-256 over what was shown of the snapshots in force; empty before the first.
        proven_states: of the regions, that were looked at for it.
    """

    def __init__(
        self, facts: Facts, cache: SnapshotCache, validator: Validator | None = None
    ) -> None:
        self._facts = facts
        self._cache = cache
        self._validator = validator
        self._candidate: tuple[Snapshots, Proof] | None = None  # Waits for the validator.
        self._wake = asyncio.Event()
        self._instruments = Instruments()
        self.refused = ""
        self.proof = ""
        self.proven_states = 0

    @property
    def facts(self) -> Facts:
        """The newest facts, in force or refused."""
        return self._facts

    def update(
        self,
        *,
        keys: Keys | None = None,
        policies: Mapping[str, Policy] | None = None,
        certificates: Certificates | None = None,
    ) -> bool:
        """Replaces what is given and publishes what follows from all that is known.

        Without a key of the own jurisdiction nothing is published: the proxies would refuse
        everybody. A snapshot that breaks a rule is refused, and the last good one stays; the facts
        are kept all the same, and are tried again with the next change.

        Returns:
            Whether it is in force. If not: it is refused, or too little is known, or Envoy is being
            asked about something new, and `run` will publish it.
        """
        before = self._facts
        self._facts = facts = dataclasses.replace(
            before,
            keys=before.keys if keys is None else keys,
            policies=before.policies if policies is None else policies,
            certificates=before.certificates if certificates is None else certificates,
        )
        if not facts.keys.get(facts.jurisdiction.name):
            log.info("waiting_for_signing_keys", jurisdiction=facts.jurisdiction.name)
            return False
        # What is older and still waits is in the new one, as far as it still holds.
        self._candidate = None
        try:
            snapshots = translate(facts)
        except (json_format.ParseError, ValueError) as error:
            log.exception("snapshot_untranslatable")
            return self._refuse(str(error), "translate")
        proof = check.prove(facts, snapshots)
        for problem in proof.problems:
            return self._refuse(problem, "check")
        if self._validator is None or self._validator.passed(snapshots):
            return self._publish(snapshots, proof)
        self._candidate = snapshots, proof
        self._wake.set()
        return False

    async def run(self) -> None:
        """Puts new content into force once Envoy has found it good, until cancelled."""
        while self._validator is not None:
            await self._wake.wait()
            self._wake.clear()
            asked = self._candidate
            if asked is None:
                continue
            try:
                problem = await self._validator.problem(asked[0])
            except NoAnswer as error:
                # No verdict: what waits goes on waiting. What comes meanwhile may be known.
                self._unanswered(str(error))
                await asyncio.sleep(RETRY_SECONDS)
                self._wake.set()
                continue
            if problem is not None and asked is self._candidate:
                self._candidate = None
                self._refuse(problem, "envoy")
            elif self._candidate is not None and self._validator.passed(self._candidate[0]):
                # Perhaps a newer one than was asked about: a drain that came meanwhile.
                self._publish(*self._candidate)
            elif self._candidate is not None:
                self._wake.set()

    def _publish(self, snapshots: Snapshots, proof: Proof) -> bool:
        self._candidate = None
        self.refused = ""
        self.proof, self.proven_states = proof.hash, proof.states
        self._instruments.published.add(1)
        self._cache.replace(snapshots)
        keys = {name: len(found) for name, found in self._facts.keys.items()}
        log.info("snapshot_published", keys=keys, proof=proof.hash, states=proof.states)
        return True

    def _refuse(self, problem: str, by: str) -> bool:
        self.refused = problem
        self._instruments.refused.add(1, {"by": by})
        log.error("snapshot_refused", by=by, problem=problem)
        return False

    def _unanswered(self, problem: str) -> None:
        self._instruments.unanswered.add(1)
        if self._candidate is not None and self.refused != problem:
            self.refused = problem
            log.error("snapshot_waits_for_envoy", problem=problem)
