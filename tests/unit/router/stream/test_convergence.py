"""A proxy that answers, asks and comes back in any order ends up with what it is to know."""

from typing import Any

from envoy.service.discovery.v3 import discovery_pb2 as pb
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from services.router import xds_types
from services.router.delta import DeltaStream
from services.router.snapshot import Resource, Snapshot
from services.router.sotw import SotwStream
from services.router.stream import Stream, Verdict
from tests.unit.router.stream.proxies import cluster, hosts

NAMES = ["a", "b", "c"]
POOL = {
    xds_types.CLUSTER: {name: [cluster(name, "1s"), cluster(name, "2s")] for name in NAMES},
    xds_types.ENDPOINTS: {name: [hosts(name), hosts(name, 1)] for name in NAMES},
}
BY_BYTES = {
    one.body.SerializeToString(deterministic=True): one
    for kind in POOL.values()
    for versions in kind.values()
    for one in versions
}

names = st.sampled_from(NAMES)
choices = st.dictionaries(names, st.integers(0, 1))


class Converges(RuleBasedStateMachine):
    """The model of a proxy: clusters by wildcard, endpoints by name."""

    stream: Stream

    def __init__(self) -> None:
        super().__init__()
        self.held: dict[str, dict[str, Resource]] = {xds_types.CLUSTER: {}, xds_types.ENDPOINTS: {}}
        self.wanted: set[str] = set()
        self.verdicts: list[Verdict] = []
        self.snapshot = Snapshot([])

    @initialize()
    def start(self) -> None:
        self.connect()

    @rule(clusters=choices, endpoints=choices)
    def change(self, clusters: dict[str, int], endpoints: dict[str, int]) -> None:
        self.snapshot = Snapshot(
            [
                *(POOL[xds_types.CLUSTER][name][version] for name, version in clusters.items()),
                *(POOL[xds_types.ENDPOINTS][name][version] for name, version in endpoints.items()),
            ]
        )
        self.stream.offer(self.snapshot)

    @rule()
    def step(self) -> None:
        self.take()

    @rule()
    def come_back(self) -> None:
        """The connection breaks; an answer under way is lost."""
        self.connect()

    @rule()
    def settle(self) -> None:
        for _ in range(20):
            if not self.take():
                break
        else:
            raise AssertionError("answers without end")
        assert self.held[xds_types.CLUSTER] == dict(self.snapshot.of(xds_types.CLUSTER))
        offered = self.snapshot.of(xds_types.ENDPOINTS)
        for name in self.wanted & offered.keys():
            assert self.held[xds_types.ENDPOINTS][name] == offered[name]

    def take(self) -> bool:
        answer = self.stream.answer()
        if answer is not None:
            self.apply(answer)
            return True
        warming = self.stream.warming
        self.stream.warmed()
        return warming

    def connect(self) -> None:
        raise NotImplementedError

    def apply(self, answer: Any) -> None:
        raise NotImplementedError


class DeltaConverges(Converges):
    def connect(self) -> None:
        self.stream = DeltaStream(self.verdicts.append)
        self.stream.offer(self.snapshot)
        for kind, asked in ((xds_types.CLUSTER, []), (xds_types.ENDPOINTS, sorted(self.wanted))):
            versions = {name: one.version for name, one in self.held[kind].items()}
            self.ask(kind, resource_names_subscribe=asked, initial_resource_versions=versions)

    @rule(name=names)
    def want(self, name: str) -> None:
        self.wanted.add(name)
        self.ask(xds_types.ENDPOINTS, resource_names_subscribe=[name])

    @rule(name=names)
    def drop(self, name: str) -> None:
        self.wanted.discard(name)
        self.held[xds_types.ENDPOINTS].pop(name, None)
        self.ask(xds_types.ENDPOINTS, resource_names_unsubscribe=[name])

    def ask(self, kind: str, **fields: Any) -> None:
        self.stream.receive(pb.DeltaDiscoveryRequest(type_url=kind, **fields))

    def apply(self, answer: Any) -> None:
        held = self.held[answer.type_url]
        for found in answer.resources:
            known = BY_BYTES[found.body.SerializeToString(deterministic=True)]
            assert (found.name, found.version) == (known.name, known.version)
            held[found.name] = known
        for name in answer.removed:
            held.pop(name, None)
        self.ask(answer.type_url, response_nonce=answer.nonce)


class SotwConverges(Converges):
    def connect(self) -> None:
        self.stream = SotwStream(self.verdicts.append)
        self.stream.offer(self.snapshot)
        self.nonces = {xds_types.CLUSTER: "", xds_types.ENDPOINTS: ""}
        for kind in self.nonces:
            self.ask(kind)

    @initialize()
    def forget(self) -> None:
        self.versions = {xds_types.CLUSTER: "", xds_types.ENDPOINTS: ""}

    @rule(name=names)
    def want(self, name: str) -> None:
        self.wanted.add(name)
        self.ask(xds_types.ENDPOINTS)

    @rule(name=names)
    def drop(self, name: str) -> None:
        self.wanted.discard(name)
        self.held[xds_types.ENDPOINTS].pop(name, None)
        self.ask(xds_types.ENDPOINTS)

    @rule()
    def renew(self) -> None:
        self.ask(xds_types.ENDPOINTS)

    def ask(self, kind: str) -> None:
        asked = sorted(self.wanted) if kind == xds_types.ENDPOINTS else []
        self.stream.receive(
            pb.DiscoveryRequest(
                type_url=kind,
                resource_names=asked,
                version_info=getattr(self, "versions", {}).get(kind, ""),
                response_nonce=self.nonces[kind],
            )
        )

    def apply(self, answer: Any) -> None:
        kind = answer.type_url
        found = [
            BY_BYTES[one.body.SerializeToString(deterministic=True)] for one in answer.resources
        ]
        if kind in xds_types.FULL_STATE:
            self.held[kind] = {}
        self.held[kind] |= {
            one.name: one for one in found if kind != xds_types.ENDPOINTS or one.name in self.wanted
        }
        self.versions[kind], self.nonces[kind] = answer.version, answer.nonce
        self.ask(kind)


LIMITS = settings(max_examples=60, stateful_step_count=30, deadline=None)

TestDelta = DeltaConverges.TestCase
TestDelta.settings = LIMITS
TestSotw = SotwConverges.TestCase
TestSotw.settings = LIMITS
