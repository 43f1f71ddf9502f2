"""The xDS protocol of one stream, without any network: requests and snapshots in, answers out.

At most one answer of a type is unanswered, and nothing of a later type in `xds_types.ORDER` is sent
meanwhile: Envoy has a cluster before it is told to route there. Resources are taken away last, when
nothing refers to them any more.

A cluster that is new to a running Envoy needs endpoints, and each has to be checked once. Until
then Envoy says nothing on the answer with the cluster, so that endpoints are sent meanwhile: else
both would wait for each other. A route that leads there too early answers 503: what may refer to
new clusters waits until `warmed`, for proxies that speak sooner.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from services.router import xds_types
from services.router.snapshot import Resource, Snapshot

WILDCARD = "*"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a proxy says of an answer."""

    type_url: str
    version: str
    error: str | None  # Why it was refused. None if it was accepted.


OnVerdict = Callable[[Verdict], None]


@dataclass(frozen=True, slots=True)
class Answer:
    """What is to be sent."""

    type_url: str
    version: str  # Of all that the proxy holds of the type once it has accepted this.
    nonce: str
    resources: tuple[Resource, ...]
    removed: tuple[str, ...] = ()  # Names; the state-of-the-world dialect leaves them out instead.


@dataclass(slots=True)
class Subscription:
    """What a proxy wants of one type."""

    names: set[str] = field(default_factory=set)
    wildcard: bool = False
    nonce: str = ""  # Of the last answer.
    version: str = ""  # Of the last answer.
    awaiting: bool = False  # That answer is neither accepted nor refused yet.
    refused: bool = False  # The last answer on which the proxy has spoken.

    @property
    def lacking(self) -> bool:
        """Whether the proxy stays without something because it refused it."""
        return self.refused

    def wants(self, name: str) -> bool:
        return self.wildcard or name in self.names

    def wanted(self, offered: Mapping[str, Resource]) -> dict[str, Resource]:
        return {name: found for name, found in offered.items() if self.wants(name)}


AnySubscription = TypeVar("AnySubscription", bound=Subscription)


class Stream(ABC, Generic[AnySubscription]):
    """One stream of one proxy. `delta` and `sotw` fill in the two dialects."""

    def __init__(self, on_verdict: OnVerdict) -> None:
        self._snapshot: Snapshot | None = None
        self._on_verdict = on_verdict
        self._answers = 0
        self._subscriptions: dict[str, AnySubscription] = {}  # By type.
        self.warming = False  # Clusters were sent that a running proxy did not know.

    def warmed(self) -> None:
        """Says that clusters which were sent have had the time to become usable."""
        self.warming = False

    @property
    def settled(self) -> bool:
        """Whether the proxy has spoken on everything that it was sent."""
        return not any(one.awaiting for one in self._subscriptions.values())

    @property
    def in_sync(self) -> bool:
        """Whether it has accepted everything, and nothing has to wait."""
        lacking = any(one.lacking for one in self._subscriptions.values())
        return self.settled and not lacking and not self.warming

    def offer(self, snapshot: Snapshot | None) -> None:
        """Sets what the proxy is to know. None: nothing is known yet, and nothing is sent."""
        self._snapshot = snapshot

    @abstractmethod
    def receive(self, request: Any) -> None:
        """Takes in a request of the proxy."""

    def answer(self) -> Answer | None:
        """Returns what is to be sent now, or None until something changes."""
        if self._snapshot is None:
            return None
        for type_url in xds_types.ORDER:
            if not self._awaiting(type_url):
                answer = self._change(type_url, self._snapshot.of(type_url))
                if answer is not None:
                    return answer
            if self._holds_up(type_url):
                return None
        for type_url in xds_types.ORDER[::-1]:
            answer = self._removal(type_url, self._snapshot.of(type_url))
            if answer is not None:
                return answer
        return None

    def _holds_up(self, type_url: str) -> bool:
        """Whether the types after this one, and removals, have to wait."""
        if type_url == xds_types.CLUSTER:
            return False  # Its endpoints come next.
        if type_url == xds_types.ENDPOINTS:
            return self._awaiting(xds_types.CLUSTER) or self._awaiting(type_url)
        # What comes after extensions refers to clusters.
        return self._awaiting(type_url) or (self.warming and type_url == xds_types.EXTENSION)

    @abstractmethod
    def _change(self, type_url: str, offered: Mapping[str, Resource]) -> Answer | None:
        """An answer with what is new or different, if anything is."""

    @abstractmethod
    def _removal(self, type_url: str, offered: Mapping[str, Resource]) -> Answer | None:
        """An answer that takes away what is gone, if anything is."""

    def _awaiting(self, type_url: str) -> bool:
        subscription = self._subscriptions.get(type_url)
        return subscription is not None and subscription.awaiting

    def _judge(self, subscription: Subscription, request: Any) -> None:
        """Takes in the ACK or NACK that ``request`` may be."""
        if not subscription.awaiting or request.response_nonce != subscription.nonce:
            return
        subscription.awaiting = False
        error = request.error_detail.message if request.HasField("error_detail") else None
        subscription.refused = error is not None
        if error is not None:
            self._refused(request.type_url)
        self._on_verdict(Verdict(request.type_url, subscription.version, error))

    def _refused(self, type_url: str) -> None:
        """Notes that the proxy stays with what it had before the last answer."""

    def _sent(self, subscription: Subscription, version: str) -> str:
        """Notes an answer. Returns its nonce."""
        self._answers += 1
        subscription.nonce = str(self._answers)
        subscription.version = version
        subscription.awaiting = True
        return subscription.nonce
