"""The xDS protocol, request by request, in both dialects."""

from typing import Any

import pytest
from envoy.service.discovery.v3 import discovery_pb2 as pb

from services.router import xds_types
from services.router.delta import DeltaStream
from services.router.snapshot import Resource, Snapshot, resource
from services.router.sotw import SotwStream
from services.router.stream import Verdict
from services.router.translate.clusters import fail_closed


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


@both
def test_says_nothing_before_there_is_a_snapshot(proxy: type[Delta]) -> None:
    asking = proxy()
    asking.stream.offer(None)
    asking.ask(xds_types.CLUSTER)
    assert asking.settle() == []
    asking.offer(cluster("a"))
    assert len(asking.settle()) == 1


@both
def test_sends_each_version_once(proxy: type[Delta]) -> None:
    asking = proxy(cluster("a"))
    asking.ask(xds_types.CLUSTER)
    assert len(asking.settle()) == 1
    asking.offer(cluster("a"))
    assert asking.settle() == []
    asking.offer(cluster("a", "2s"))
    assert len(asking.settle()) == 1
    assert [verdict.error for verdict in asking.verdicts] == [None, None]


@both
def test_what_was_refused_is_sent_again_only_when_it_has_changed(proxy: type[Delta]) -> None:
    asking = proxy(cluster("a"))
    asking.ask(xds_types.CLUSTER)
    answer = asking.stream.answer()
    asking.judge(answer, error="no such thing")
    assert asking.verdicts[-1].error == "no such thing"
    assert asking.settle() == []
    asking.offer(cluster("a", "2s"))
    assert len(asking.settle()) == 1


@both
def test_waits_for_a_verdict_before_it_goes_on(proxy: type[Delta]) -> None:
    asking = proxy(cluster("a"), routes("edge", "x"))
    asking.ask(xds_types.ROUTES, "edge")
    asking.ask(xds_types.CLUSTER)
    first = asking.stream.answer()
    assert first.type_url == xds_types.CLUSTER
    assert asking.stream.answer() is None
    asking.offer(cluster("a", "2s"), routes("edge", "x"))
    assert asking.stream.answer() is None
    asking.judge(first)
    assert [one.type_url for one in asking.settle()] == [xds_types.CLUSTER, xds_types.ROUTES]


@both
def test_makes_before_it_breaks(proxy: type[Delta]) -> None:
    asking = proxy(cluster("old"), routes("edge", "old"))
    asking.ask(xds_types.CLUSTER)
    asking.ask(xds_types.ROUTES, "edge")
    asking.settle()
    asking.offer(cluster("new"), routes("edge", "new"))
    order = [one.type_url for one in asking.settle()]
    assert order == [xds_types.CLUSTER, xds_types.ROUTES, xds_types.CLUSTER]


@both
def test_endpoints_do_not_wait_for_the_word_on_their_cluster(proxy: type[Delta]) -> None:
    """Envoy gives it when the cluster is warm, for which it needs them."""
    asking = proxy(cluster("a"), hosts("a"), routes("r", "a"))
    for kind, name in (
        (xds_types.CLUSTER, "*"),
        (xds_types.ENDPOINTS, "a"),
        (xds_types.ROUTES, "r"),
    ):
        asking.ask(kind, name)
    clusters, endpoints = asking.stream.answer(), asking.stream.answer()
    assert clusters is not None
    assert endpoints is not None
    assert (clusters.type_url, endpoints.type_url) == (xds_types.CLUSTER, xds_types.ENDPOINTS)
    asking.judge(endpoints)
    assert asking.stream.answer() is None, "routes wait for both"
    asking.judge(clusters)
    after = asking.stream.answer()
    assert after is not None
    assert after.type_url == xds_types.ROUTES


@both
def test_routes_wait_until_a_new_cluster_is_warm(proxy: type[Delta]) -> None:
    asking = proxy(cluster("old"), routes("edge", "old"))
    asking.ask(xds_types.CLUSTER)
    asking.ask(xds_types.ROUTES, "edge")
    asking.settle()
    asking.offer(cluster("old"), cluster("new"), routes("edge", "new"))
    answer = asking.stream.answer()
    assert answer is not None
    asking.judge(answer)
    assert asking.stream.answer() is None
    asking.stream.warmed()
    assert [one.type_url for one in asking.settle()] == [xds_types.ROUTES]


