"""The four services of a region, and the first account in it."""

from dataclasses import replace
from pathlib import Path

from deploy.local import environment
from deploy.local.memo import Memo
from deploy.local.parts import Part, python
from deploy.local.probes import GrpcServes
from deploy.local.world import World, operator_email


def service(world: World, region: str, name: str) -> Part:
    # Not needed by commands that draw no world, and slow to import.
    from services.chassis.settings import refusal

    needs = {
        "identity": (f"{region}/databases", *_provider(world)),
        "router": (f"{region}/databases",),
        "forecast": (f"{region}/databases", *_redis(world, region)),
        "inventory": (f"{region}/databases",),
    }
    ports: tuple[int, ...] = (world.ports[region].grpc(name),)
    if name == "router":
        ports = (*ports, world.ports[region].router(1).xds)
    return Part(
        f"{region}/{name}",
        python(f"services.{name}"),
        environment.service(world, region, name),
        probe=GrpcServes(ports),
        ports=ports,
        needs=(*needs[name], "relay", *_collector(world, region)),
        refusal=refusal(""),
    )


def router(world: World, region: str, number: int) -> Part:
    """The region's second router."""
    ports = world.ports[region].router(number)
    first = service(world, region, "router")
    return replace(
        first,
        name=f"{first.name}-{number}",
        env=environment.router(world, region, number),
        probe=GrpcServes((ports.grpc, ports.xds)),
        ports=(ports.grpc, ports.xds),
    )


def operator(world: World, region: str) -> Part:
    """Makes the region's operator, who makes everybody else."""
    email = operator_email(region)
    return Part(
        f"{region}/operator",
        python("services.identity.bootstrap", "--operator-email", email),
        environment.service(world, region, "identity"),
        needs=(f"{region}/databases", *_provider(world)),
        memo=Memo(
            world.database_folder(region) / "hemline.operator",
            (Path(world.providers),),
            what=email,
        ),
    )


def _provider(world: World) -> tuple[str, ...]:
    return ("provider",) if world.replaced.provider is None else ()


def _redis(world: World, region: str) -> tuple[str, ...]:
    return (f"{region}/redis",) if world.replaced.of(region, "redis") is None else ()


def _collector(world: World, region: str) -> tuple[str, ...]:
    """Without the collector a service starts all the same, but stops late: it has spans to send."""
    return () if world.replaced.of(region, "otlp") else ("collector",)
