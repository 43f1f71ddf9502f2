"""`hemline explain-route`: where a call goes, drawn, and why."""

from collections.abc import Iterator
from typing import Annotated

import grpc
import typer
from hemline.identity.v1 import tenant_service_pb2 as tenant_pb
from hemline.identity.v1 import tenant_service_pb2_grpc as tenant_pb_grpc
from hemline.router.v1 import operations_service_pb2 as pb
from rich.text import Text
from rich.tree import Tree

from cli import operator, output
from cli.operator import AsJson, Via
from cli.pages import pages
from cli.problems import Problem, report_errors
from cli.session import local_topology, sign_in
from deploy.local.world import operator_email

PAGE_SIZE = 500
OUTCOMES = {
    pb.ROUTE_OUTCOME_SERVED: ("served", "green"),
    pb.ROUTE_OUTCOME_REDIRECTED: ("redirected: WRONG_REGION", "yellow"),
    pb.ROUTE_OUTCOME_NO_HEALTHY_REGION: ("UNAVAILABLE: RESIDENCY_NO_HEALTHY_REGION", "red"),
}


def register(app: typer.Typer) -> None:
    app.command("explain-route")(explain_route)


def explain_route(  # noqa: PLR0913  # The options of a command.
    *,
    home: Annotated[str | None, typer.Option(help="Home region of the tenant.")] = None,
    tenant: Annotated[str | None, typer.Option(help="The tenant, to look its home up.")] = None,
    edge: Annotated[str, typer.Option(help="Region of the edge; the home region by itself.")] = "",
    method: Annotated[
        str, typer.Option(help="Such as hemline.inventory.v1.InventoryService/GetStockLevel.")
    ] = "",
    down: Annotated[list[str] | None, typer.Option(help="A region to be thought down.")] = None,
    via: Via = None,
    as_json: AsJson = False,
) -> None:
    """Say where a call would go and why, and what if regions were down."""
    with report_errors():
        if (home is None) == (tenant is None):
            raise Problem("want one of --home REGION and --tenant NAME")
        region = home or _home_of(str(tenant))
        operator.jurisdiction_of(region)
        request = pb.ExplainRouteRequest(
            home_region=region,
            edge_region=edge,
            method=f"/{method.lstrip('/')}" if method else "",
            down_regions=down or [],
        )
        # Whose policy it is knows best.
        with operator.operations(via, region) as stub:
            answer = stub.ExplainRoute(request)
        if as_json:
            output.print_json(output.plain(answer))
            return
        screen = output.console()
        screen.print(picture(request, answer))
        for reason in answer.reasons:
            screen.print(f"  {reason}", markup=False)


def picture(request: pb.ExplainRouteRequest, answer: pb.ExplainRouteResponse) -> Tree:
    """Choices, and in each who is asked in turn: ● healthy, ○ not, ◀ answers."""
    said, colour = OUTCOMES[answer.outcome]
    what = request.method.rpartition("/")[2] or "A call"
    edge = request.edge_region or request.home_region
    tree = Tree(
        Text.assemble(
            f"{what} for tenants of {request.home_region}, at the edge of {edge}: ", (said, colour)
        )
    )
    for choice in answer.choices:
        branch = tree.add(Text(f"{choice.percent:g} % of the calls", style="bold"))
        for number, step in enumerate(choice.steps, start=1):
            branch.add(_step(number, step))
        if not choice.steps:
            branch.add(Text("nobody", style="red"))
    return tree


def _step(number: int, step: pb.RouteStep) -> Text:
    mark, colour = ("●", "green") if step.healthy else ("○", "red")
    line = Text.assemble((mark, colour), f" {number}. {step.region}")
    line.append("  healthy" if step.healthy else "  not healthy", style=colour)
    if step.serves:
        line.append("  ◀ answers", style="bold green")
    if step.endpoints:
        line.append(f"  {', '.join(step.endpoints)}", style="dim")
    return line


def _home_of(tenant: str) -> str:
    """Returns the home region of ``tenant``: whichever operator knows the name."""
    silent = []
    for region in local_topology().regions:
        try:
            if tenant in _tenants(region):
                return region
        except (grpc.RpcError, Problem):
            silent.append(region)
    also = f"; {', '.join(silent)} did not answer" if silent else ""
    raise Problem(f"no tenant {tenant}{also}", "see `hemline tenant list --region REGION`")


def _tenants(region: str) -> Iterator[str]:
    # Through a sibling's edge if need be: it is just when the region is down that one asks.
    with sign_in(operator_email(region), near=region).channel() as opened:
        method = tenant_pb_grpc.TenantServiceStub(opened).ListTenants
        for page in pages(method, tenant_pb.ListTenantsRequest(), "tenants", page_size=PAGE_SIZE):
            yield from (each.name.removeprefix("tenants/") for each in page.tenants)