@both
def test_routes_do_not_wait_for_clusters_that_are_there(proxy: type[Delta]) -> None:
    asking = proxy(cluster("a"), routes("edge", "old"))
    asking.ask(xds_types.CLUSTER)
    asking.ask(xds_types.ROUTES, "edge")
    asking.offer(cluster("a", "2s"), routes("edge", "new"))
    while (answer := asking.stream.answer()) is not None:
        asking.judge(answer)
    assert asking.stream.in_sync
    assert {one.type_url for one in asking.settle()} == set()


def test_delta_sends_the_good_ones_of_a_refused_answer_again_and_the_bad_one_no_more() -> None:
    asking = Delta(cluster("a"), cluster("bad"), cluster("c"))
    asking.ask(xds_types.CLUSTER)
    accepted: set[str] = set()
    sent = 0
    while (answer := asking.stream.answer()) is not None:
        names = changed(answer)
        asking.judge(answer, error="no" if "bad" in names else None)
        accepted |= set() if "bad" in names else set(names)
        sent += 1
    assert (accepted, sent) == ({"a", "c"}, 4)
    assert not asking.stream.in_sync
    asking.offer(cluster("a", "2s"), cluster("bad"), cluster("c"))
    assert [changed(answer) for answer in asking.settle()] == [["a"]]
    asking.offer(cluster("a", "2s"), cluster("bad", "2s"), cluster("c"))
    assert [changed(answer) for answer in asking.settle()] == [["bad"]]
    assert asking.stream.in_sync


def test_delta_tries_refused_routes_again_once_clusters_have_changed() -> None:
    asking = Delta(cluster("a"), routes("edge", "x"))
    asking.ask(xds_types.CLUSTER)
    asking.ask(xds_types.ROUTES, "edge")
    asking.judge(asking.stream.answer())
    asking.judge(asking.stream.answer(), error="unknown cluster b")
    assert asking.settle() == []
    asking.offer(cluster("a"), cluster("b"), routes("edge", "x"))
    assert [one.type_url for one in asking.settle()] == [xds_types.CLUSTER, xds_types.ROUTES]


def test_delta_tells_of_a_name_that_only_the_wildcard_still_covers() -> None:
    asking = Delta(cluster("a"), cluster("b"))
    asking.ask(xds_types.CLUSTER, "*", "a")
    asking.settle()
    asking.ask(xds_types.CLUSTER, drop=("a",))
    assert [changed(answer) for answer in asking.settle()] == [["a"]]


def test_state_of_the_world_says_that_a_name_added_later_does_not_exist() -> None:
    asking = Sotw(cluster("a"))
    asking.ask(xds_types.CLUSTER, "a")
    asking.settle()
    asking.ask(xds_types.CLUSTER, "a", "b")
    [answer] = asking.settle()
    assert changed(answer) == ["a"]


def test_state_of_the_world_keeps_the_old_cluster_until_nothing_refers_to_it() -> None:
    asking = Sotw(cluster("old"), routes("edge", "old"))
    asking.ask(xds_types.CLUSTER)
    asking.ask(xds_types.ROUTES, "edge")
    asking.settle()
    asking.offer(cluster("new"), routes("edge", "new"))
    assert [held(one) for one in asking.settle()] == [2, 1, 1]


def test_delta_names_what_is_gone_last() -> None:
    asking = Delta(cluster("a"), cluster("b"))
    asking.ask(xds_types.CLUSTER)
    asking.settle()
    asking.offer(cluster("b"), cluster("c"))
    added, removed = asking.settle()
    assert (changed(added), list(added.removed)) == (["c"], [])
    assert (changed(removed), list(removed.removed)) == ([], ["a"])


def test_delta_sends_only_what_changed() -> None:
    asking = Delta(cluster("a"), cluster("b"))
    asking.ask(xds_types.CLUSTER)
    asking.settle()
    asking.offer(cluster("a"), cluster("b", "2s"))
    [answer] = asking.settle()
    assert changed(answer) == ["b"]


def test_delta_sends_nothing_to_a_proxy_that_holds_it_already() -> None:
    kept, other = cluster("a"), cluster("b")
    asking = Delta(kept, other)
    asking.ask(xds_types.CLUSTER, a=kept.version, b="outdated", c="gone")
    changes, removals = asking.settle()
    assert changed(changes) == ["b"]
    assert list(removals.removed) == ["c"]


