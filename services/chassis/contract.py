"""What the contract itself says about a method: who may call it, whether it may be retried."""

from collections.abc import Iterator
from dataclasses import dataclass

from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.descriptor_pb2 import MethodOptions
from hemline.access.v1 import access_pb2
from hemline.forecast.v1 import (
    attribute_service_pb2,
    cold_start_service_pb2,
    explanation_service_pb2,
    forecast_service_pb2,
    job_service_pb2,
    override_service_pb2,
    plan_service_pb2,
    sales_service_pb2,
    stock_day_service_pb2,
    trend_service_pb2,
)
from hemline.identity.v1 import identity_service_pb2, tenant_service_pb2
from hemline.inventory.v1 import catalog_service_pb2, inventory_service_pb2
from hemline.router.v1 import operations_service_pb2, residency_service_pb2, router_service_pb2

PUBLIC = "public"
SIGNED_IN = "signed-in"

FILES = (
    forecast_service_pb2,
    explanation_service_pb2,
    cold_start_service_pb2,
    job_service_pb2,
    override_service_pb2,
    sales_service_pb2,
    plan_service_pb2,
    attribute_service_pb2,
    stock_day_service_pb2,
    trend_service_pb2,
    identity_service_pb2,
    tenant_service_pb2,
    catalog_service_pb2,
    inventory_service_pb2,
    router_service_pb2,
    operations_service_pb2,
    residency_service_pb2,
)


@dataclass(frozen=True, slots=True)
class Method:
    path: str  # As in HTTP/2: `/hemline.inventory.v1.InventoryService/GetStockLevel`.
    service: str  # The Hemline service that serves it, such as `inventory`.
    access: str  # `public`, `signed-in`, or a permission.
    retryable: bool  # Safe to send twice, and a single message each way, so that it can be.
    safe: bool  # Changes nothing: two may even run at once.


def services() -> Iterator[ServiceDescriptor]:
    """Every gRPC service of the suite."""
    for file in FILES:
        yield from file.DESCRIPTOR.services_by_name.values()


def methods() -> tuple[Method, ...]:
    """Every method of the suite, by path. Raises ValueError if one has no `access` option."""
    found = [_method(method) for service in services() for method in service.methods]
    return tuple(sorted(found, key=lambda method: method.path))


def _method(descriptor: MethodDescriptor) -> Method:
    options = descriptor.GetOptions()
    access = options.Extensions[access_pb2.access]
    if not access:
        raise ValueError(f"{descriptor.full_name} has no option (hemline.access.v1.access).")
    owner = descriptor.containing_service
    streams = descriptor.client_streaming or descriptor.server_streaming
    idempotent = options.idempotency_level != MethodOptions.IDEMPOTENCY_UNKNOWN
    return Method(
        path=f"/{owner.full_name}/{descriptor.name}",
        service=owner.full_name.split(".")[1],
        access=access,
        retryable=idempotent and not streams,
        safe=options.idempotency_level == MethodOptions.NO_SIDE_EFFECTS,
    )
