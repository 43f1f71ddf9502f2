"""State-of-the-world xDS: everything of a type at once, under one version."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from services.router import xds_types
from services.router.snapshot import Resource, combined
from services.router.stream import WILDCARD, Answer, Stream, Subscription


@dataclass(slots=True)
class _Subscription(Subscription):
    held: dict[str, Resource] = field(default_factory=dict)  # What the last answer left it with.
    claimed: str = ""  # Version that a proxy which came back says it holds.
    told: bool = False  # It has heard of this type on this stream, or needs not.


class SotwStream(Stream[_Subscription]):
    def receive(self, request: Any) -> None:
        first = request.type_url not in self._subscriptions
        subscription = self._subscriptions.setdefault(request.type_url, _Subscription())
        if first:
            subscription.claimed = request.version_info
        elif request.response_nonce not in ("", subscription.nonce):
            return  # Overtaken by an answer under way; the proxy will speak again.
        verdict = subscription.awaiting
        self._judge(subscription, request)
        names, wildcard = set(request.resource_names), subscription.wildcard
        if request.type_url in xds_types.FULL_STATE:
            silent = not names and (first or subscription.wildcard)
            subscription.wildcard = silent or WILDCARD in names
        names.discard(WILDCARD)
        asked_before = (subscription.names, wildcard)
        if not first and not verdict and asked_before == (names, subscription.wildcard):
            # Asked for again: a cluster that is warmed anew waits for its endpoints.
            subscription.held.clear()
        if not first and names - subscription.names and request.type_url in xds_types.FULL_STATE:
            # That a name does not exist is news as well: it is what an answer leaves out.
            subscription.told, subscription.claimed = False, ""
        subscription.names = names
        # What it wants no more it forgets, and must be sent anew should it want it again.
        subscription.held = subscription.wanted(subscription.held)

    def _change(self, type_url: str, offered: Mapping[str, Resource]) -> Answer | None:
        subscription = self._subscriptions.get(type_url)
        if subscription is None:
            return None
        wanted = subscription.wanted(offered)
        if not subscription.told and subscription.claimed == combined(wanted.values()):
            subscription.held = wanted
            subscription.told = True
        # That there is nothing at all is news to a proxy that holds something else.
        news = not subscription.told and type_url in xds_types.FULL_STATE
        held = {name: found.version for name, found in subscription.held.items()}
        subscription.told = True
        if not news and all(found.version == held.get(name) for name, found in wanted.items()):
            return None
        if type_url in xds_types.FULL_STATE:
            # What is to go stays in until nothing refers to it any more.
            held_before = subscription.held
            if type_url == xds_types.CLUSTER and held_before:
                self.warming |= not wanted.keys() <= held_before.keys()
            wanted = held_before | wanted
        return self._response(type_url, subscription, wanted)

    def _removal(self, type_url: str, offered: Mapping[str, Resource]) -> Answer | None:
        subscription = self._subscriptions.get(type_url)
        if subscription is None or type_url not in xds_types.FULL_STATE:
            return None
        wanted = subscription.wanted(offered)
        if wanted.keys() >= subscription.held.keys():
            return None
        return self._response(type_url, subscription, wanted)

    def _response(
        self, type_url: str, subscription: _Subscription, wanted: dict[str, Resource]
    ) -> Answer:
        subscription.held = wanted
        version = combined(wanted.values())
        return Answer(type_url, version, self._sent(subscription, version), tuple(wanted.values()))
