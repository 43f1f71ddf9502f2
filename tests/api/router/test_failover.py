"""What happens when parts die, routers included."""

import asyncio
import copy
import signal

import grpc
import pytest

from services.router import nodes, xds_types
from services.router.snapshot import Snapshot, resource
from tests.api.router.conftest import DIALECTS
from tests.api.router.mesh import FORECAST, GET_STOCK, RECORD, Mesh
from tests.support.envoy import Proxy, until
from tests.support.tokens import Signer

HOME, SIBLING, FOREIGN = "eu-central-1", "eu-west-1", "us-east-1"

both_dialects = pytest.mark.parametrize("fragile", DIALECTS, indirect=True)


async def test_the_sibling_answers_while_home_is_down(fragile: Mesh) -> None:
    await fragile.kill(nodes.sidecar(HOME, "inventory", 1))
    for path in (GET_STOCK, RECORD):
        answer = await fragile.grpc(HOME, path, fragile.token(HOME))
        assert answer.code is grpc.StatusCode.OK
        assert answer.headers["x-hemline-served-by"] == SIBLING


async def test_no_other_jurisdiction_answers_when_all_of_it_is_down(fragile: Mesh) -> None:
    for region in (HOME, SIBLING):
        await fragile.kill(nodes.sidecar(region, "inventory", 1))
    for edge in (HOME, SIBLING):
        over_grpc = await fragile.grpc(edge, GET_STOCK, fragile.token(HOME))
        over_web = await asyncio.to_thread(fragile.web, edge, GET_STOCK, fragile.token(HOME))
        for answer in (over_grpc, over_web):
            assert answer.code is grpc.StatusCode.UNAVAILABLE
            assert answer.reason == "RESIDENCY_NO_HEALTHY_REGION"
            assert "RetryInfo" in answer.details.details[1].type_url
    assert fragile.backends[FOREIGN, "inventory"].calls == 0
    us_tenant = await fragile.grpc(FOREIGN, GET_STOCK, fragile.token(FOREIGN))
    assert us_tenant.code is grpc.StatusCode.OK


async def test_a_dead_service_behind_a_living_sidecar_is_replaced(fragile: Mesh) -> None:
    await fragile.stop_backend(HOME, "inventory")
    for path in (GET_STOCK, RECORD):
        answer = await fragile.grpc(HOME, path, fragile.token(HOME))
        assert answer.headers.get("x-hemline-served-by") == SIBLING
    await fragile.stop_backend(SIBLING, "inventory")
    answer = await fragile.grpc(HOME, GET_STOCK, fragile.token(HOME))
    assert answer.reason == "RESIDENCY_NO_HEALTHY_REGION"
    assert "x-hemline-mesh-error" not in answer.headers


async def test_a_frozen_region_costs_time_and_no_call(fragile: Mesh) -> None:
    frozen = fragile.proxies[nodes.sidecar(HOME, "inventory", 1)]
    for path in (GET_STOCK, RECORD):  # Connections that are open already.
        assert (await fragile.grpc(HOME, path, fragile.token(HOME))).code is grpc.StatusCode.OK
    frozen.process.send_signal(signal.SIGSTOP)
    answers = await asyncio.gather(
        *(fragile.grpc(HOME, path, fragile.token(HOME)) for path in (GET_STOCK, RECORD))
    )
    assert [answer.headers.get("x-hemline-served-by") for answer in answers] == [SIBLING] * 2


async def test_a_service_that_runs_nowhere_is_unavailable(fragile: Mesh) -> None:
    answer = await fragile.grpc(HOME, FORECAST, fragile.token(HOME))
    assert answer.reason == "RESIDENCY_NO_HEALTHY_REGION"


async def test_slow_reads_are_hedged_and_slow_writes_never(fragile: Mesh) -> None:
    home = fragile.backends[HOME, "inventory"]
    sibling = fragile.backends[SIBLING, "inventory"]
    home.delay_seconds = 2.5
    read = await fragile.grpc(HOME, GET_STOCK, fragile.token(HOME))
    assert read.headers["x-hemline-served-by"] == SIBLING
    assert (home.calls, sibling.calls) == (1, 1)
    write = await fragile.grpc(HOME, RECORD, fragile.token(HOME))
    assert write.headers["x-hemline-served-by"] == HOME
    assert (home.calls, sibling.calls) == (2, 1)


