"""The files of a lab: topology, endpoints, certificates, keys, bootstraps."""

import datetime as dt
import json
from pathlib import Path
from typing import Any

import yaml

from proofs.lab.plan import SERVICE, TOPOLOGY, Plan, RegionPlan
from proofs.lab.tokens import Tokens
from services.router import certificate_files, renewal
from services.router.authority import Authority
from services.router.bootstrap import bootstrap


def write(plan: Plan, folder: Path, tokens: Tokens) -> None:
    """Writes all of them into ``folder``."""
    (folder / "topology.yaml").write_text(yaml.safe_dump(_topology(plan), sort_keys=False))
    authorities = {
        name: Authority.create(name, dt.datetime.now(dt.UTC))
        for name in plan.topology.jurisdictions
    }
    for jurisdiction in plan.topology.jurisdictions:
        (folder / f"keys-{jurisdiction}.json").write_text(json.dumps(tokens.keys(jurisdiction)))
    for region in plan.regions.values():
        own = folder / region.name
        own.mkdir()
        (own / "endpoints.yaml").write_text(yaml.safe_dump(_endpoints(plan, region.name)))
        _certificates(plan, region.name, own / "certificates", authorities)
        _bootstraps(plan, region, own)


def _topology(plan: Plan) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(TOPOLOGY.read_text("utf-8"))
    for name, region in plan.regions.items():
        document["regions"][name]["endpoint"] = f"http://{region.edge}"
    return document


def _endpoints(plan: Plan, asker: str) -> dict[str, Any]:
    """As the routers of ``asker`` see the world."""
    made: dict[str, Any] = {}
    for name, region in plan.regions.items():
        services: dict[str, list[dict[str, str]]] = {}
        for host in region.all_hosts:
            seen = plan.seen_from(asker, name, host.sidecar)
            services.setdefault(host.service, []).append({"sidecar": seen, "app": host.app})
        made[name] = {"edge": {"listen": region.edge}, "services": services}
    return {"regions": made}


def _certificates(plan: Plan, name: str, folder: Path, authorities: dict[str, Authority]) -> None:
    region, now = plan.topology.regions[name], dt.datetime.now(dt.UTC)
    services = (SERVICE, *(host.service for host in plan.regions[name].others))
    names = [*certificate_files.required(services), *(f"client-{one}" for one in services)]
    bundles = {one: authority.certificate_pem for one, authority in authorities.items()}
    renewal.establish(folder, region, names, authorities[region.jurisdiction], bundles, now)


def _bootstraps(plan: Plan, region: RegionPlan, folder: Path) -> None:
    proxies = {f"edge/{region.name}/1": region.edge_admin}
    proxies |= {host.node: host.admin for host in region.all_hosts}
    for node, admin in proxies.items():
        certificates, found = folder / "certificates", plan.topology.regions[region.name]
        made = bootstrap(node, list(region.ads), admin, certificates, found)
        bootstrap_file(folder, node).write_text(json.dumps(made))


def bootstrap_file(folder: Path, node: str) -> Path:
    return folder / f"{node.replace('/', '-')}.json"
