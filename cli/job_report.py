"""What `hemline job` prints of jobs."""

from collections.abc import Callable, Sequence
from math import isnan

import typer
from hemline.forecast.v1 import job_service_pb2 as pb

from cli import output

ENDS = (pb.JOB_STATE_SUCCEEDED, pb.JOB_STATE_FAILED, pb.JOB_STATE_CANCELLED)
FIGURES = ("rmsse", "mase", "wmape", "spl")
SHARES = ("coverage", "bias")


class Bars:
    """Progress: the history, then a bar of shards once it is known how many there are."""

    def __init__(self, begin: Callable[[str], output.Report]) -> None:
        self._begin = begin
        self._report: output.Report | None = None

    def show(self, job: pb.Job) -> None:
        progress = job.progress
        if not progress.total_shards:
            return
        if self._report is None:
            self._report = self._begin(f"{progress.series:,} series")
        self._report(progress.done_shards / progress.total_shards)


def table(jobs: Sequence[pb.Job]) -> None:
    rows = [
        (
            job.name,
            _kind(job.spec),
            _word(pb.JobState.Name(job.state)),
            job.create_time.ToDatetime().strftime("%Y-%m-%d %H:%M"),
            _lasted(job),
            "night" if job.origin == pb.JOB_ORIGIN_SCHEDULE else "call",
            job.error.message if job.state == pb.JOB_STATE_FAILED else job.progress.message,
        )
        for job in jobs
    ]
    headings = ("Name", "What", "State", "Created (UTC)", ">Took", "By", "?How far")
    output.print_table("Jobs, newest first", headings, rows)


def show(job: pb.Job, user: str) -> None:
    """What a job does and found, and what to do next."""
    typer.echo(f"{job.name}: {_kind(job.spec)}, {_word(pb.JobState.Name(job.state))}.")
    if job.state == pb.JOB_STATE_FAILED:
        typer.echo(f"{job.error.reason}: {job.error.message}")
        typer.echo(f"Next: hemline job create --user {user}")
    elif job.state == pb.JOB_STATE_SUCCEEDED:
        _found(job)
        if job.result.forecast_run:
            typer.echo(f"Next: hemline forecast list --user {user}")
        else:
            typer.echo(f"Next: hemline job create --user {user}")
    elif job.state != pb.JOB_STATE_CANCELLED:
        typer.echo(job.progress.message)
        typer.echo(f"Next: hemline job watch {job.name} --user {user}")


def schedule_said(found: pb.JobSchedule) -> str:
    """A schedule as a sentence."""
    if not found.enabled:
        return "Nothing is forecast by itself. Next: hemline job schedule --on"
    each = f"Each night from {found.start_time} UTC: {_kind(found.spec)}."
    if not found.HasField("next_time"):
        return f"{each} The first one follows the first import of sales."
    return f"{each} The next one begins {found.next_time.ToDatetime():%Y-%m-%d %H:%M} UTC."


def _found(job: pb.Job) -> None:
    result = job.result
    typer.echo(f"{result.series:,} series seen until {result.cutoff_date}, by {result.model}.")
    if not result.scores:
        typer.echo("The history is too short to judge it by past days.")
        return
    rows = [
        (
            score.cutoff_date,
            score.segment,
            f"{score.series:,}",
            *(_figure(getattr(score, name)) for name in FIGURES),
            *(_share(getattr(score, name)) for name in SHARES),
        )
        for score in result.scores
    ]
    what = "each cutoff" if job.spec.kind == pb.JOB_KIND_BACKTEST else "days that it held back"
    headings = ("Cutoff", "Series of the kind", ">Series", ">RMSSE", ">MASE", ">WMAPE", ">SPL",
                ">P10-P90 (80 %)", ">Bias")  # fmt: skip
    output.print_table(f"How good, on {what}", headings, rows)


def _kind(spec: pb.JobSpec) -> str:
    unit = "weeks" if spec.period == pb.FORECAST_PERIOD_WEEK else "days"
    effort = _word(pb.ForecastEffort.Name(spec.effort))
    kind = _word(pb.JobKind.Name(spec.kind))
    return f"{kind} of {spec.horizon} {unit}, {effort}"


def _lasted(job: pb.Job) -> str:
    if not (job.HasField("start_time") and job.HasField("end_time")):
        return ""
    seconds = (job.end_time.ToDatetime() - job.start_time.ToDatetime()).total_seconds()
    return f"{seconds:,.1f} s"


def _word(name: str) -> str:
    return name.rpartition("_")[2].lower()


def _figure(value: float) -> str:
    return "" if isnan(value) else f"{value:.3f}"


def _share(value: float) -> str:
    return "" if isnan(value) else f"{value:.1%}"
