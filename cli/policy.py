"""`hemline policy`: how the traffic of a jurisdiction is steered, and who has changed it."""

from contextlib import ExitStack
from typing import Annotated

import typer
from hemline.router.v1 import operations_service_pb2 as pb

from cli import operator, output
from cli.drain import share_rows
from cli.operator import AsJson, DryRun, Reason, Via
from cli.pages import pages
from cli.problems import Problem, report_errors

PAGE_SIZE = 500
PREFIX = "TRAFFIC_MODE_"


def register(app: typer.Typer) -> None:
    group = typer.Typer(no_args_is_help=True, help="How the traffic of a jurisdiction is steered.")
    group.command("show")(show)
    group.command("set")(set_)
    group.command("history")(history)
    app.add_typer(group, name="policy")


def show(*, via: Via = None, as_json: AsJson = False) -> None:
    """Show the policy in force."""
    with report_errors(), operator.operations(via) as stub:
        policy = stub.GetTrafficPolicy(pb.GetTrafficPolicyRequest()).policy
        if as_json:
            output.print_json(output.plain(policy))
            return
        for line in lines(policy):
            typer.echo(line)


def set_(  # noqa: PLR0913  # The options of a command.
    *,
    mode: Annotated[
        str | None, typer.Option(help="failover, latency, geolocation or weighted.")
    ] = None,
    weight: Annotated[
        list[str] | None, typer.Option(help="REGION=PERCENT, for weighted. All of them.")
    ] = None,
    track: Annotated[
        list[str] | None,
        typer.Option(help="SERVICE:TRACK=PERCENT; all of a service's. SERVICE: clears them."),
    ] = None,
    floor: Annotated[int | None, typer.Option(help="Refuse tokens of a lower home epoch.")] = None,
    dry_run: DryRun = False,
    reason: Reason = "",
    via: Via = None,
    as_json: AsJson = False,
) -> None:
    """Change what is named and leave the rest. Drains stay: see `hemline drain`."""
    with report_errors(), ExitStack() as opened:
        if mode is None and weight is None and track is None and floor is None:
            raise Problem("nothing to change", "name --mode, --weight, --track or --floor")
        stub = opened.enter_context(operator.operations(via))
        # With its etag: what another operator changes meanwhile is not overwritten.
        policy = stub.GetTrafficPolicy(pb.GetTrafficPolicyRequest()).policy
        if mode is not None:
            policy.mode = _mode(mode)
            policy.weights.clear()
        if weight is not None:
            policy.weights.clear()
            policy.weights.update(_percent(text, "REGION=PERCENT") for text in weight)
        _set_tracks(policy, track or [])
        if floor is not None:
            policy.home_epoch_floor = floor
        request = pb.SetTrafficPolicyRequest(
            policy=policy,
            validate_only=dry_run,
            request_id=operator.request_id(),
            reason=reason,
        )
        answer = stub.SetTrafficPolicy(request)
        if as_json:
            output.print_json(output.plain(answer))
            return
        for line in lines(answer.policy):
            typer.echo(line)
        title = "Who would be asked first" if dry_run else "Who is asked first"
        output.print_table(title, ("Home", "Edge", "First asked"), share_rows(answer.shares))
        for name in answer.unreachable:
            typer.echo(f"The policy store of {name} does not answer; it is brought there later.")
        typer.echo(f"Next: {'the same without --dry-run' if dry_run else 'hemline policy history'}")


def history(
    *,
    limit: Annotated[int, typer.Option(min=0, help="How many; 0 for all.")] = 20,
    via: Via = None,
    as_json: AsJson = False,
) -> None:
    """List who has changed what, newest first."""
    with report_errors(), operator.operations(via) as stub:
        request = pb.ListPolicyChangesRequest()
        read = list(
            pages(stub.ListPolicyChanges, request, "changes", page_size=PAGE_SIZE, limit=limit)
        )
        changes = [change for page in read for change in page.changes]
        silent = sorted({name for page in read for name in page.unreachable})
        if as_json:
            found = [output.plain(change) for change in changes]
            output.print_json({"changes": found, "unreachable": silent})
            return
        rows = [
            (
                each.version,
                each.create_time.ToDatetime().strftime("%Y-%m-%d %H:%M:%S"),
                each.action,
                each.reason,
                each.region,
                each.operator,
            )
            for each in changes
        ]
        headings = (">Version", "Time (UTC)", "Change", "Reason", "?Taken by", "?Operator")
        output.print_table("Changes of the policy", headings, rows)
        for name in silent:
            typer.echo(f"The policy store of {name} does not answer.")


def lines(policy: pb.TrafficPolicy) -> list[str]:
    """The policy in words."""
    mode = pb.TrafficMode.Name(policy.mode).removeprefix(PREFIX).lower()
    found = [f"{policy.jurisdiction}: {mode}"]
    found += [
        f"  {name}: {percent} % of the calls" for name, percent in sorted(policy.weights.items())
    ]
    found += [
        f"  {name}: drained by {percent} %" for name, percent in sorted(policy.drained.items())
    ]
    for service, tracks in sorted(policy.tracks.items()):
        shares = (f"{track} {percent} %" for track, percent in sorted(tracks.percents.items()))
        found.append(f"  {service}: {', '.join(shares)}")
    if policy.home_epoch_floor:
        found.append(f"  tokens with a home epoch below {policy.home_epoch_floor} are refused")
    return found


def _mode(text: str) -> pb.TrafficMode.ValueType:
    known = {name.removeprefix(PREFIX).lower(): name for name in pb.TrafficMode.keys()[1:]}
    if text not in known:
        raise Problem(f"unknown mode {text}", f"known: {', '.join(known)}")
    return pb.TrafficMode.Value(known[text])


def _set_tracks(policy: pb.TrafficPolicy, given: list[str]) -> None:
    named = {text.partition(":")[0] for text in given}
    for service in named:
        if service in policy.tracks:
            del policy.tracks[service]
    for text in given:
        service, _, rest = text.partition(":")
        if rest:
            track, percent = _percent(rest, "SERVICE:TRACK=PERCENT")
            policy.tracks[service].percents[track] = percent


def _percent(text: str, wanted: str) -> tuple[str, int]:
    name, _, percent = text.partition("=")
    if not name or not percent.isdecimal():
        raise Problem(f"{text}: want {wanted}")
    return name, int(percent)
