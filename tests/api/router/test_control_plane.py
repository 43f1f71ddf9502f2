"""The control plane as it is wired: keys in, snapshots out, and what makes it refuse to start."""

import asyncio
import contextlib
import dataclasses
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest
import structlog
import yaml
from envoy.service.discovery.v3 import ads_pb2_grpc
from envoy.service.discovery.v3 import discovery_pb2 as xds

from services.router import check, keys, servicer_operations, xds_types
from services.router.server import parts
from services.router.settings import RouterSettings
from tests.api.router.conftest import two_jurisdictions
from tests.api.router.identity import identity
from tests.api.router.mesh import Ports, addresses, jwk
from tests.support.certificates import MeshCertificates
from tests.support.envoy import until
from tests.support.tokens import Signer

TOPOLOGY = two_jurisdictions()
EU, US = TOPOLOGY.jurisdictions["EU"], TOPOLOGY.jurisdictions["US"]


class Control:
    """Settings of a router whose identity services are the test's."""

    def __init__(self, folder: Path) -> None:
        ports = Ports()
        self.eu, self.us, self.ads = ports.one(), ports.one(), ports.one()
        self.certificates = MeshCertificates(folder / "certificates", TOPOLOGY)
        self.endpoints_file = folder / "endpoints.yaml"
        self.endpoints_file.write_text(yaml.safe_dump(addresses(TOPOLOGY, ports)))

    def settings(self, **changed: Any) -> RouterSettings:
        given: dict[str, Any] = {
            "region": "eu-central-1",
            "topology_file": Path("unused"),
            "address": "127.0.0.1:0",
            "identity_addresses": (self.eu,),
            "endpoints_file": self.endpoints_file,
            "database_urls": {"eu-central-1": "postgresql://127.0.0.1:1/router"},
            "certificates_folder": self.certificates.folder("eu-central-1"),
            "ads_address": self.ads,
            "signing_key_addresses": {"EU": (self.eu,), "US": (self.us,)},
            **changed,
        }
        return RouterSettings(**given)

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Client"]:
        async with (
            parts(self.settings(), TOPOLOGY),
            self.certificates.channel(self.ads, "edge", "eu-central-1") as channel,
        ):
            yield Client(channel)