@both
def test_a_renewed_question_is_answered_again(proxy: type[Delta]) -> None:
    asking = proxy(hosts("a"))
    asking.ask(xds_types.ENDPOINTS, "a")
    assert len(asking.settle()) == 1
    asking.ask(xds_types.ENDPOINTS, "a")
    assert len(asking.settle()) == 1
    assert asking.settle() == []


@both
def test_a_name_asked_for_later_is_answered(proxy: type[Delta]) -> None:
    asking = proxy(hosts("a"), hosts("b"))
    asking.ask(xds_types.ENDPOINTS, "a")
    [first] = asking.settle()
    assert held(first) == 1
    asking.ask(xds_types.ENDPOINTS, "a", "b")
    [second] = asking.settle()
    assert held(second) == 2


def test_delta_says_that_a_name_does_not_exist_and_when_it_does() -> None:
    asking = Delta(hosts("a"))
    asking.ask(xds_types.ENDPOINTS, "b")
    [answer] = asking.settle()
    assert list(answer.removed) == ["b"]
    asking.offer(hosts("a"), hosts("b"))
    [later] = asking.settle()
    assert changed(later) == ["b"]


@both
def test_names_no_longer_wanted_are_not_sent(proxy: type[Delta]) -> None:
    asking = proxy(hosts("a"), hosts("b"))
    asking.ask(xds_types.ENDPOINTS, "a", "b")
    asking.settle()
    if proxy is Delta:
        asking.ask(xds_types.ENDPOINTS, drop=("b",))
    else:
        asking.ask(xds_types.ENDPOINTS, "a")
    asking.settle()
    asking.offer(hosts("a"), hosts("b", 1))
    assert asking.settle() == []


@both
def test_a_wildcard_may_be_asked_for_by_name(proxy: type[Delta]) -> None:
    asking = proxy(cluster("a"), cluster("b"))
    asking.ask(xds_types.CLUSTER, "*")
    [answer] = asking.settle()
    assert held(answer) == 2


@both
def test_endpoints_have_no_silent_wildcard(proxy: type[Delta]) -> None:
    asking = proxy(hosts("a"))
    asking.ask(xds_types.ENDPOINTS)
    assert asking.settle() == []


def test_state_of_the_world_sends_nothing_to_a_proxy_that_holds_it_already() -> None:
    first = Sotw(cluster("a"), cluster("b"))
    first.ask(xds_types.CLUSTER)
    [answer] = first.settle()
    again = Sotw(cluster("b"), cluster("a"))
    again.ask(xds_types.CLUSTER, version=answer.version)
    assert again.settle() == []
    outdated = Sotw(cluster("a", "2s"), cluster("b"))
    outdated.ask(xds_types.CLUSTER, version=answer.version)
    assert len(outdated.settle()) == 1


def test_state_of_the_world_answers_a_returning_proxy_that_wants_more_names() -> None:
    first = Sotw(hosts("a"), hosts("b"))
    first.ask(xds_types.ENDPOINTS, "a")
    [answer] = first.settle()
    again = Sotw(hosts("a"), hosts("b"))
    again.ask(xds_types.ENDPOINTS, "a", "b", version=answer.version)
    assert len(again.settle()) == 1


def test_state_of_the_world_ignores_a_request_overtaken_by_an_answer() -> None:
    asking = Sotw(hosts("a"))
    asking.ask(xds_types.ENDPOINTS, "a")
    [first] = asking.settle()
    asking.offer(hosts("a", 1))
    second = asking.stream.answer()
    asking.judge(first)
    assert asking.stream.answer() is None
    asking.judge(second)
    assert asking.settle() == []
    assert [verdict.version for verdict in asking.verdicts] == [
        first.version,
        second.version,
    ]


def test_state_of_the_world_tells_a_returning_proxy_that_nothing_is_left() -> None:
    again = Sotw()
    again.ask(xds_types.CLUSTER, version="of something")
    [answer] = again.settle()
    assert held(answer) == 0


@both
def test_types_that_are_not_offered_are_left_unanswered(proxy: type[Delta]) -> None:
    asking = proxy(fail_closed())
    asking.ask("type.googleapis.com/envoy.service.runtime.v3.Runtime", "x")
    assert asking.settle() == []


def test_a_name_may_stand_only_once_in_a_snapshot() -> None:
    with pytest.raises(ValueError, match="stands twice"):
        Snapshot([cluster("a"), cluster("a")])
