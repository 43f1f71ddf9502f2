"""What real Envoys tell their routers of each call, and what they keep to themselves."""

import asyncio
import dataclasses
from uuid import uuid4

import grpc

from services.router import nodes
from services.router.audit import UNKNOWN_REGION
from services.router.translate import translate
from tests.api.router.mesh import EXCHANGE, GET_STOCK, Mesh
from tests.support.envoy import until

CENTRAL, WEST, EAST = "eu-central-1", "eu-west-1", "us-east-1"
CENTRAL_EDGE, EAST_EDGE = nodes.edge(CENTRAL), nodes.edge(EAST)
SIDECAR = nodes.sidecar(CENTRAL, "inventory", 1)
STATS = "access_logs.open_telemetry_access_log.residency"


async def test_edge_and_sidecar_report_a_call_with_its_tenant_and_the_host(world: Mesh) -> None:
    tenant, heard = str(uuid4()), world.regions[CENTRAL].audit
    answer = await world.grpc(CENTRAL, GET_STOCK, world.token(CENTRAL, tenant=tenant))
    assert answer.code is grpc.StatusCode.OK
    host = world.endpoints[CENTRAL].services["inventory"][0]
    for node, address in ((CENTRAL_EDGE, host.sidecar), (SIDECAR, host.app)):
        assert await until(lambda node=node: heard.of(node, tenant), 10)
        way = [str(address), str(address), "via_upstream"]
        assert heard.of(node, tenant) == [["EU", tenant, *way, GET_STOCK]]


async def test_an_entry_has_the_trace_of_its_call(world: Mesh) -> None:
    tenant, trace, heard = str(uuid4()), uuid4().hex, world.regions[CENTRAL].audit
    parent = ("traceparent", f"00-{trace}-00f067aa0ba902b7-01")
    await world.grpc(CENTRAL, GET_STOCK, world.token(CENTRAL, tenant=tenant), parent)
    assert await until(lambda: heard.of(SIDECAR, tenant), 10)
    traces = {entry.trace_id.hex() for _, entry in heard.entries if tenant in entry.body}
    assert traces == {trace}


async def test_of_a_foreign_token_nothing_but_its_jurisdiction_leaves_the_edge(world: Mesh) -> None:
    tenant, user, heard = str(uuid4()), str(uuid4()), world.regions[EAST].audit
    token = world.token(CENTRAL, tenant=tenant, sub=user)
    before = len(heard.of(EAST_EDGE, "EU"))
    answer = await world.grpc(
        EAST, "/hemline.canary.v1.Canary/Secret", token, ("user-agent", "canary")
    )
    assert answer.reason == "WRONG_REGION"
    assert await until(lambda: len(heard.of(EAST_EDGE, "EU")) > before, 10)
    assert heard.of(EAST_EDGE, "EU")[-1] == ["EU", "-", "-", "-", "direct_response", "-"]
    told = " ".join(entry.body for _, entry in heard.entries).lower()
    for word in (tenant, user, "canary", CENTRAL):
        assert word not in told


async def test_a_refused_call_is_reported_as_served_by_nobody(world: Mesh) -> None:
    heard = world.regions[CENTRAL].audit
    await world.grpc(CENTRAL, GET_STOCK, "not.a.token")
    assert await until(lambda: heard.of(CENTRAL_EDGE, "jwt_authn_access_denied"), 10)
    refused = heard.of(CENTRAL_EDGE, "jwt_authn_access_denied")[0]
    assert refused[:4] == ["-", "-", "-", "-"]


async def test_health_checks_are_not_reported(world: Mesh) -> None:
    heard = world.regions[CENTRAL].audit
    await world.grpc(CENTRAL, EXCHANGE, None)
    identity = nodes.sidecar(CENTRAL, "identity", 1)
    assert await until(lambda: heard.of(identity, EXCHANGE), 10)
    assert not heard.of(identity, "grpc.health")


async def test_what_was_served_is_counted_where_it_was(fragile: Mesh) -> None:
    tally = fragile.regions[CENTRAL].audit
    await fragile.stop_backend(CENTRAL, "inventory")
    answer = await fragile.grpc(CENTRAL, GET_STOCK, fragile.token(CENTRAL))
    assert answer.code is grpc.StatusCode.OK
    assert await until(lambda: tally.of(CENTRAL_EDGE, GET_STOCK), 10)
    found = {key.served_region: count for key, count in tally.take().totals.items()}
    assert (found[WEST].calls, found[WEST].violations) == (1, 0)


async def test_a_call_that_a_wrong_snapshot_sends_abroad_is_found(fragile: Mesh) -> None:
    """The checker is passed by, edge and sidecar are told the same: the audit knows all the same.

    An edge alone that is told so would send nothing, see `test_callers`.
    """
    region, there = fragile.regions[CENTRAL], fragile.endpoints
    abroad = {
        name: dataclasses.replace(there[name], services=there[EAST].services)
        for name in (CENTRAL, WEST)
    }
    wrong = dataclasses.replace(region.publisher.facts, endpoints={**there, **abroad})
    region.cache.replace(translate(wrong))
    host = str(there[EAST].services["inventory"][0].sidecar)
    for _ in range(100):
        await fragile.grpc(CENTRAL, GET_STOCK, fragile.token(CENTRAL))
        if region.audit.of(CENTRAL_EDGE, host):
            break
        await asyncio.sleep(0.05)
    violations = region.audit.take().violations
    where = {(one.token_jurisdiction, one.served_region) for one in violations}
    # The edge's; and the sidecar's, that goes to a service on loopback that is not its own.
    assert ("EU", EAST) in where
    assert where <= {("EU", EAST), ("EU", UNKNOWN_REGION)}
    assert {one.method for one in violations} == {GET_STOCK}


async def test_without_a_router_entries_are_dropped_and_counted_and_calls_go_on(
    fragile: Mesh,
) -> None:
    edge = fragile.proxies[CENTRAL_EDGE]
    await fragile.regions[CENTRAL].stop()
    for _ in range(20):
        answer = await fragile.grpc(CENTRAL, GET_STOCK, fragile.token(CENTRAL))
        assert answer.code is grpc.StatusCode.OK

    def dropped() -> bool:
        names = ("logs_dropped", "grpc_entries_flush_failed")
        return any(edge.counter(f"{STATS}.{name}") for name in names)

    assert await until(dropped, 10), edge.admin("/stats?filter=access_log")
