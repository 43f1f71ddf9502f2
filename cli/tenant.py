"""`hemline tenant`: retailers and their people, as the operator of a region."""

from typing import Annotated
from uuid import uuid4

import typer
from google.protobuf.message import Message
from hemline.identity.v1 import tenant_service_pb2 as pb
from hemline.identity.v1 import tenant_service_pb2_grpc as pb_grpc

from cli import output
from cli.pages import pages
from cli.problems import Problem, report_errors
from cli.session import Session, local_topology, sign_in
from deploy.local import accounts
from deploy.local.places import places
from deploy.local.world import operator_email

PAGE_SIZE = 500

Region = Annotated[str, typer.Option(help="The tenant's home region, such as eu-central-1.")]
AsJson = Annotated[bool, typer.Option("--json")]


def register(app: typer.Typer) -> None:
    group = typer.Typer(no_args_is_help=True, help="Make and list retailers; give people access.")
    group.command("create")(create)
    group.command("list")(list_)
    group.command("add-user")(add_user)
    app.add_typer(group, name="tenant")


def create(
    name: Annotated[str, typer.Argument(help="Lower-case letters, digits, hyphens.")],
    *,
    region: Region,
    display_name: Annotated[str, typer.Option(help="What people call it.")] = "",
    as_json: AsJson = False,
) -> None:
    """Make a tenant at home in a region."""
    with report_errors():
        request = pb.CreateTenantRequest(
            tenant=pb.Tenant(name=f"tenants/{name}", display_name=display_name or name),
            request_id=str(uuid4()),
        )
        with operator(region).channel() as channel:
            made = pb_grpc.TenantServiceStub(channel).CreateTenant(request).tenant
        line = f"{made.name} {made.uid} lives in {made.home_region}"
        _print(made, as_json=as_json, line=line)


def list_(*, region: Region, as_json: AsJson = False) -> None:
    """List the tenants at home in a region."""
    with report_errors(), operator(region).channel() as channel:
        method = pb_grpc.TenantServiceStub(channel).ListTenants
        read = [*pages(method, pb.ListTenantsRequest(), "tenants", page_size=PAGE_SIZE)]
        found = [tenant for page in read for tenant in page.tenants]
        if as_json:
            output.print_json({"tenants": [output.plain(tenant) for tenant in found]})
            return
        rows = [
            (tenant.name.removeprefix("tenants/"), tenant.uid, tenant.display_name)
            for tenant in found
        ]
        output.print_table(f"Tenants at home in {region}", ("Tenant", "Id", "Name"), rows)


def add_user(
    name: Annotated[str, typer.Argument(help="The tenant.")],
    *,
    region: Region,
    email: Annotated[str, typer.Option(help="With which they sign in.")],
    role: Annotated[str, typer.Option(help="planner, store-manager or viewer.")] = "planner",
    as_json: AsJson = False,
) -> None:
    """Let somebody into a tenant, with an account at the local sign-in provider."""
    with report_errors():
        request = pb.CreateUserRequest(
            parent=f"tenants/{name}",
            user=pb.User(email=email, role=role),
            # Random: one made from the e-mail would be a hash of it that needs no key.
            request_id=str(uuid4()),
        )
        with operator(region).channel() as channel:
            made = pb_grpc.TenantServiceStub(channel).CreateUser(request).user
        open_account(email, region)
        next_step = f"hemline token --user {email.strip().lower()}"
        line = f"{made.name} is {made.role}; sign in with: {next_step}"
        _print(made, as_json=as_json, line=line)


def operator(region: str) -> Session:
    """Signs in as the operator of ``region``. Raises Problem for a region that is not there."""
    known = local_topology().regions
    if region not in known:
        raise Problem(f"unknown region {region}", f"known: {', '.join(known)}")
    return sign_in(operator_email(region))


def open_account(email: str, region: str) -> None:
    """Makes an account at the local provider, in the jurisdiction of ``region``. Idempotent."""
    jurisdiction = local_topology().jurisdiction_of(region).name
    try:
        account = accounts.add(places().accounts, email, jurisdiction)
        accounts.register(accounts.pool(places().providers, jurisdiction), account)
    except accounts.AccountsError as error:
        raise Problem(str(error)) from None


def _print(message: Message, *, as_json: bool, line: str) -> None:
    if as_json:
        output.print_json(output.plain(message))
    else:
        typer.echo(line)
