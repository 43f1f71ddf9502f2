"""Job messages to domain values and back. A field that breaks its rule: InvalidArgument."""

import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import TypeVar
from uuid import UUID

from hemline.forecast.v1 import job_service_pb2 as pb

from services.chassis.fields import UUID_TEXT, Fields
from services.chassis.paging import Limits, Page, page_from
from services.chassis.wire import to_timestamp
from services.forecast.domain.jobs import (
    DEFAULT_HORIZON,
    MOST_CUTOFFS,
    MOST_HORIZON,
    Job,
    Kind,
    Origin,
    Phase,
    Schedule,
    Score,
    Spec,
    State,
)
from services.forecast.fields import iso_date, refusal
from services.forecast.wire import newest
from services.forecast.wire.convert.forecasts import run_name

JOBS = Limits(default=20, most=100)
PERIODS = {pb.FORECAST_PERIOD_DAY: "D", pb.FORECAST_PERIOD_WEEK: "W"}
EFFORTS = {
    pb.FORECAST_EFFORT_LIGHT: "light",
    pb.FORECAST_EFFORT_MIDDLE: "middle",
    pb.FORECAST_EFFORT_FULL: "full",
}
KINDS = {pb.JOB_KIND_FORECAST: Kind.FORECAST, pb.JOB_KIND_BACKTEST: Kind.BACKTEST}
STATES = {
    State.PENDING: pb.JOB_STATE_PENDING,
    State.RUNNING: pb.JOB_STATE_RUNNING,
    State.SUCCEEDED: pb.JOB_STATE_SUCCEEDED,
    State.FAILED: pb.JOB_STATE_FAILED,
    State.CANCELLED: pb.JOB_STATE_CANCELLED,
}
PHASES = {
    Phase.WAITING: pb.JOB_PHASE_UNSPECIFIED,
    Phase.READING: pb.JOB_PHASE_READING,
    Phase.COMPUTING: pb.JOB_PHASE_COMPUTING,
    Phase.STORING: pb.JOB_PHASE_STORING,
    Phase.DONE: pb.JOB_PHASE_DONE,
}
ORIGINS = {
    Origin.REQUEST: pb.JOB_ORIGIN_REQUEST,
    Origin.SCHEDULE: pb.JOB_ORIGIN_SCHEDULE,
}
CLOCK_TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")
K = TypeVar("K")
V = TypeVar("V")


def job_request_from(request: pb.CreateJobRequest) -> tuple[UUID, Spec]:
    fields = Fields()
    request_id = fields.request_id(request.request_id)
    spec = _spec_from(request.spec, fields, "spec")
    fields.check()
    return request_id, spec


def schedule_from(request: pb.UpdateJobScheduleRequest) -> Schedule:
    fields = Fields()
    fields.request_id(request.request_id)
    wanted = request.schedule
    spec = _spec_from(wanted.spec, fields, "schedule.spec")
    if spec.kind is not Kind.FORECAST:
        fields.refuse("schedule.spec.kind", "must be JOB_KIND_FORECAST.")
    clock = CLOCK_TIME.fullmatch(wanted.start_time)
    if clock is None:
        fields.refuse("schedule.start_time", "must be HH:MM, such as 01:00, in UTC.")
    fields.check()
    hours, minutes = clock.groups() if clock else (0, 0)
    return Schedule(wanted.enabled, int(hours) * 60 + int(minutes), spec)


def job_id_from(name: str) -> UUID:
    collection, _, last = name.partition("/")
    if collection != "jobs" or not UUID_TEXT.fullmatch(last):
        raise refusal("name", "must be jobs/{job}, as CreateJob and ListJobs name it.")
    return UUID(last)


def cancelled_from(request: pb.CancelJobRequest) -> UUID:
    fields = Fields()
    fields.request_id(request.request_id)
    fields.check()
    return job_id_from(request.name)


def page_of_jobs(request: pb.ListJobsRequest) -> Page:
    """The sort key is the time a job was made, in microseconds since 1970, and its id."""
    return newest.check_key(page_from(request, JOBS, "jobs", key=newest.KEY), "job")


