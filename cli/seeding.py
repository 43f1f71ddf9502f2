"""Makes the two demo retailers and gives each a season: `python -m cli.seeding`.

Part of the first `hemline up`. Running it again finds what is there and changes nothing.
"""

import sys
from concurrent.futures import ThreadPoolExecutor
from uuid import NAMESPACE_URL, UUID, uuid5

import typer
from hemline.identity.v1 import tenant_service_pb2 as pb
from hemline.identity.v1 import tenant_service_pb2_grpc as pb_grpc

from cli.output import Report
from cli.problems import report_errors
from cli.season_load import seed
from cli.tenant import open_account, operator
from deploy.local.demo import RETAILERS, Retailer


def main() -> None:
    # Two regions, two services: each waits for its own most of the time.
    with report_errors(), ThreadPoolExecutor(len(RETAILERS)) as pool:
        list(pool.map(_fill, RETAILERS))


def _fill(retailer: Retailer) -> None:
    with operator(retailer.home_region).channel() as channel:
        stub = pb_grpc.TenantServiceStub(channel)
        tenant = pb.Tenant(name=f"tenants/{retailer.name}", display_name=retailer.display_name)
        stub.CreateTenant(pb.CreateTenantRequest(tenant=tenant, request_id=_id(retailer, "tenant")))
        user = pb.User(email=retailer.planner, role="planner")
        # The id says nothing of the address, which is no part of it.
        stub.CreateUser(
            pb.CreateUserRequest(parent=tenant.name, user=user, request_id=_id(retailer, "planner"))
        )
    open_account(retailer.planner, retailer.home_region)
    seeded = seed(retailer.planner, retailer.name, begin=_begin)
    if seeded.already:
        _say(f"{retailer.name}: has its season already")
    else:
        _say(
            f"{retailer.name}: {seeded.series:,} stock levels, {seeded.sales_lines:,} sales lines, "
            f"{seeded.forecast_series:,} forecasts"
        )


def _id(retailer: Retailer, what: str) -> str:
    """The same each time, so that a second run is a retry of the first."""
    namespace = uuid5(NAMESPACE_URL, "https://hemline.example/demo")
    made: UUID = uuid5(namespace, f"{retailer.name}/{what}")
    return str(made)


def _begin(label: str) -> Report:
    _say(f"{label} ...")
    return lambda _share: None


def _say(line: str) -> None:
    typer.echo(line)
    sys.stdout.flush()


if __name__ == "__main__":
    try:
        main()
    except typer.Exit as end:
        sys.exit(end.exit_code)
