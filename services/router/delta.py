"""Delta xDS: only what changed, by name. A proxy that comes back says what it holds already.

A proxy that refuses one resource of an answer refuses the whole of it, and does not say which it
was. Each is then sent once more by itself: what is good arrives, and what is refused alone is not
sent again until it is another.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from services.router import xds_types
from services.router.snapshot import Resource, combined
from services.router.stream import WILDCARD, Answer, Stream, Subscription

ABSENT = ""


@dataclass(slots=True)
class _Subscription(Subscription):
    known: dict[str, str] = field(default_factory=dict)
    """Version of each resource that the proxy holds, ABSENT if it was told that there is none."""
    under_way: dict[str, str | None] = field(default_factory=dict)
    """Of the last answer: what was known before of each resource in it."""
    alone: set[str] = field(default_factory=set)  # Refused with others: to be sent by themselves.
    bad: dict[str, str] = field(default_factory=dict)  # Version of each that was refused alone.

    @property
    def lacking(self) -> bool:
        return bool(self.bad or self.alone)

    def subscribe(self, names: Iterable[str], *, first: bool) -> None:
        for name in names:
            if name == WILDCARD:
                self.wildcard = True
                continue
            self.names.add(name)
            if not first:
                # Asked for again: a cluster that is warmed anew waits for its endpoints.
                self.known.pop(name, None)
                self.bad.pop(name, None)

    def unsubscribe(self, names: Iterable[str]) -> None:
        for name in names:
            if name == WILDCARD:
                self.wildcard = False
            elif self.wildcard:
                # The proxy cannot know whether the wildcard still covers it: it is told once more.
                self.known.pop(name, None)
            self.names.discard(name)
        self.known = {name: kept for name, kept in self.known.items() if self.wants(name)}

    def send(self, changed: Iterable[Resource]) -> None:
        sent = {found.name: found.version for found in changed}
        self.under_way = {name: self.known.get(name) for name in sent}
        self.known |= sent
        self.alone -= sent.keys()
        for name in sent:
            self.bad.pop(name, None)

    def refuse(self) -> None:
        """Takes back the last answer."""
        sent = {name: self.known.get(name) for name in self.under_way}
        for name, before in self.under_way.items():
            if before is None:
                self.known.pop(name, None)
            else:
                self.known[name] = before
        if len(sent) == 1:
            self.bad |= {name: version for name, version in sent.items() if version}
            self.alone -= sent.keys()
        else:
            self.alone |= sent.keys()
        self.under_way = {}

    def lacks(self, found: Resource) -> bool:
        known, bad = self.known.get(found.name), self.bad.get(found.name)
        return found.version not in (known, bad)


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

    def _refused(self, type_url: str) -> None:
        self._subscriptions[type_url].refuse()

    def _change(self, type_url: str, offered: Mapping[str, Resource]) -> Answer | None:
        subscription = self._subscriptions.get(type_url)
        if subscription is None:
            return None
        wanted = subscription.wanted(offered)
        changed = [found for found in wanted.values() if subscription.lacks(found)]
        together = [found for found in changed if found.name not in subscription.alone]
        changed = together or changed[:1]
        if not changed:
            return None
        if type_url == xds_types.CLUSTER:
            self._clusters_change(subscription, changed)
        subscription.send(changed)
        return self._response(type_url, subscription, wanted, changed, [])

    def _clusters_change(self, subscription: _Subscription, changed: list[Resource]) -> None:
        known = subscription.known
        self.warming |= bool(known) and any(found.name not in known for found in changed)
        for kind in xds_types.REFERRING:
            if kind in self._subscriptions:
                # What was refused for want of a cluster may now be taken.
                self._subscriptions[kind].bad.clear()

    def _removal(self, type_url: str, offered: Mapping[str, Resource]) -> Answer | None:
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
            subscription.bad.pop(name, None)
        subscription.under_way = {}
        subscription.known |= dict.fromkeys(subscription.names.intersection(gone), ABSENT)
        return self._response(type_url, subscription, subscription.wanted(offered), [], gone)

    def _response(
        self,
        type_url: str,
        subscription: _Subscription,
        wanted: Mapping[str, Resource],
        changed: Iterable[Resource],
        gone: list[str],
    ) -> Answer:
        version = combined(wanted.values())
        nonce = self._sent(subscription, version)
        return Answer(type_url, version, nonce, tuple(changed), tuple(gone))
