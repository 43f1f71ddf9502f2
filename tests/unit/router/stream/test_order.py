"""What a proxy is sent first, and what waits for its word or for clusters to warm."""

from services.router import xds_types
from tests.unit.router.stream.proxies import Delta, both, cluster, hosts, routes


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
