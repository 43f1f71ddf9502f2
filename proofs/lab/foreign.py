"""What another jurisdiction has seen: nothing, if residency holds."""

from typing import Any

import grpc.aio

from proofs.lab import admin
from proofs.lab.backend import COUNT
from proofs.lab.lab import Lab

EDGE_REQUESTS = r"^http\.edge\.downstream_rq_total$"
SENT_ON = r"^cluster\.[a-z-]+\|.*\.upstream_rq_total$"


async def requests(lab: Lab, jurisdiction: str) -> int:
    """Requests that its edges have received or sent on, and calls that its services have got.

    Health checks are none of them.
    """
    seen = 0
    for name in lab.plan.topology.jurisdictions[jurisdiction].regions:
        found = lab.plan.regions[name]
        seen += await admin.total(found.edge_admin, EDGE_REQUESTS)
        seen += await admin.total(found.edge_admin, SENT_ON)
        for host in found.hosts:
            seen += await _calls(host.app)
    return seen


async def _calls(address: str) -> int:
    async with grpc.aio.insecure_channel(address) as channel:
        method: Any = channel.unary_unary(COUNT)
        return int(await method(b"", timeout=5))
