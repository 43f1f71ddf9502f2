"""The proof itself, in a world that runs already: work, search, plant, search again."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from hemline.router.v1 import residency_service_pb2 as pb
from hemline.router.v1 import residency_service_pb2_grpc as pb_grpc

from cli.tenant import operator
from deploy.local.world import World
from proofs import report
from proofs.leaks import canaries, plant, stores
from proofs.leaks.canaries import KEPT_IDS, STORED
from proofs.leaks.scan import Hit, Scanner
from proofs.leaks.workload import Retailer, frozen

EXPORT_SECONDS = 4.0
"""In which proxies and services send spans, logs and entries that they still hold."""

FROZEN_ROUNDS = 3
AT_HOME = ("tenant id", "user id", *KEPT_IDS, *STORED)


def prove(calls: int, *, note: Callable[[str], None] = report.note) -> dict[str, Any]:
    """Returns the figures.

    Args:
        calls: how many the retailers make, at least.
        note: takes a line of progress.
    """
    found = stores.opened()
    retailers = _retailers(found)
    note("retailers sign up and work")
    _work(found, retailers, calls)
    time.sleep(EXPORT_SECONDS)
    for region in found.regions:
        stores.settle(found, region)
    note("searching foreign stores, and those at home")
    hits, missing, scanned = _search(found, retailers)
    for hit in hits[:50]:
        note(f"LEAK {hit.canary} as {hit.form} in {hit.source}")
    for each in missing:
        note(f"NOT FOUND AT HOME: {each}")
    note("planting leaks, and searching again")
    planted, seen = _planted(found)
    for each in sorted(planted - seen):
        note(f"PLANTED AND NOT FOUND: {each}")
    return {
        "requests": sum(retailer.calls for retailer in retailers.values()),
        "violations": sum(_violations(region) for region in retailers),
        "hits": len(hits),
        "planted": len(planted),
        "found": len(planted & seen),
        "canaries": sum(
            len(family.members) for one in retailers.values() for family in one.families
        ),
        "at_home_missing": len(missing),
        "scanned_mib": round(scanned / 2**20),
    }


def _retailers(found: World) -> dict[str, Retailer]:
    """One at home in the first region of each jurisdiction, by that region."""
    homes = [one.regions[0] for one in found.topology.jurisdictions.values()]
    return {home: Retailer(f"retailer of {home}", home) for home in homes}


def _work(found: World, retailers: Mapping[str, Retailer], calls: int) -> None:
    for retailer in retailers.values():
        retailer.sign_up()
        retailer.work()
        retailer.read()
        retailer.err()
    with report.progress("calls", calls) as bar:
        made = 0
        while made < calls:
            for home, retailer in retailers.items():
                retailer.read()
                for region in _abroad(found, home):
                    retailer.go_abroad(found.topology.regions[region].endpoint)
            before, made = made, sum(retailer.calls for retailer in retailers.values())
            bar.advance(made - before)
    for home, retailer in retailers.items():
        if found.topology.regions[home].failover:
            with frozen(found, f"{home}/inventory"):
                for _ in range(FROZEN_ROUNDS):
                    retailer.read()


def _search(found: World, retailers: Mapping[str, Retailer]) -> tuple[list[Hit], list[str], int]:
    """Returns what is abroad, what is not at home, and how many bytes were searched."""
    hits: list[Hit] = []
    missing: list[str] = []
    scanned = 0
    for home, retailer in retailers.items():
        scanner = Scanner(retailer.families)
        for region in _abroad(found, home):
            hits += stores.scan(found, region, scanner)
        here = {hit.canary for hit in stores.scan(found, home, scanner)}
        missing += [f"{name} of {home}" for name in AT_HOME if name not in here]
        scanned += scanner.scanned_bytes
    return hits, missing, scanned


def _planted(found: World) -> tuple[set[str], set[str]]:
    """Plants in the last region. Returns what was planted and what was found."""
    region = found.regions[-1]
    family = canaries.planted("planted")
    with plant.planted(found, region, family) as names:
        stores.settle(found, region)
        hits = {hit.canary for hit in stores.scan(found, region, Scanner([family]))}
    return set(names), hits


def _abroad(found: World, home: str) -> list[str]:
    own = found.topology.jurisdiction_of(home)
    return [region for region in found.regions if region not in own.regions]


def _violations(region: str) -> int:
    """As the routers' audit of the jurisdiction has it."""
    with operator(region).channel() as channel:
        answer = pb_grpc.ResidencyServiceStub(channel).GetResidencyReport(
            pb.GetResidencyReportRequest()
        )
    return int(answer.violations)