@both_dialects
async def test_calls_go_on_while_no_router_runs_and_nothing_is_sent_again(fragile: Mesh) -> None:
    edge = fragile.proxies[nodes.edge(HOME)]
    region = fragile.regions[HOME]
    before = _updates(edge)
    await region.stop()
    connected = "control_plane.connected_state"
    assert await until(lambda: edge.counter(connected) == 0)
    answer = await fragile.grpc(HOME, GET_STOCK, fragile.token(HOME))
    assert answer.code is grpc.StatusCode.OK
    await region.start()
    assert await until(lambda: edge.counter(connected) == 1)
    # A change, so that there is something to wait for; it is all that comes.
    old, us = fragile.signers["EU"], [fragile.signers["US"]]
    fragile.signers["EU"] = Signer("EU-2")
    fragile.publish({"EU": [old, fragile.signers["EU"]], "US": us})
    await _comes_to(fragile, fragile.token(HOME), grpc.StatusCode.OK)
    changed = set(_updates(edge)) ^ set(before)
    assert {line.partition(": ")[0] for line in changed} == {
        "extension_config_discovery.http_filter.hemline-jwt.update_success"
    }


@both_dialects
async def test_a_proxy_stays_with_what_was_good(fragile: Mesh) -> None:
    node, edge = nodes.edge(HOME), fragile.proxies[nodes.edge(HOME)]
    cache = fragile.regions[HOME].cache
    good = cache.get(node)
    assert good is not None
    body = copy.deepcopy(good.of(xds_types.ROUTES)["edge"].plain)
    del body["@type"]
    route = {"match": {"safe_regex": {"regex": "("}}, "route": {"cluster": "fail-closed"}}
    body["virtual_hosts"][0]["routes"] = [route]
    others = [
        one for kind in xds_types.ORDER for one in good.of(kind).values() if one.name != "edge"
    ]
    listener = good.of(xds_types.LISTENER)["edge"]
    cache.replace({node: Snapshot([*others, listener, resource(xds_types.ROUTES, body)])})
    rejected = "http.edge.rds.edge.update_rejected"
    assert await until(lambda: edge.counter(rejected) == 1)
    answer = await fragile.grpc(HOME, GET_STOCK, fragile.token(HOME))
    assert answer.code is grpc.StatusCode.OK


@both_dialects
async def test_a_new_key_works_and_a_withdrawn_one_does_not(fragile: Mesh) -> None:
    old, new = fragile.signers["EU"], Signer("EU-2")
    us = [fragile.signers["US"]]
    before, listeners = fragile.token(HOME), _listener_updates(fragile)
    fragile.signers["EU"] = new
    after = fragile.token(HOME)
    refused = await fragile.grpc(HOME, GET_STOCK, after)
    assert refused.code is grpc.StatusCode.UNAUTHENTICATED
    fragile.publish({"EU": [old, new], "US": us})
    await _comes_to(fragile, after, grpc.StatusCode.OK)
    await _comes_to(fragile, before, grpc.StatusCode.OK)
    fragile.publish({"EU": [new], "US": us})
    await _comes_to(fragile, before, grpc.StatusCode.UNAUTHENTICATED)
    await _comes_to(fragile, after, grpc.StatusCode.OK)
    assert _listener_updates(fragile) == listeners, "no listener was replaced for a key"


async def _comes_to(mesh: Mesh, token: str, code: grpc.StatusCode) -> None:
    for _ in range(200):
        answer = await mesh.grpc(HOME, GET_STOCK, token)
        if answer.code is code:
            return
        await asyncio.sleep(0.02)
    raise AssertionError(answer)


def _listener_updates(mesh: Mesh) -> int:
    return mesh.proxies[nodes.edge(HOME)].counter("listener_manager.lds.update_success")


def _updates(proxy: Proxy) -> list[str]:
    lines = proxy.admin("/stats?filter=update_success").splitlines()
    assert lines
    return sorted(lines)