class Client:
    """An edge that listens to token verification alone, and accepts or refuses what it hears."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        stub = ads_pb2_grpc.AggregatedDiscoveryServiceStub(channel)
        self.call = stub.DeltaAggregatedResources()

    async def ask(self, node: str = "edge/eu-central-1/7") -> None:
        request = xds.DeltaDiscoveryRequest(
            type_url=xds_types.EXTENSION, resource_names_subscribe=["hemline-jwt"]
        )
        request.node.id = node
        await self.call.write(request)

    async def hear(self, error: str | None = None) -> set[str]:
        """Returns the key ids of the next configuration."""
        answer = await asyncio.wait_for(self.call.read(), 20)
        request = xds.DeltaDiscoveryRequest(
            type_url=xds_types.EXTENSION, response_nonce=answer.nonce
        )
        if error is not None:
            request.error_detail.message = error
        await self.call.write(request)
        text = answer.resources[0].resource.value.decode("latin1")
        return {kid for kid in ("EU-1", "EU-2", "EU-3", "US-1") if kid in text}


@pytest.fixture
def control(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Control:
    """Its database never answers: that is waited for briefly, and keys are asked for often."""
    monkeypatch.setattr(servicer_operations, "FIRST_READ_SECONDS", 0.2)
    monkeypatch.setattr(keys, "POLL_SECONDS", 0.1)
    return Control(tmp_path)


@pytest.fixture
def logged() -> Iterator[list[Any]]:
    with structlog.testing.capture_logs() as entries:
        yield entries


async def test_waits_for_keys_of_its_own_and_adds_the_others_later(control: Control) -> None:
    async with contextlib.AsyncExitStack() as stack:
        client = await stack.enter_async_context(control.running())
        await client.ask()
        await stack.enter_async_context(identity(control.us, jwk(Signer("US-1"), US)))
        hearing = asyncio.create_task(client.hear())
        done, _ = await asyncio.wait([hearing], timeout=1.5)
        assert not done, "nothing is published without keys of its own"
        eu = await stack.enter_async_context(identity(control.eu, jwk(Signer("EU-1"), EU)))
        assert "EU-1" in await hearing
        eu.keys = (*eu.keys, jwk(Signer("EU-2"), EU))
        heard: set[str] = set()
        while heard != {"EU-1", "EU-2", "US-1"}:
            heard = await client.hear()


async def test_a_sibling_that_answers_instead_takes_no_key_away(control: Control) -> None:
    async with identity(control.eu, jwk(Signer("EU-1"), EU)) as eu, control.running() as client:
        await client.ask()
        assert await client.hear() == {"EU-1"}
        eu.keys = (jwk(Signer("EU-2"), EU),)
        assert await client.hear() == {"EU-1", "EU-2"}


async def test_a_hostile_foreign_answer_spoils_nothing(control: Control) -> None:
    hostile = dataclasses.replace(jwk(Signer("US-1"), US), x="abcde!!!!")
    async with identity(control.us, hostile), control.running() as client:
        await client.ask()
        async with identity(control.eu, jwk(Signer("EU-1"), EU)):
            assert await client.hear() == {"EU-1"}


async def test_keys_in_another_issuers_name_are_dropped(control: Control) -> None:
    own, posing = jwk(Signer("EU-1"), EU), jwk(Signer("US-1"), US)
    async with identity(control.eu, posing, own), control.running() as client:
        await client.ask()
        assert await client.hear() == {"EU-1"}


async def test_an_identity_that_is_gone_takes_no_key_away(control: Control) -> None:
    async with control.running() as client:
        await client.ask()
        async with identity(control.eu, jwk(Signer("EU-1"), EU)):
            assert await client.hear() == {"EU-1"}
        async with identity(control.us, jwk(Signer("US-1"), US)):
            assert await client.hear() == {"EU-1", "US-1"}


async def test_what_a_proxy_refuses_is_logged(control: Control, logged: list[Any]) -> None:
    async with identity(control.eu, jwk(Signer("EU-1"), EU)), control.running() as client:
        await client.ask()
        await client.hear(error="no such filter")
        found = await until(lambda: any(e["event"] == "xds_refused" for e in logged), seconds=10)
        assert found
    [entry] = [entry for entry in logged if entry["event"] == "xds_refused"]
    assert entry["problem"] == "no such filter"
    assert entry["node"] == "edge/eu-central-1/7"


async def test_a_snapshot_that_breaks_a_rule_is_refused(
    control: Control, logged: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    broken: list[str] = []
    prove = check.prove
    monkeypatch.setattr(
        check,
        "prove",
        lambda *given: dataclasses.replace(prove(*given), problems=tuple(broken)),
    )
    async with (
        identity(control.eu, jwk(Signer("EU-1"), EU)) as eu,
        control.running() as client,
    ):
        await client.ask()
        assert await client.hear() == {"EU-1"}
        broken.append("made up")
        eu.keys = (jwk(Signer("EU-2"), EU),)
        assert await until(
            lambda: any(entry["event"] == "snapshot_refused" for entry in logged), seconds=10
        )
        broken.clear()
        eu.keys = (jwk(Signer("EU-3"), EU),)
        assert await client.hear() == {"EU-1", "EU-2", "EU-3"}


@pytest.mark.parametrize("node", ["edge/us-east-1/1", "sidecar/eu-central-1/inventory/9", "x"])
async def test_an_unknown_proxy_is_refused(control: Control, node: str) -> None:
    async with control.running() as client:
        await client.ask(node)
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await client.hear()
        assert refused.value.code() is grpc.StatusCode.NOT_FOUND
        assert node in str(refused.value.details())


async def test_refuses_to_start_on_wrong_endpoints(control: Control) -> None:
    document = addresses(TOPOLOGY, Ports())
    del document["regions"]["us-east-1"]
    control.endpoints_file.write_text(yaml.safe_dump(document))
    with pytest.raises(SystemExit, match="regions: region us-east-1 is missing"):
        await _start(control.settings())


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"MARS": ("127.0.0.1:1",)}, "unknown jurisdiction MARS; known: EU, US"),
        ({"US": ("127.0.0.1:1",)}, "no address for EU, the jurisdiction of this region"),
    ],
)
async def test_refuses_to_start_without_a_source_of_keys(
    control: Control, given: dict[str, tuple[str, ...]], message: str
) -> None:
    with pytest.raises(SystemExit, match=f"HEMLINE_SIGNING_KEY_ADDRESSES: {message}"):
        await _start(control.settings(signing_key_addresses=given))


async def test_refuses_to_start_on_a_port_that_is_taken(control: Control) -> None:
    async with control.running():
        with pytest.raises(SystemExit, match="HEMLINE_ADS_ADDRESS: cannot listen on"):
            await _start(control.settings())


async def _start(settings: RouterSettings) -> None:
    async with parts(settings, TOPOLOGY):
        pass
