"""Delta xDS: only what changed, by name. A proxy that comes back says what it holds already."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from envoy.service.discovery.v3 import discovery_pb2 as pb

from services.router import xds_types
from services.router.snapshot import Resource, combined
from services.router.stream import WILDCARD, Stream, Subscription

ABSENT = ""


@dataclass(slots=True)
class _Subscription(Subscription):
    known: dict[str, str] = field(default_factory=dict)
    """Version of each resource that the proxy holds, ABSENT if it was told that there is none."""

    def subscribe(self, names: Iterable[str], *, first: bool) -> None:
        for name in names:
            if name == WILDCARD:
                self.wildcard = True
                continue
            self.names.add(name)
            if not first:
                # Asked for again: a cluster that is warmed anew waits for its endpoints.
                self.known.pop(name, None)

    def unsubscribe(self, names: Iterable[str]) -> None:
        for name in names:
            if name == WILDCARD:
                self.wildcard = False
            self.names.discard(name)
        self.known = {name: kept for name, kept in self.known.items() if self.wants(name)}


class DeltaStream(Stream[_Subscription]):
    def receive(self, request: Any) -> None:
        first = request.type_url not in self._subscriptions
        subscription = self._subscriptions.setdefault(request.type_url, _Subscription())
        if first:
            subscription.known = dict(request.initial_resource_versions)
            nothing_named = not request.resource_names_subscribe
            subscription.wildcard = nothing_named and request.type_url in xds_types.FULL_STATE
        self._judge(subscription, request)
        subscription.subscribe(request.resource_names_subscribe, first=first)
        subscription.unsubscribe(request.resource_names_unsubscribe)

    def _change(self, type_url: str, offered: Mapping[str, Resource]) -> Any | None:
        subscription = self._subscriptions.get(type_url)
        if subscription is None:
            return None
        changed = {
            name: found
            for name, found in subscription.wanted(offered).items()
            if subscription.known.get(name) != found.version
        }
        if not changed:
            return None
        subscription.known |= {name: found.version for name, found in changed.items()}
        return self._response(type_url, subscription, offered, changed.values(), [])

    def _removal(self, type_url: str, offered: Mapping[str, Resource]) -> Any | None:
        subscription = self._subscriptions.get(type_url)
        if subscription is None:
            return None
        held = {name for name, version in subscription.known.items() if version != ABSENT}
        never_told = subscription.names - subscription.known.keys()
        gone = sorted((held | never_told) - offered.keys())
        if not gone:
            return None
        for name in gone:
            subscription.known.pop(name, None)
        subscription.known |= dict.fromkeys(subscription.names.intersection(gone), ABSENT)
        return self._response(type_url, subscription, offered, [], gone)

    def _response(
        self,
        type_url: str,
        subscription: _Subscription,
        offered: Mapping[str, Resource],
        changed: Iterable[Resource],
        gone: list[str],
    ) -> Any:
        version = combined(subscription.wanted(offered).values())
        return pb.DeltaDiscoveryResponse(
            type_url=type_url,
            system_version_info=version,
            nonce=self._sent(subscription, version),
            resources=[
                pb.Resource(name=found.name, version=found.version, resource=found.body)
                for found in changed
            ],
            removed_resources=gone,
        )
