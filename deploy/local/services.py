"""The four services of a region, and the first account in it."""

from pathlib import Path

from deploy.local import environment
from deploy.local.memo import Memo
from deploy.local.parts import Part, python
from deploy.local.probes import GrpcServes
from deploy.local.world import World, operator_email


def service(world: World, region: str, name: str) -> Part:
    # Not needed by commands that draw no world, and slow to import.
    from services.chassis.settings import refusal

    ports = world.ports[region]
    needs = {
        "identity": (f"{region}/databases", *_provider(world)),
        "router": (),
        "forecast": (f"{region}/databases", *_redis(world, region)),
        "inventory": (f"{region}/databases",),
    }
    # Without the collector a service starts all the same, but stops late: it has spans to send.
    collector = () if world.replaced.of(region, "otlp") else ("collector",)
    own = (ports.grpc(name), ports.xds) if name == "router" else (ports.grpc(name),)
    return Part(
        f"{region}/{name}",
        python(f"services.{name}"),
        environment.service(world, region, name),
        probe=GrpcServes(own),
        ports=own,
        needs=(*needs[name], *collector),
        refusal=refusal(""),
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
