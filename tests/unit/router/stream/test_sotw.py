"""What is particular to the state-of-the-world dialect of xDS."""

from services.router import xds_types
from tests.unit.router.stream.proxies import Sotw, changed, cluster, held, hosts, routes


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
