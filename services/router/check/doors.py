"""TLS of a sidecar's door, and the secrets of every proxy: whom it believes, and of what."""

from collections.abc import Iterator

from services.chassis.topology import ForeignEdges
from services.router import spiffe, xds_types
from services.router.check.plain import Plain
from services.router.nodes import Kind, Node
from services.router.snapshot import Snapshot
from services.router.translate.facts import Facts

OVER_ADS = {"ads": {}, "resource_api_version": "V3"}
TLS = f"{xds_types.EXTENSIONS}transport_sockets.tls.v3."
MODERN = {
    "tls_minimum_protocol_version": "TLSv1_3",
    "tls_maximum_protocol_version": "TLSv1_3",
}


def problems(facts: Facts, node: Node, snapshot: Snapshot) -> Iterator[str]:
    if node.kind is Kind.SIDECAR:
        for name, found in snapshot.of(xds_types.LISTENER).items():
            for chain in found.plain.get("filter_chains", ()):
                if not _is_door(chain.get("transport_socket", {})):
                    yield f"listener {name} lets callers in without a certificate that is verified"
    yield from _secrets(facts, node, snapshot)


def is_socket(socket: Plain, message: str, **fields: object) -> bool:
    """Whether it is TLS 1.3 with this proxy's own certificate, these fields, and no others."""
    config = socket.get("typed_config", {})
    common = config.get("common_tls_context", {})
    wanted = {
        "tls_params": MODERN,
        "alpn_protocols": ["h2"],
        "tls_certificate_sds_secret_configs": [{"name": "identity", "sds_config": OVER_ADS}],
    }
    given = {**config, **common}
    given.pop("common_tls_context", None)
    return socket.get("name") == "envoy.transport_sockets.tls" and given == {
        "@type": f"{TLS}{message}",
        **wanted,
        **fields,
    }


def _is_door(socket: Plain) -> bool:
    trusted = {"name": "trust/callers", "sds_config": OVER_ADS}
    return is_socket(
        socket,
        "DownstreamTlsContext",
        validation_context_sds_secret_config=trusted,
        require_client_certificate=True,
    )


def _secrets(facts: Facts, node: Node, snapshot: Snapshot) -> Iterator[str]:
    """Each authority is believed of its own trust domain alone, and only where that is wanted."""
    for name, found in snapshot.of(xds_types.SECRET).items():
        body = found.plain
        if name == "identity":
            if not _is_own(facts, node, body):
                yield "the proxy's certificate is not its own"
        elif body.get("validation_context", {}) != _trust(facts, _believed(facts, name)):
            yield f"secret {name} trusts others than it should"


def _believed(facts: Facts, name: str) -> tuple[str, ...]:
    if name != "trust/callers":
        return (name.removeprefix("trust/"),)
    own = facts.jurisdiction
    if own.foreign_edges is not ForeignEdges.FORWARD:
        return (own.name,)
    return (own.name, *sorted(facts.certificates.bundles.keys() - {own.name}))


def _is_own(facts: Facts, node: Node, body: Plain) -> bool:
    leaf = facts.certificates.leaves.get(spiffe.of_node(node, facts.topology.regions[node.region]))
    certificate = body.get("tls_certificate", {})
    return leaf is not None and certificate == {
        "certificate_chain": {"inline_string": leaf.chain.decode()},
        "private_key": {"inline_string": leaf.key.decode()},
    }


def _trust(facts: Facts, jurisdictions: tuple[str, ...]) -> Plain:
    bundles = facts.certificates.bundles
    domains = [
        {
            "name": spiffe.trust_domain(name),
            "trust_bundle": {"inline_string": bundles[name].decode()},
        }
        for name in jurisdictions
        if name in bundles
    ]
    config = {"@type": f"{TLS}SPIFFECertValidatorConfig", "trust_domains": domains}
    validator = {"name": "envoy.tls.cert_validator.spiffe", "typed_config": config}
    return {"custom_validator_config": validator}
