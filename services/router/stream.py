"""The xDS protocol of one stream, without any network: requests and snapshots in, answers out.

At most one answer of a type is unanswered, and nothing of a later type in `xds_types.ORDER` is sent
meanwhile: Envoy has a cluster before it is told to route there. Resources are taken away last, when
nothing refers to them any more.
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


@dataclass(slots=True)
class Subscription:
    """What a proxy wants of one type."""

    names: set[str] = field(default_factory=set)
    wildcard: bool = False
    nonce: str = ""  # Of the last answer.
    version: str = ""  # Of the last answer.
    awaiting: bool = False  # That answer is neither accepted nor refused yet.

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

    def offer(self, snapshot: Snapshot | None) -> None:
        """Sets what the proxy is to know. None: nothing is known yet, and nothing is sent."""
        self._snapshot = snapshot

    @abstractmethod
    def receive(self, request: Any) -> None:
        """Takes in a request of the proxy."""

    def answer(self) -> Any | None:
        """Returns what is to be sent now, or None until something changes."""
        if self._snapshot is None:
            return None
        for order, make in (
            (xds_types.ORDER, self._change),
            (xds_types.ORDER[::-1], self._removal),
        ):
            for type_url in order:
                if self._awaiting(type_url):
                    return None
                answer = make(type_url, self._snapshot.of(type_url))
                if answer is not None:
                    return answer
        return None

    @abstractmethod
    def _change(self, type_url: str, offered: Mapping[str, Resource]) -> Any | None:
        """An answer with what is new or different, if anything is."""

    @abstractmethod
    def _removal(self, type_url: str, offered: Mapping[str, Resource]) -> Any | None:
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
        self._on_verdict(Verdict(request.type_url, subscription.version, error))

    def _sent(self, subscription: Subscription, version: str) -> str:
        """Notes an answer. Returns its nonce."""
        self._answers += 1
        subscription.nonce = str(self._answers)
        subscription.version = version
        subscription.awaiting = True
        return subscription.nonce
