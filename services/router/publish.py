"""Facts to snapshots in force: translate, check, publish, or keep what was good."""

import dataclasses

import structlog
from google.protobuf import json_format

from services.router import check
from services.router.cache import SnapshotCache
from services.router.keys import Keys
from services.router.translate import Facts, translate

log = structlog.get_logger()


class Publisher:
    def __init__(self, facts: Facts, cache: SnapshotCache) -> None:
        self._facts = facts
        self._cache = cache

    def publish(self, keys: Keys) -> bool:
        """Publishes what follows from ``keys`` and everything else that is known.

        Without a key of the own jurisdiction nothing is published: the proxies would refuse
        everybody. A snapshot that breaks a rule is refused, and the last good one stays.

        Returns:
            Whether it is in force.
        """
        facts = dataclasses.replace(self._facts, keys=keys)
        if not keys.get(facts.jurisdiction.name):
            log.info("waiting_for_signing_keys", jurisdiction=facts.jurisdiction.name)
            return False
        try:
            snapshots = translate(facts)
        except (json_format.ParseError, ValueError) as error:
            log.exception("snapshot_refused", problem=str(error))
            return False
        for node, snapshot in snapshots.items():
            for problem in check.problems(facts, node, snapshot):
                log.error("snapshot_refused", node=str(node), problem=problem)
                return False
        self._cache.replace(snapshots)
        log.info("snapshot_published", keys={name: len(found) for name, found in keys.items()})
        return True
