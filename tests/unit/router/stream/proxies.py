"""Proxies that speak one of the two dialects of xDS, and resources to offer them."""

from typing import Any

import pytest
from envoy.service.discovery.v3 import discovery_pb2 as pb

from services.router import xds_types
from services.router.delta import DeltaStream
from services.router.snapshot import Resource, Snapshot, resource
from services.router.sotw import SotwStream
from services.router.stream import Verdict


def cluster(name: str, timeout: str = "1s") -> Resource:
    return resource(xds_types.CLUSTER, {"name": name, "connect_timeout": timeout})


def hosts(name: str, priority: int = 0) -> Resource:
    body = {"cluster_name": name, "endpoints": [{"priority": priority}]}
    return resource(xds_types.ENDPOINTS, body)


def routes(name: str, *hosts: str) -> Resource:
    virtual = [{"name": host, "domains": [host]} for host in hosts]
    return resource(xds_types.ROUTES, {"name": name, "virtual_hosts": virtual})


class Delta:
    """A proxy that speaks delta xDS."""

    def __init__(self, *offered: Resource) -> None:
        self.verdicts: list[Verdict] = []
        self.stream = DeltaStream(self.verdicts.append)
        self.offer(*offered)

    def offer(self, *offered: Resource) -> None:
        self.stream.offer(Snapshot(offered))

    def ask(self, kind: str, *names: str, drop: tuple[str, ...] = (), **held: str) -> None:
        self.stream.receive(
            pb.DeltaDiscoveryRequest(
                type_url=kind,
                resource_names_subscribe=names,
                resource_names_unsubscribe=drop,
                initial_resource_versions=held,
            )
        )

    def judge(self, answer: Any, error: str | None = None) -> None:
        request = pb.DeltaDiscoveryRequest(type_url=answer.type_url, response_nonce=answer.nonce)
        if error is not None:
            request.error_detail.message = error
        self.stream.receive(request)

    def settle(self) -> list[Any]:
        """Takes and accepts answers until none is left, with time for clusters to warm."""
        taken = []
        while (answer := self.stream.answer()) is not None or self.stream.warming:
            if answer is None:
                self.stream.warmed()
                continue
            self.judge(answer)
            taken.append(answer)
        return taken


class Sotw(Delta):
    """A proxy that speaks the state-of-the-world dialect."""

    def __init__(self, *offered: Resource) -> None:
        super().__init__()
        self.stream = SotwStream(self.verdicts.append)  # type: ignore[assignment]
        self.names: dict[str, tuple[str, ...]] = {}
        self.last: dict[str, Any] = {}
        self.offer(*offered)

    def ask(self, kind: str, *names: str, drop: tuple[str, ...] = (), **held: str) -> None:
        del drop
        self.names[kind] = names
        last = self.last.get(kind)
        self.stream.receive(
            pb.DiscoveryRequest(
                type_url=kind,
                resource_names=names,
                version_info=held.get("version", ""),
                response_nonce=last.nonce if last else "",
            )
        )

    def judge(self, answer: Any, error: str | None = None) -> None:
        self.last[answer.type_url] = answer
        request = pb.DiscoveryRequest(
            type_url=answer.type_url,
            response_nonce=answer.nonce,
            version_info=answer.version,
            resource_names=self.names[answer.type_url],
        )
        if error is not None:
            request.error_detail.message = error
        self.stream.receive(request)


def changed(answer: Any) -> list[str]:
    return [found.name for found in answer.resources]


def held(answer: Any) -> int:
    return len(answer.resources)


both = pytest.mark.parametrize("proxy", [Delta, Sotw])
