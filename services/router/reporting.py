"""Who may report on health and load: the region's own edges."""

from typing import Any

import grpc
import grpc.aio
import structlog

from services.chassis.topology import Region
from services.router import ads_server
from services.router.cache import SnapshotCache, UnknownNode
from services.router.nodes import Kind, Node

log = structlog.get_logger()


async def reporter(
    context: grpc.aio.ServicerContext[Any, Any], cache: SnapshotCache, node_id: str, region: Region
) -> Node:
    """Returns the node that stands for ``node_id``, or ends the call if that is no edge of ours."""
    try:
        node = cache.node(node_id)
    except UnknownNode as error:
        log.warning("proxy_refused", problem=str(error))
        await context.abort(grpc.StatusCode.NOT_FOUND, str(error))
    await ads_server.check_peer(context, node, region)
    if node.kind is not Kind.EDGE:
        await context.abort(grpc.StatusCode.PERMISSION_DENIED, f"{node_id}: only edges report")
    return node
