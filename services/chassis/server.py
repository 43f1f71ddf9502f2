"""The life of a service: start, say SERVING, serve, say NOT_SERVING, let calls finish, stop."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import grpc.aio
import structlog
import uvloop
from google.protobuf.descriptor import ServiceDescriptor
from grpc_health.v1 import health as grpc_health
from grpc_health.v1 import health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from services.chassis import contract, health, keys, logs, settings, telemetry, topology
from services.chassis.auth import TokenVerifier
from services.chassis.interceptors import CallerInterceptor, CallInterceptor
from services.chassis.pulse import Pulse
from services.chassis.residency import ResidencyGuard

MESSAGE_LIMIT_BYTES = 4 * 1024 * 1024

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Served:
    """One gRPC service and the object that answers for it."""

    descriptor: ServiceDescriptor
    register: Callable[[Any, grpc.aio.Server], None]  # The generated `add_...Servicer_to_server`.
    servicer: object


@dataclass(frozen=True, slots=True)
class Opened:
    """What a service yields that has more to say than what it serves."""

    served: Sequence[Served]
    verifier: TokenVerifier | None = None  # Checks tokens with keys of its own: identity has them.
    pulse: Pulse | None = None  # Of the database without which the service is of no use.


Parts = Callable[[topology.Topology], AbstractAsyncContextManager[Sequence[Served] | Opened]]


def run(
    name: str,
    service_settings: settings.ServiceSettings,
    parts: Parts,
) -> None:
    """Runs the service ``name`` until SIGTERM or SIGINT.

    Args:
        name: as in traces and logs.
        service_settings: read already.
        parts: an asynchronous context manager that opens what the service needs and yields its
            `Served` parts, or `Opened`; left when the last call has ended. Tokens are checked with
            the keys of the jurisdiction's identity services, or by the verifier of `Opened`.
    """
    found = checked_topology(service_settings)
    logs.start(name, service_settings.region)
    uvloop.run(_serve(name, service_settings, found, parts))


def checked_topology(service_settings: settings.ServiceSettings) -> topology.Topology:
    """Returns the topology, or ends the process if the settings do not fit it."""
    try:
        found = topology.load(service_settings.topology_file)
    except topology.TopologyError as error:
        raise SystemExit(settings.refusal(f"topology: {error}")) from None
    if service_settings.region not in found.regions:
        known = ", ".join(sorted(found.regions))
        raise SystemExit(
            settings.refusal(
                f"setting HEMLINE_REGION: unknown region {service_settings.region}; "
                f"{service_settings.topology_file} knows {known}"
            )
        )
    if isinstance(service_settings, settings.DatabaseSettings):
        _check_databases(service_settings, found.jurisdiction_of(service_settings.region))
    return found


def _check_databases(
    database_settings: settings.DatabaseSettings, jurisdiction: topology.Jurisdiction
) -> None:
    """Residency: a service that could open another jurisdiction's rows does not start."""
    named = {
        "HEMLINE_DATABASE_URLS": database_settings.database_urls,
        "HEMLINE_REPLICA_URLS": database_settings.replica_urls,
    }
    for setting, urls in named.items():
        for region in urls:
            if region not in jurisdiction.regions:
                raise SystemExit(
                    settings.refusal(
                        f"setting {setting}: {region} is not in {jurisdiction.name}; "
                        f"its regions are {', '.join(jurisdiction.regions)}"
                    )
                )


async def _serve(
    name: str,
    service_settings: settings.ServiceSettings,
    found: topology.Topology,
    parts: Parts,
) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    provider = telemetry.start(name, service_settings)
    guard = ResidencyGuard(found, service_settings.region)
    try:
        async with parts(found) as made:
            opened = made if isinstance(made, Opened) else Opened(made)
            async with (
                _verifier(service_settings, found, opened, stop) as verifier,
                serving(opened.served, verifier, guard, service_settings, pulse=opened.pulse),
            ):
                log.info("ready", address=service_settings.address)
                await stop.wait()
                log.info("draining")
    finally:
        provider.shutdown()


@asynccontextmanager
async def _verifier(
    service_settings: settings.ServiceSettings,
    found: topology.Topology,
    opened: Opened,
    stop: asyncio.Event,
) -> AsyncIterator[TokenVerifier]:
    """The service's own, or one that follows the keys of the jurisdiction's identity services.

    That one is there when it knows a key, or at ``stop``: until then its service would refuse
    everybody, whom a sibling might serve.
    """
    if opened.verifier:
        yield opened.verifier
        return
    jurisdiction = found.jurisdiction_of(service_settings.region)
    ring = keys.ring_of(service_settings.identity_addresses, jurisdiction.issuer)
    # A bug in the polling ends the process: better than keys that never change again.
    async with asyncio.TaskGroup() as group:
        following = group.create_task(ring.follow())
        waiting = [group.create_task(ring.known()), group.create_task(stop.wait())]
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        yield TokenVerifier(jurisdiction, ring)
        for task in (following, *waiting):
            task.cancel()


@asynccontextmanager
async def serving(
    served: Sequence[Served],
    verifier: TokenVerifier,
    guard: ResidencyGuard,
    service_settings: settings.ServiceSettings,
    *,
    pulse: Pulse | None = None,
) -> AsyncIterator[int]:
    """Serves until left, then drains. Yields the port. Ends the process if it is taken.

    While ``pulse`` is not felt, the server says NOT_SERVING, and answers all the same.
    """
    methods = {method.path: method for method in contract.methods()}
    server = grpc.aio.server(
        interceptors=[
            telemetry.server_interceptor(),
            CallInterceptor(),
            CallerInterceptor(verifier, guard, methods),
        ],
        options=[
            ("grpc.max_receive_message_length", MESSAGE_LIMIT_BYTES),
            ("grpc.so_reuseport", 0),
        ],
    )
    names = [part.descriptor.full_name for part in served]
    for part in served:
        part.register(part.servicer, server)
    checks = grpc_health.aio.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(checks, server)
    # Reflection tells of the whole suite, so that an edge may ask any service.
    suite = [service.full_name for service in contract.services()]
    reflection.enable_server_reflection([*suite, grpc_health.SERVICE_NAME], server)
    port = _bind(server, service_settings.address)
    await server.start()
    try:
        async with health.shown(checks, ("", *names), pulse):
            yield port
    finally:
        await checks.enter_graceful_shutdown()
        # Proxies need a moment to read NOT_SERVING; stopping at once loses a call now and then.
        await asyncio.sleep(service_settings.drain_seconds)
        await server.stop(service_settings.grace_seconds)


def _bind(server: grpc.aio.Server, address: str) -> int:
    try:
        return server.add_insecure_port(address)
    except RuntimeError:
        raise SystemExit(
            settings.refusal(f"setting HEMLINE_ADDRESS: cannot listen on {address}; is it taken?")
        ) from None
