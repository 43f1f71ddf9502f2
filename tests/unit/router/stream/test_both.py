"""The xDS protocol, request by request, in both dialects."""

import pytest

from services.router import xds_types
from services.router.snapshot import Snapshot
from services.router.translate.clusters import fail_closed
from tests.unit.router.stream.proxies import Delta, both, cluster, held, hosts


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


@both
def test_types_that_are_not_offered_are_left_unanswered(proxy: type[Delta]) -> None:
    asking = proxy(fail_closed())
    asking.ask("type.googleapis.com/envoy.service.runtime.v3.Runtime", "x")
    assert asking.settle() == []


def test_a_name_may_stand_only_once_in_a_snapshot() -> None:
    with pytest.raises(ValueError, match="stands twice"):
        Snapshot([cluster("a"), cluster("a")])
