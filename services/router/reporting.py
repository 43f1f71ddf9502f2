"""Who may report on health and load: the region's own edges, and routers on their behalf."""

from dataclasses import dataclass
from typing import Any

import grpc
import grpc.aio
import structlog

from services.chassis.topology import Region
from services.router import ads_server, spiffe
from services.router.cache import SnapshotCache, UnknownNode
from services.router.nodes import Kind, Node

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Reporter:
    node: Node  # Stands for every edge of the region.
    passed_on: bool  # Another router of the region has heard it, and says it again.


async def reporter(
    context: grpc.aio.ServicerContext[Any, Any], cache: SnapshotCache, node_id: str, region: Region
) -> Reporter:
    """Returns whose reports these are, or ends the call if that is no edge of ours."""
    try:
        node = cache.node(node_id)
    except UnknownNode as error:
        log.warning("proxy_refused", problem=str(error))
        await context.abort(grpc.StatusCode.NOT_FOUND, str(error))
    passed_on = ads_server.peer_ids(context) == {spiffe.router(region)}
    if not passed_on:
        await ads_server.check_peer(context, node, region)
    if node.kind is not Kind.EDGE:
        await context.abort(grpc.StatusCode.PERMISSION_DENIED, f"{node_id}: only edges report")
    return Reporter(node, passed_on)
