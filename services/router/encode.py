"""Answers as bytes, made once for all proxies that are sent the same."""

from collections import OrderedDict
from typing import Any

from envoy.service.discovery.v3 import discovery_pb2 as pb

from services.router.stream import Answer

REMEMBERED = 128
"""Answers. The largest holds an edge's clusters, some 100 KB."""


class Encoder:
    """Serializes answers of both dialects."""

    def __init__(self) -> None:
        self._made: OrderedDict[object, bytes] = OrderedDict()  # The one used last is last.

    def delta(self, answer: Answer) -> bytes:
        """A `DeltaDiscoveryResponse`."""
        return self._encoded(answer, pb.DeltaDiscoveryResponse)

    def sotw(self, answer: Answer) -> bytes:
        """A `DiscoveryResponse`."""
        return self._encoded(answer, pb.DiscoveryResponse)

    def _encoded(self, answer: Answer, message: Any) -> bytes:
        sent = tuple((found.name, found.version) for found in answer.resources)
        key = (message, answer.type_url, answer.version, sent, answer.removed)
        made = self._made.pop(key, None)
        if made is None:
            make = _delta if message is pb.DeltaDiscoveryResponse else _sotw
            made = make(answer).SerializeToString()
        self._made[key] = made
        if len(self._made) > REMEMBERED:
            self._made.popitem(last=False)
        # Protobuf reads two messages, one after the other, as one.
        nonce: bytes = message(nonce=answer.nonce).SerializeToString()
        return made + nonce


def _delta(answer: Answer) -> Any:
    return pb.DeltaDiscoveryResponse(
        type_url=answer.type_url,
        system_version_info=answer.version,
        resources=[
            pb.Resource(name=found.name, version=found.version, resource=found.body)
            for found in answer.resources
        ],
        removed_resources=answer.removed,
    )


def _sotw(answer: Answer) -> Any:
    return pb.DiscoveryResponse(
        type_url=answer.type_url,
        version_info=answer.version,
        resources=[found.body for found in answer.resources],
    )
