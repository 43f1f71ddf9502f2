"""`hemline regions` and `hemline proxies`: what Envoys see, and what they have accepted."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated

import grpc
import typer
from hemline.router.v1 import operations_service_pb2 as pb
from hemline.router.v1 import operations_service_pb2_grpc as pb_grpc
from rich.live import Live
from rich.table import Table
from rich.text import Text

from cli import operator, output
from cli.operator import AsJson, Via
from cli.pages import pages
from cli.problems import code_of, report_errors

PAGE_SIZE = 500
WATCH_SECONDS = 600.0
"""For one stream. Then it is opened again."""

HEADINGS = ("Region", "Drained", "Service", "Healthy", "Calls/s", "Errors/s", "Seen")


def register(app: typer.Typer) -> None:
    app.command("regions")(regions)
    app.command("proxies")(proxies)


def regions(
    *,
    watch: Annotated[bool, typer.Option("--watch", help="Go on as it changes.")] = False,
    via: Via = None,
    as_json: AsJson = False,
) -> None:
    """Show health and load of a jurisdiction's regions, as the edges of one of them see it."""
    with report_errors(), operator.operations(via) as stub:
        seen = _watched(stub) if watch else _once(stub)
        if as_json:
            for message in seen:
                typer.echo(json.dumps(output.plain(message)))
            return
        screen = output.console()
        if not watch or not screen.is_terminal:
            for message in seen:
                screen.print(table(message))
            return
        with Live(console=screen, auto_refresh=False) as live:
            try:
                for message in seen:
                    live.update(table(message), refresh=True)
            except KeyboardInterrupt:
                return


def proxies(*, via: Via = None, as_json: AsJson = False) -> None:
    """List the proxies of a router: what each has accepted, and what it has refused."""
    with report_errors(), operator.operations(via) as stub:
        request = pb.ListProxiesRequest()
        read = list(pages(stub.ListProxies, request, "proxies", page_size=PAGE_SIZE))
        found = [proxy for page in read for proxy in page.proxies]
        last = read[-1]
        if as_json:
            output.print_json(
                {
                    "proxies": [output.plain(proxy) for proxy in found],
                    "proof": last.proof,
                    "proven_states": last.proven_states,
                    "refused": last.refused,
                }
            )
            return
        headings = ("Proxy", "Stream", "In sync", "Snapshot", ">Slowest type", "Refused")
        output.print_table("Proxies of this router", headings, [_proxy_row(one) for one in found])
        typer.echo(f"Proof {last.proof or 'none yet'} over {last.proven_states} states of regions.")
        if last.refused:
            typer.echo(f"The newest snapshot was refused; the one before stays: {last.refused}")


def table(message: pb.WatchRegionsResponse) -> Table:
    """One row a service."""
    made = Table(*HEADINGS, box=None, pad_edge=False, padding=(0, 2, 0, 0))
    now = message.time.ToDatetime(tzinfo=UTC)
    for region in message.regions:
        name, drained = region.name.removeprefix("regions/"), region.drained_percent
        for number, service in enumerate(region.services):
            first = number == 0
            made.add_row(
                name if first else "",
                Text(f"{drained} %", style="yellow") if first and drained else "",
                service.service,
                _healthy(service),
                f"{service.calls_per_second:.1f}",
                Text(
                    f"{service.errors_per_second:.1f}",
                    style="red" if service.errors_per_second else "",
                ),
                _age(service, now),
            )
    return made


def _once(stub: pb_grpc.OperationsServiceStub) -> Iterator[pb.WatchRegionsResponse]:
    stream = stub.WatchRegions(pb.WatchRegionsRequest())
    yield next(iter(stream))
    stream.cancel()


def _watched(stub: pb_grpc.OperationsServiceStub) -> Iterator[pb.WatchRegionsResponse]:
    while True:
        try:
            yield from stub.WatchRegions(pb.WatchRegionsRequest(), timeout=WATCH_SECONDS)
        except grpc.RpcError as error:
            if code_of(error) is not grpc.StatusCode.DEADLINE_EXCEEDED:
                raise


def _healthy(service: pb.ServiceStatus) -> Text:
    if not service.HasField("report_time"):
        return Text("no report", style="yellow")
    whole = service.healthy_hosts == service.hosts
    colour = "green" if whole else "yellow" if service.healthy_hosts else "red"
    return Text(f"{service.healthy_hosts}/{service.hosts}", style=colour)


def _age(service: pb.ServiceStatus, now: datetime) -> str:
    if not service.HasField("report_time"):
        return ""
    return f"{(now - service.report_time.ToDatetime(tzinfo=UTC)).total_seconds():.0f} s ago"


def _proxy_row(proxy: pb.Proxy) -> tuple[object, ...]:
    refused = [
        f"{one.type}: {one.refused_reason}" for one in proxy.resources if one.refused_version
    ]
    latencies = [
        one.accept_latency.ToMicroseconds() / 1000
        for one in proxy.resources
        if one.HasField("accept_latency")
    ]
    return (
        proxy.node,
        Text("open", style="green") if proxy.connected else Text("gone", style="yellow"),
        Text("yes", style="green") if proxy.in_sync else Text("no", style="yellow"),
        proxy.snapshot_version,
        f"{max(latencies):.0f} ms" if latencies else "",
        Text("; ".join(refused), style="red"),
    )
