"""Keeps a region's certificates folder, with AWS Private CA as the issuer.

    python -m services.router.pca_folder --region eu-central-1 --topology FILE --folder FOLDER \
        --authority EU=ARN --authority US=ARN [--once]

For a task that router and proxies share the folder with, as their user: keys are readable by their
owner alone. With `--once` it ends when the folder is good, before the others start; without, it
looks every hour and replaces what is past two thirds of its life. One process for each folder.

The first authority of the region's own jurisdiction issues; all that are named are trusted. So an
authority is rolled by starting with old and new, then new and old, then the new alone. Leaves of
the old one are replaced as they fall due, or when their files are removed: wait for that.
"""

import argparse
import datetime as dt
import signal
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import boto3
import structlog
from botocore.exceptions import BotoCoreError, ClientError

from services.chassis import contract, topology
from services.chassis.clock import utc_now
from services.chassis.topology import Region, Topology
from services.router import certificate_files as files
from services.router import renewal
from services.router.acm_pca import IssuerError, PrivateCa

RENEWAL_SECONDS = 3600.0
RETRY_SECONDS = 60.0

FAILURES = (BotoCoreError, ClientError, IssuerError, OSError)

Authorities = Mapping[str, Sequence[PrivateCa]]
"""By jurisdiction."""

log = structlog.get_logger()


def names() -> tuple[str, ...]:
    """Of the leaves of a region that runs every service of the suite."""
    services = sorted({method.service for method in contract.methods()})
    return (*files.required(services), *(files.CLIENT + service for service in services))


def establish(
    folder: Path, region: Region, authorities: Authorities, now: dt.datetime
) -> list[str]:
    """Makes what is missing and issues what is due.

    Args:
        folder: the region's.
        region: it.
        authorities: one at least for each jurisdiction. The first of the region's own one issues.
        now: from which leaves are good.

    Returns:
        Names of the leaves that were issued.

    Raises:
        FAILURES: there are leaves or bundles that could not be had. What could be is there.
    """
    issuer = authorities[region.jurisdiction][0]
    return renewal.establish(
        folder, region, names(), issuer, dict(_bundles(folder, authorities)), now
    )


def _bundles(folder: Path, authorities: Authorities) -> Iterator[tuple[str, bytes]]:
    for jurisdiction, found in authorities.items():
        try:
            yield jurisdiction, b"".join(one.bundle() for one in found)
        except FAILURES as error:
            # Who is trusted already stays so: far away, AWS may be down while leaves here are due.
            if not files.bundle(folder, jurisdiction).exists():
                raise
            log.warning("authority_silent", jurisdiction=jurisdiction, problem=str(error))


def keep(folder: Path, region: Region, authorities: Authorities, stop: threading.Event) -> None:
    """Establishes the folder every hour, and each minute while it cannot, until ``stop``."""
    wait_seconds = 0.0
    while not stop.wait(wait_seconds):
        try:
            issued = establish(folder, region, authorities, utc_now())
        except FAILURES as error:
            log.error("certificates_not_renewed", problem=str(error))  # noqa: TRY400 - no trace: the message says all.
            wait_seconds = RETRY_SECONDS
        else:
            log.info("certificates_looked_at", issued=issued)
            wait_seconds = RENEWAL_SECONDS


def private_cas(given: Sequence[str], found: Topology) -> Authorities:
    """Reads JURISDICTION=ARN.

    Raises:
        ValueError: one is neither, or a jurisdiction of the topology is missing.
    """
    made: dict[str, list[PrivateCa]] = {name: [] for name in found.jurisdictions}
    for one in given:
        jurisdiction, _, arn = one.partition("=")
        if jurisdiction not in made:
            raise ValueError(f"{one}: want JURISDICTION=ARN, one of {', '.join(made)}")
        made[jurisdiction].append(PrivateCa(_client(arn), arn))
    missing = [name for name, some in made.items() if not some]
    if missing:
        raise ValueError(f"no authority of {', '.join(missing)}")
    return made


def _client(arn: str) -> Any:
    parts = arn.split(":")
    if len(parts) != 6 or parts[2] != "acm-pca":  # noqa: PLR2004 - parts of an ARN.
        raise ValueError(f"{arn}: want the ARN of a private certificate authority")
    return boto3.client("acm-pca", region_name=parts[3])


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Keeps a region's certificates folder.")
    parser.add_argument("--region", required=True, help="such as eu-central-1")
    parser.add_argument("--topology", required=True, type=Path, help="the topology file")
    parser.add_argument("--folder", required=True, type=Path, help="the region's, made if missing")
    parser.add_argument(
        "--authority", required=True, action="append", help="JURISDICTION=ARN; each jurisdiction's"
    )
    parser.add_argument("--once", action="store_true", help="end when the folder is good")
    given = parser.parse_args(arguments)
    try:
        found = topology.load(given.topology)
        region = found.regions[given.region]
        authorities = private_cas(given.authority, found)
    except KeyError:
        parser.error(f"region: {given.region} is not in {given.topology}")
    except (ValueError, BotoCoreError, topology.TopologyError) as error:
        parser.error(str(error))
    if given.once:
        try:
            establish(given.folder, region, authorities, utc_now())
        except FAILURES as error:
            sys.exit(f"{given.folder}: {error}")
        return
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        # Not in the middle: a leaf and its key are two files.
        signal.signal(number, lambda *_: stop.set())
    keep(given.folder, region, authorities, stop)


if __name__ == "__main__":
    main()
