"""Whether the running Envoys hold the certificates that lie in the folders."""

import base64
import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from deploy.local import certificates
from deploy.local.places import Places
from services.chassis.topology import Topology
from services.router import certificate_files

ANSWER_SECONDS = 2.0
SECRETS = "config_dump?resource=dynamic_active_secrets"
"""Envoy leaves the keys out of it."""


def behind(places: Places, topology: Topology) -> list[str]:
    """Names the Envoys that hold something else, or do not answer.

    Those that do not run are fine: they read the folders when they start.
    """
    found = []
    for region in topology.regions:
        folder = certificates.folder(places, region)
        bundles = {
            certificate_files.bundle(folder, name).read_text("utf-8")
            for name in topology.jurisdictions
        }
        for bootstrap in sorted(places.region(region).glob("*.json")):
            document = json.loads(bootstrap.read_text("utf-8"))
            if "admin" not in document:
                continue  # Not an Envoy's.
            chain = _chain(folder, document["node"]["id"]).read_text("utf-8")
            if not _holds(document, chain, bundles):
                found.append(f"{region}/{bootstrap.stem}")
    return found


def _chain(folder: Path, node: str) -> Path:
    kind, _, *service = node.split("/")[:-1]
    return certificate_files.chain(folder, "-".join((kind, *service)))


def _holds(bootstrap: dict[str, Any], chain: str, bundles: set[str]) -> bool:
    """Whether the Envoy shows ``chain`` and nothing else, and trusts none but ``bundles``."""
    port = bootstrap["admin"]["address"]["socket_address"]["port_value"]
    url = f"http://127.0.0.1:{port}/{SECRETS}"
    try:
        with urllib.request.urlopen(url, timeout=ANSWER_SECONDS) as answer:
            secrets = [one["secret"] for one in json.load(answer).get("configs", ())]
    except urllib.error.URLError as error:
        return isinstance(error.reason, ConnectionRefusedError)
    except (OSError, ValueError):
        return False
    shown = {text for secret in secrets for text in _texts(secret.get("tls_certificate"))}
    trusted = {text for secret in secrets for text in _texts(secret.get("validation_context"))}
    return shown == {chain} and trusted <= bundles


def _texts(value: Any) -> Iterator[str]:
    """Every PEM in it, wherever Envoy has put it. A key is none: it is left out."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if name == "inline_bytes":
                yield from _texts({"inline_string": base64.b64decode(inner).decode()})
            elif name == "inline_string" and inner.startswith("-----BEGIN CERTIFICATE"):
                yield inner
            else:
                yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
