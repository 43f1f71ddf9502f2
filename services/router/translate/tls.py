"""mTLS between proxies: what each proves itself with, whom it trusts, whom it expects.

Trust is by trust domain: what a jurisdiction's authority has signed is believed of that
jurisdiction's SPIFFE ids alone, also where two authorities are trusted side by side.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from services.router import spiffe, xds_types
from services.router.snapshot import Resource, resource
from services.router.translate.facts import Facts, forwarded
from services.router.translate.listener import OVER_ADS

IDENTITY = "identity"
CALLERS = "trust/callers"
"""Whom a sidecar believes at its door: its own jurisdiction, and those that may forward to it."""

_TLS = f"{xds_types.EXTENSIONS}transport_sockets.tls.v3."
_SOCKET = "envoy.transport_sockets.tls"
_VALIDATOR = "envoy.tls.cert_validator.spiffe"


def identity(facts: Facts, spiffe_id: str) -> Resource:
    """The proxy's own certificate and key. Raises ValueError if there is none."""
    leaf = facts.certificates.leaves.get(spiffe_id)
    if leaf is None:
        raise ValueError(f"There is no certificate of {spiffe_id}.")
    certificate = {
        "certificate_chain": {"inline_string": leaf.chain.decode()},
        "private_key": {"inline_string": leaf.key.decode()},
    }
    return resource(xds_types.SECRET, {"name": IDENTITY, "tls_certificate": certificate})


def trusts(facts: Facts, jurisdictions: Iterable[str]) -> Iterator[Resource]:
    """A secret for each of these: its authorities, believed of its own trust domain."""
    for name in sorted(set(jurisdictions)):
        yield _trust(facts, trust_name(name), (name,))


def trust_of_callers(facts: Facts) -> Resource:
    return _trust(facts, CALLERS, calling_jurisdictions(facts))


def trust_name(jurisdiction: str) -> str:
    return f"trust/{jurisdiction}"


def calling_jurisdictions(facts: Facts) -> tuple[str, ...]:
    """Those whose edges may come to a sidecar of this region: its own first."""
    own = facts.jurisdiction
    if not forwarded(own):
        return (own.name,)
    others = (name for name in sorted(facts.topology.jurisdictions) if name != own.name)
    return (own.name, *(name for name in others if name in facts.certificates.bundles))


def upstream(facts: Facts, service: str, home: str) -> dict[str, Any]:
    """`transport_socket` towards the sidecars of ``service`` in the jurisdiction of ``home``."""
    jurisdiction = facts.topology.jurisdiction_of(home)
    regions = (facts.topology.regions[name] for name in jurisdiction.regions)
    sans = [
        {"san_type": "URI", "matcher": {"exact": spiffe.sidecar(region, service)}}
        for region in regions
    ]
    validation = {
        "default_validation_context": {"match_typed_subject_alt_names": sans},
        "validation_context_sds_secret_config": _secret(trust_name(jurisdiction.name)),
    }
    common = {**_common(), "combined_validation_context": validation}
    return _socket("UpstreamTlsContext", common_tls_context=common)


def downstream() -> dict[str, Any]:
    """`transport_socket` of a sidecar's door: who has no certificate does not come in."""
    common = {**_common(), "validation_context_sds_secret_config": _secret(CALLERS)}
    return _socket(
        "DownstreamTlsContext", common_tls_context=common, require_client_certificate=True
    )


def _common() -> dict[str, Any]:
    return {
        # Envoy's own default for upstreams ends at 1.2.
        "tls_params": {
            "tls_minimum_protocol_version": "TLSv1_3",
            "tls_maximum_protocol_version": "TLSv1_3",
        },
        "alpn_protocols": ["h2"],
        "tls_certificate_sds_secret_configs": [_secret(IDENTITY)],
    }


def _trust(facts: Facts, name: str, jurisdictions: tuple[str, ...]) -> Resource:
    domains = []
    for jurisdiction in jurisdictions:
        bundle = facts.certificates.bundles.get(jurisdiction)
        if bundle is None:
            raise ValueError(f"The authorities of {jurisdiction} are not known.")
        trusted = {"inline_string": bundle.decode()}
        domains.append({"name": spiffe.trust_domain(jurisdiction), "trust_bundle": trusted})
    config = {"@type": f"{_TLS}SPIFFECertValidatorConfig", "trust_domains": domains}
    validator = {"name": _VALIDATOR, "typed_config": config}
    body = {"name": name, "validation_context": {"custom_validator_config": validator}}
    return resource(xds_types.SECRET, body)


def _secret(name: str) -> dict[str, Any]:
    return {"name": name, "sds_config": OVER_ADS}


def _socket(message: str, **fields: Any) -> dict[str, Any]:
    return {"name": _SOCKET, "typed_config": {"@type": f"{_TLS}{message}", **fields}}
