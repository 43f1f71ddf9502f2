"""The topology as messages."""

from hemline.router.v1 import router_service_pb2 as pb

from services.chassis.topology import Region


def region(found: Region) -> pb.Region:
    return pb.Region(
        name=f"regions/{found.name}",
        jurisdiction=found.jurisdiction,
        endpoint=found.endpoint,
        failover_regions=found.failover,
    )
