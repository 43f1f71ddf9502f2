"""gRPC's own xDS client (C core) against a real router and real sidecars, all over mutual TLS."""

import pytest

from services.router import nodes
from services.router.policy import Policy
from services.router.translate import client
from tests.api.router.mesh import GET_STOCK, Mesh
from tests.api.router.proxyless import caller

CENTRAL, WEST = "eu-central-1", "eu-west-1"


async def test_each_home_is_a_name_of_its_own(fragile: Mesh) -> None:
    async with caller(fragile, CENTRAL, "forecast") as calling:
        for home in (CENTRAL, WEST):
            found = await calling.call(f"inventory.{home}", GET_STOCK, fragile.token(home))
            assert found == [("OK", f"inventory@{home}")]
        # Of another jurisdiction there is no name, nor of a service that it may not call. For a
        # name that it has never heard of the client waits 15 s before it gives up.
        for name in ("inventory.us-east-1", f"identity.{CENTRAL}"):
            found = await calling.call(name, GET_STOCK, fragile.token(CENTRAL), timeout=1)
            assert found == [("DEADLINE_EXCEEDED", "")]
    assert fragile.backends["us-east-1", "inventory"].calls == 0


async def test_reads_are_sent_again(fragile: Mesh) -> None:
    echo = fragile.backends[CENTRAL, "inventory"]
    async with caller(fragile, CENTRAL, "forecast") as calling:
        echo.unavailable = 1
        found = await calling.call(f"inventory.{CENTRAL}", GET_STOCK, fragile.token(CENTRAL))
        assert found == [("OK", f"inventory@{CENTRAL}")]
        assert echo.calls == 2


async def test_a_sibling_stands_in_and_nobody_else(fragile: Mesh) -> None:
    token, name = fragile.token(CENTRAL), f"inventory.{CENTRAL}"
    async with caller(fragile, CENTRAL, "forecast") as calling:
        assert await calling.call(name, GET_STOCK, token) == [("OK", f"inventory@{CENTRAL}")]
        await fragile.kill(nodes.sidecar(CENTRAL, "inventory", 1))
        assert await calling.call(name, GET_STOCK, token) == [("OK", f"inventory@{WEST}")]
        await fragile.kill(nodes.sidecar(WEST, "inventory", 1))
        assert await calling.call(name, GET_STOCK, token) == [("UNAVAILABLE", "")]
        assert fragile.backends["us-east-1", "inventory"].calls == 0


async def test_a_full_circuit_breaker_refuses_at_once(
    fragile: Mesh, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "REQUESTS_LIMIT", 2)
    fragile.publish({name: [signer] for name, signer in fragile.signers.items()})
    token, name = fragile.token(CENTRAL), f"inventory.{CENTRAL}"
    async with caller(fragile, CENTRAL, "forecast") as calling:
        assert await calling.call(name, GET_STOCK, token) == [("OK", f"inventory@{CENTRAL}")]
        fragile.backends[CENTRAL, "inventory"].delay_seconds = 0.5
        found = await calling.call(name, GET_STOCK, token, count=6)
    codes = sorted(code for code, _ in found)
    assert codes == ["OK"] * 2 + ["UNAVAILABLE"] * 4


async def test_a_drain_reaches_the_client(fragile: Mesh) -> None:
    token, name = fragile.token(CENTRAL), f"inventory.{CENTRAL}"
    async with caller(fragile, CENTRAL, "forecast") as calling:
        assert await calling.call(name, GET_STOCK, token) == [("OK", f"inventory@{CENTRAL}")]
        drained = {"EU": Policy(drained={CENTRAL: 100})}
        assert fragile.regions[CENTRAL].publisher.update(policies=drained)
        # An answer that is on its way may be older than the drain.
        served = {""}
        while f"inventory@{WEST}" not in served:
            found = await calling.call(name, GET_STOCK, token, count=4)
            assert {code for code, _ in found} == {"OK"}
            served = {backend for _, backend in found}
