"""What the delta dialect of xDS alone can say."""

from services.router import xds_types
from tests.unit.router.stream.proxies import Delta, changed, cluster, hosts, routes


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


def test_delta_says_that_a_name_does_not_exist_and_when_it_does() -> None:
    asking = Delta(hosts("a"))
    asking.ask(xds_types.ENDPOINTS, "b")
    [answer] = asking.settle()
    assert list(answer.removed) == ["b"]
    asking.offer(hosts("a"), hosts("b"))
    [later] = asking.settle()
    assert changed(later) == ["b"]
