"""HTTP connection managers: where their routes come from, what clients' requests may look like.

A field that is not known here is a problem: upgrades have filters of their own, and there are more
ways than one to hand a request's certificate, address or headers on.
"""

from collections.abc import Iterator

from services.router import xds_types
from services.router.check import filters, replies, tracing
from services.router.check.doors import OVER_ADS
from services.router.check.plain import Plain, unknown_fields
from services.router.nodes import Kind, Node
from services.router.translate.facts import Facts

TYPE = f"{xds_types.EXTENSIONS}filters.network.http_connection_manager.v3.HttpConnectionManager"

FIELDS = frozenset(
    {
        "@type",
        "access_log",
        "early_header_mutation_extensions",
        "http2_protocol_options",
        "http_filters",
        "local_reply_config",
        "merge_slashes",
        "normalize_path",
        "path_with_escaped_slashes_action",
        "request_headers_timeout",
        "stat_prefix",
        "stream_idle_timeout",
        "tracing",
        "use_remote_address",
    }
)
ROUTED_BY = {Kind.EDGE: "rds", Kind.SIDECAR: "route_config"}
DISCOVERED = {"config_source": OVER_ADS, "route_config_name": "edge"}

STRIPPED = ("x-hemline-", "x-envoy-")
MUTATION = f"{xds_types.EXTENSIONS}http.early_header_mutation.header_mutation.v3.HeaderMutation"


def problems(facts: Facts, node: Node, name: str, manager: Plain) -> Iterator[str]:
    where = f"listener {name}"
    yield from unknown_fields(where, manager, FIELDS | {ROUTED_BY[node.kind]})
    for problem in filters.problems(facts, node, manager.get("http_filters", [])):
        yield f"{where}: {problem}"
    for problem in tracing.problems(facts, node, manager.get("tracing")):
        yield f"{where}: {problem}"
    for problem in replies.problems(manager.get("local_reply_config", {})):
        yield f"{where}: {problem}"
    yield from _hardening(node, where, manager)
    if node.kind is Kind.EDGE and manager.get("rds") != DISCOVERED:
        yield f"{where} has routes that come by no discovery over ADS"
    if node.kind is Kind.SIDECAR and manager.get("route_config") != _to_app(facts.region):
        yield f"{where} leads elsewhere than to its service, or otherwise"


def _hardening(node: Node, where: str, manager: Plain) -> Iterator[str]:
    extensions = manager.get("early_header_mutation_extensions", [])
    removed = [{"remove_on_match": {"key_matcher": {"prefix": prefix}}} for prefix in STRIPPED]
    configs = [one.get("typed_config") for one in extensions]
    if configs != [{"@type": MUTATION, "mutations": removed}]:
        yield f"{where}: headers of ours that a client sends are not dropped"
    escaped = manager.get("path_with_escaped_slashes_action")
    normal = manager.get("normalize_path") and manager.get("merge_slashes")
    if not normal or escaped != "REJECT_REQUEST":
        yield f"{where}: a path may be spelled in several ways"
    if manager.get("use_remote_address", False) is not (node.kind is Kind.EDGE):
        yield f"{where}: a client's address is what it says, or is lost"
    if manager.get("http2_protocol_options", {}).keys() != {"max_concurrent_streams"}:
        yield f"{where}: HTTP/2 is told something else than how many streams there may be"


def _to_app(region: str) -> Plain:
    """A sidecar's routes: every call goes to its service, and every answer says where it is."""
    action = {
        "cluster": "app",
        "timeout": "0s",
        "max_stream_duration": {"grpc_timeout_header_max": "0s"},
    }
    served_by = {
        "header": {"key": "x-hemline-served-by", "value": region},
        "append_action": replies.REPLACES,
    }
    host = {
        "name": "inbound",
        "domains": ["*"],
        "routes": [{"match": {"prefix": "/"}, "route": action}],
        "response_headers_to_add": [served_by],
        "response_headers_to_remove": ["x-hemline-mesh-error"],
    }
    return {"name": "inbound", "virtual_hosts": [host], "validate_clusters": True}