def message_of_job(job: Job) -> pb.Job:
    """The job as a message. What it lacks stays unset."""
    message = pb.Job(
        name=f"jobs/{job.id}",
        spec=message_of_spec(job.spec),
        state=STATES[job.state],
        progress=pb.JobProgress(
            phase=PHASES[job.progress.phase],
            done_shards=job.progress.done_shards,
            total_shards=job.progress.total_shards,
            series=job.progress.series,
            message=job.progress.message,
        ),
        origin=ORIGINS[job.origin],
        create_time=to_timestamp(job.create_time),
        start_time=to_timestamp(job.start_time) if job.start_time else None,
        end_time=to_timestamp(job.end_time) if job.end_time else None,
    )
    if job.failure is not None:
        message.error.CopyFrom(pb.JobError(reason=job.failure.reason, message=job.failure.message))
    if job.state is State.SUCCEEDED:
        message.result.CopyFrom(_message_of_result(job))
    return message


def message_of_spec(spec: Spec) -> pb.JobSpec:
    return pb.JobSpec(
        kind=_named(KINDS, spec.kind),
        period=_named(PERIODS, spec.period),
        horizon=spec.horizon,
        effort=_named(EFFORTS, spec.effort),
        cutoff_dates=[cutoff.isoformat() for cutoff in spec.cutoff_dates],
    )


def message_of_schedule(schedule: Schedule, next_time: datetime | None) -> pb.JobSchedule:
    hours, minutes = divmod(schedule.start_minute, 60)
    return pb.JobSchedule(
        enabled=schedule.enabled,
        start_time=f"{hours:02}:{minutes:02}",
        spec=message_of_spec(schedule.spec),
        next_time=to_timestamp(next_time) if next_time else None,
    )


def _spec_from(message: pb.JobSpec, fields: Fields, path: str) -> Spec:
    kind = KINDS.get(message.kind)
    if kind is None:
        fields.refuse(f"{path}.kind", "must be JOB_KIND_FORECAST or JOB_KIND_BACKTEST.")
    period = PERIODS.get(message.period or pb.FORECAST_PERIOD_DAY)
    if period is None:
        fields.refuse(f"{path}.period", "must be FORECAST_PERIOD_DAY or FORECAST_PERIOD_WEEK.")
        period = "D"
    effort = EFFORTS.get(message.effort or pb.FORECAST_EFFORT_LIGHT)
    if effort is None:
        fields.refuse(f"{path}.effort", "must be FORECAST_EFFORT_LIGHT, _MIDDLE or _FULL.")
    most = MOST_HORIZON[period]
    if not 0 <= message.horizon <= most:
        default = DEFAULT_HORIZON[period]
        fields.refuse(f"{path}.horizon", f"must be 1 to {most}, or 0 for {default}.")
    cutoffs = _cutoffs_from(message, kind, fields, f"{path}.cutoff_dates")
    horizon = message.horizon or DEFAULT_HORIZON[period]
    return Spec(kind or Kind.FORECAST, period, horizon, effort or "light", cutoffs)


def _cutoffs_from(
    message: pb.JobSpec, kind: Kind | None, fields: Fields, path: str
) -> tuple[date, ...]:
    if kind is not Kind.BACKTEST:
        if message.cutoff_dates:
            fields.refuse(path, "must be empty, but for a backtest.")
        return ()
    if not 1 <= len(message.cutoff_dates) <= MOST_CUTOFFS:
        fields.refuse(path, f"must hold 1 to {MOST_CUTOFFS} dates.")
        return ()
    found = []
    for at, text in enumerate(message.cutoff_dates):
        cutoff = iso_date(text)
        if cutoff is None:
            fields.refuse(f"{path}[{at}]", "must be a date, YYYY-MM-DD.")
        else:
            found.append(cutoff)
    if sorted(set(found)) != found:
        fields.refuse(path, "must ascend.")
    return tuple(found)


def _message_of_result(job: Job) -> pb.JobResult:
    return pb.JobResult(
        forecast_run=run_name(job.id) if job.spec.kind is Kind.FORECAST else "",
        cutoff_date=job.cutoff_date.isoformat() if job.cutoff_date else "",
        series=job.progress.series,
        model=job.model or "",
        scores=[_message_of_score(score) for score in job.scores],
    )


def _message_of_score(score: Score) -> pb.JobScore:
    return pb.JobScore(**{**score._asdict(), "cutoff_date": score.cutoff_date.isoformat()})


def _named(table: Mapping[K, V], value: V) -> K:
    """The key of ``value``."""
    return next(key for key, other in table.items() if other == value)
