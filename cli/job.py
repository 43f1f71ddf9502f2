"""`hemline job`: forecasts and backtests of everything, as work that goes on by itself."""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Annotated, Any
from uuid import uuid4

import grpc
import typer
from hemline.forecast.v1 import job_service_pb2 as pb
from hemline.forecast.v1 import job_service_pb2_grpc as pb_grpc

from cli import job_report, output
from cli.pages import pages
from cli.problems import FAILED, code_of, report_errors
from cli.session import sign_in

MOST_PER_PAGE = 100
STREAM_SECONDS = 900.0


class Period(StrEnum):
    DAY = "day"
    WEEK = "week"


class Effort(StrEnum):
    LIGHT = "light"
    MIDDLE = "middle"
    FULL = "full"


User = Annotated[str, typer.Option(help="Whose sales: the e-mail of an account.")]
Json = Annotated[bool, typer.Option("--json", help="The answer as JSON.")]
Name = Annotated[str, typer.Argument(help="jobs/..., as `hemline job list` names it.")]
PeriodOf = Annotated[Period, typer.Option("--period", help="What one step is.")]
EffortOf = Annotated[Effort, typer.Option("--effort", help="More is better and costs more.")]
Horizon = Annotated[
    int, typer.Option(min=0, max=91, help="Periods to forecast; 0 for 28 days or 8 weeks.")
]


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="Forecast or backtest everything.", no_args_is_help=True)
    group.command("create")(create)
    group.command("list")(list_)
    group.command("get")(get)
    group.command("watch")(watch)
    group.command("cancel")(cancel)
    group.command("schedule")(schedule)
    app.add_typer(group, name="job")


def create(  # noqa: PLR0913  # Each is an option of the command line.
    *,
    user: User,
    backtest: Annotated[
        str, typer.Option(help="Forecast from these last days instead: YYYY-MM-DD,YYYY-MM-DD.")
    ] = "",
    period: PeriodOf = Period.DAY,
    horizon: Horizon = 0,
    effort: EffortOf = Effort.LIGHT,
    follow: Annotated[bool, typer.Option("--watch", help="Wait for its end.")] = False,
    as_json: Json = False,
) -> None:
    """Begin a job. It goes on when nobody waits for it."""
    cutoffs = [day.strip() for day in backtest.split(",") if day.strip()]
    kind = pb.JOB_KIND_BACKTEST if cutoffs else pb.JOB_KIND_FORECAST
    spec = _spec(period, horizon, effort, kind=kind)
    spec.cutoff_dates.extend(cutoffs)
    request = pb.CreateJobRequest(spec=spec, request_id=str(uuid4()))
    with _service(user) as stub:
        job = stub.CreateJob(request).job
        if follow:
            job = _followed(stub, job.name, shown=not as_json)
    _show(job, user, as_json=as_json)


def list_(
    *,
    user: User,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="How many to show.")] = 20,
    as_json: Json = False,
) -> None:
    """List jobs, newest first, those of the night among them."""
    with _service(user) as stub:
        request = pb.ListJobsRequest()
        read = [*pages(stub.ListJobs, request, "jobs", page_size=MOST_PER_PAGE, limit=limit)]
    found = [job for page in read for job in page.jobs][:limit]
    if as_json:
        output.print_json({"jobs": [output.plain(job) for job in found]})
        return
    job_report.table(found)
    if found:
        typer.echo(f"Next: hemline job get {found[0].name} --user {user}")


def get(name: Name, *, user: User, as_json: Json = False) -> None:
    """Show a job, and what it found."""
    with _service(user) as stub:
        job = stub.GetJob(pb.GetJobRequest(name=_full(name))).job
    _show(job, user, as_json=as_json)


def watch(name: Name, *, user: User, as_json: Json = False) -> None:
    """Wait for the end of a job."""
    with _service(user) as stub:
        job = _followed(stub, _full(name), shown=not as_json)
    _show(job, user, as_json=as_json)


def cancel(name: Name, *, user: User, as_json: Json = False) -> None:
    """End a job that is under way. Nothing of it is kept."""
    request = pb.CancelJobRequest(name=_full(name), request_id=str(uuid4()))
    with _service(user) as stub:
        job = stub.CancelJob(request).job
    if as_json:
        output.print_json(output.plain(job))
        return
    typer.echo(f"{job.name} is cancelled. The last good forecast is still served.")


def schedule(  # noqa: PLR0913  # Each is an option of the command line.
    *,
    user: User,
    start: Annotated[str, typer.Option("--start", help="When the night begins: HH:MM, UTC.")] = "",
    enabled: Annotated[
        bool | None, typer.Option("--on/--off", help="Whether to forecast each night.")
    ] = None,
    period: Annotated[Period | None, typer.Option("--period", help="What one step is.")] = None,
    horizon: Annotated[int | None, typer.Option(min=0, max=91, help="Periods to forecast.")] = None,
    effort: Annotated[Effort | None, typer.Option("--effort", help="How much computing.")] = None,
    as_json: Json = False,
) -> None:
    """Show the nightly forecast, or change what is given."""
    with _service(user) as stub:
        found = stub.GetJobSchedule(pb.GetJobScheduleRequest()).schedule
        if any(value is not None for value in (enabled, period, horizon, effort)) or start:
            found.start_time = start or found.start_time
            found.enabled = found.enabled if enabled is None else enabled
            if period is not None:
                found.spec.period = _period(period)
                found.spec.horizon = 0  # A horizon of days is none of weeks.
            if horizon is not None:
                found.spec.horizon = horizon
            if effort is not None:
                found.spec.effort = _effort(effort)
            request = pb.UpdateJobScheduleRequest(schedule=found, request_id=str(uuid4()))
            found = stub.UpdateJobSchedule(request).schedule
    if as_json:
        output.print_json(output.plain(found))
        return
    typer.echo(job_report.schedule_said(found))


def _show(job: pb.Job, user: str, *, as_json: bool) -> None:
    """Prints a job. Exits with a failure where it has failed."""
    if as_json:
        output.print_json(output.plain(job))
    else:
        job_report.show(job, user)
    if job.state == pb.JOB_STATE_FAILED:
        raise typer.Exit(FAILED)


def _followed(stub: Any, name: str, *, shown: bool) -> pb.Job:
    """The job at its end. A stream that has lasted too long is begun again."""
    with output.progress(enabled=shown) as begin:
        bars = job_report.Bars(begin)
        while True:
            try:
                for answer in stub.WatchJob(pb.WatchJobRequest(name=name), timeout=STREAM_SECONDS):
                    job: pb.Job = answer.job
                    bars.show(job)
                    if job.state in job_report.ENDS:
                        return job
            except grpc.RpcError as error:
                if code_of(error) is not grpc.StatusCode.DEADLINE_EXCEEDED:
                    raise


@contextmanager
def _service(user: str) -> Iterator[Any]:
    with report_errors(), sign_in(user).channel() as channel:
        yield pb_grpc.JobServiceStub(channel)


def _spec(
    period: Period, horizon: int, effort: Effort, *, kind: pb.JobKind.ValueType
) -> pb.JobSpec:
    return pb.JobSpec(kind=kind, period=_period(period), horizon=horizon, effort=_effort(effort))


def _period(period: Period) -> pb.ForecastPeriod.ValueType:
    return pb.ForecastPeriod.Value(f"FORECAST_PERIOD_{period.upper()}")


def _effort(effort: Effort) -> pb.ForecastEffort.ValueType:
    return pb.ForecastEffort.Value(f"FORECAST_EFFORT_{effort.upper()}")


def _full(name: str) -> str:
    return f"jobs/{name.removeprefix('jobs/')}"
