"""`hemline verify` and `hemline receipt`: evidence of where calls were served."""

import re
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from hemline.router.v1 import residency_service_pb2 as pb
from hemline.router.v1 import residency_service_pb2_grpc as pb_grpc

from cli import output
from cli.problems import FAILED, Problem, report_errors
from cli.session import local_topology, sign_in
from deploy.local.world import operator_email
from services.chassis.clock import utc_now
from services.chassis.wire import to_timestamp
from services.router.receipt import ReceiptInvalid
from services.router.receipt import verify as verified

NOBODY = "(nobody)"
NO_TOKEN = "(none)"  # noqa: S105  # No password: what stands for a token that was not there.
UNITS = {"m": "minutes", "h": "hours", "d": "days"}
SINCE = "From when: a time such as 2026-03-01T09:00, or how long ago, such as 30m, 12h or 7d."

Since = Annotated[str, typer.Option(help=SINCE)]
Json = Annotated[bool, typer.Option("--json", help="For programs.")]


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="Proves residency: by the routers' evidence, or by a receipt.")
    group.command()(residency)
    group.command("receipt")(check_receipt)
    app.add_typer(group, name="verify", no_args_is_help=True)
    app.command()(receipt)


def residency(*, since: Since = "", as_json: Json = False) -> None:
    """Shows which regions served whose calls. Exit code 1 if one was served where it must not be.

    Asks every jurisdiction's operators' API of the local world. Counts are kept by the hour, and
    are some seconds old. SEEN counts calls at edges; sidecars report them once more.
    """
    with report_errors():
        start = _moment(since, utc_now())
        found = {name: _report(operator, start) for name, operator in _operators()}
        violations = sum(one.violations for one in found.values())
        if as_json:
            output.print_json(_plain(found))
        else:
            _print(found)
        if violations:
            raise typer.Exit(FAILED)


def receipt(
    user: Annotated[str, typer.Option(help="E-mail of an account of the local world.")],
    *,
    since: Since = "",
) -> None:
    """Print a signed statement of where the calls of the user's company were served."""
    with report_errors():
        request = pb.IssueResidencyReceiptRequest()
        if (start := _moment(since, utc_now())) is not None:
            request.start_time.CopyFrom(to_timestamp(start))
        with sign_in(user).channel() as channel:
            answer = pb_grpc.ResidencyServiceStub(channel).IssueResidencyReceipt(request)
        typer.echo(answer.receipt)


def check_receipt(
    file: Annotated[Path, typer.Argument(help="A receipt.", dir_okay=False, allow_dash=True)],
    authority: Annotated[
        Path, typer.Option(help="Certificate of the jurisdiction's authority, PEM.")
    ],
) -> None:
    """Verify a receipt, without Hemline, and show what it says. Exit code 1 if it does not hold."""
    with report_errors():
        try:
            text = sys.stdin.read() if str(file) == "-" else file.read_text("utf-8")
            found = verified(text.strip(), authority.read_bytes(), utc_now())
        except (OSError, UnicodeDecodeError) as error:
            raise Problem(f"cannot be read: {error}") from None
        except ReceiptInvalid as error:
            raise Problem(f"the receipt does not hold: {error}") from None
        output.print_json(found)
        if found["violations"]:
            raise typer.Exit(FAILED)


def _operators() -> Iterator[tuple[str, str]]:
    for name, jurisdiction in sorted(local_topology().jurisdictions.items()):
        yield name, operator_email(jurisdiction.regions[0])


def _report(operator: str, start: datetime | None) -> pb.GetResidencyReportResponse:
    request = pb.GetResidencyReportRequest()
    if start is not None:
        request.start_time.CopyFrom(to_timestamp(start))
    with sign_in(operator).channel() as channel:
        found: pb.GetResidencyReportResponse = pb_grpc.ResidencyServiceStub(
            channel
        ).GetResidencyReport(request)
    return found


def _plain(found: dict[str, pb.GetResidencyReportResponse]) -> dict[str, Any]:
    return {
        "seen": sum(one.seen for one in found.values()),
        "violations": sum(one.violations for one in found.values()),
        "jurisdictions": {name: output.plain(one) for name, one in found.items()},
    }


def _print(found: dict[str, pb.GetResidencyReportResponse]) -> None:
    headings = ("TOKEN", "SERVED IN", "REPORTED BY", "OF", ">CALLS")
    for name, one in found.items():
        output.print_table(f"Reported by proxies of {name}", headings, list(_rows(one.counts)))
        for violation in one.evidence:
            typer.echo(
                f"VIOLATION {violation.time.ToDatetime(UTC):%Y-%m-%d %H:%M:%S}: a call of "
                f"{violation.token_jurisdiction} went to {violation.served_region}; "
                f"{violation.node} {violation.method} trace {violation.trace_id}"
            )
        if one.unreachable:
            typer.echo(f"unreachable: {', '.join(one.unreachable)}; what they saw is not in here")
        typer.echo(f"{name}: {one.seen} requests seen, {one.violations} violations\n")


def _rows(counts: Sequence[pb.ResidencyCount]) -> Iterator[tuple[object, ...]]:
    def order(one: pb.ResidencyCount) -> tuple[str, ...]:
        return (one.reporter, one.token_jurisdiction, one.served_region, one.reporter_region)

    for one in sorted(counts, key=order):
        yield (
            one.token_jurisdiction or NO_TOKEN,
            one.served_region or NOBODY,
            one.reporter,
            one.reporter_region,
            one.calls,
        )


def _moment(text: str, now: datetime) -> datetime | None:
    if not text:
        return None
    if ago := re.fullmatch(r"(\d{1,6})([mhd])", text):
        return now - timedelta(**{UNITS[ago[2]]: int(ago[1])})
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise Problem(f"--since {text}: not a time", "such as 2026-03-01T09:00, or 12h") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
