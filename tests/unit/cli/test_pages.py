"""Reading a list of the API page by page, against a list in memory."""

import pytest
from hemline.identity.v1 import tenant_service_pb2 as pb

from cli.pages import pages


class Service:
    """Lists ``count`` tenants. The token is the number of those told."""

    def __init__(self, count: int) -> None:
        self.names = [f"tenants/{number}" for number in range(count)]
        self.sizes: list[int] = []

    def list(self, request: pb.ListTenantsRequest) -> pb.ListTenantsResponse:
        self.sizes.append(request.page_size)
        start = int(request.page_token or 0)
        end = start + request.page_size
        return pb.ListTenantsResponse(
            tenants=[pb.Tenant(name=name) for name in self.names[start:end]],
            next_page_token=str(end) if end < len(self.names) else "",
        )


@pytest.mark.parametrize(
    ("count", "limit", "sizes"),
    [
        (0, 0, [3]),
        (7, 0, [3, 3, 3]),
        (6, 0, [3, 3]),
        (7, 2, [2]),
        (7, 3, [3]),
        (7, 4, [3, 1]),
        (2, 9, [3]),
    ],
)
def test_pages_come_until_the_last_or_until_enough(
    count: int, limit: int, sizes: list[int]
) -> None:
    service = Service(count)
    read = pages(service.list, pb.ListTenantsRequest(), "tenants", page_size=3, limit=limit)
    found = [tenant.name for page in read for tenant in page.tenants]
    assert found == service.names[: limit or count]
    assert service.sizes == sizes
