import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from uuid import UUID, uuid4

import grpc
import psutil
import psycopg
import pytest
from hemline.forecast.v1 import job_service_pb2 as pb

from deploy.local.postgres import Postgres
from tests.api.forecast.support import FIRST_DAY, Breakable, Planner, refused, sales_line, season
from tests.store.forecast.support import as_app

LEFT = """
SELECT (SELECT count(*) FROM job_input), (SELECT count(*) FROM job_shard),
    (SELECT count(*) FROM forecast_series), (SELECT count(*) FROM forecast_partition)
"""
FORECAST = pb.JobSpec(kind=pb.JOB_KIND_FORECAST, horizon=7)
ABORTED = grpc.StatusCode.ABORTED


async def create(planner: Planner, spec: pb.JobSpec, request_id: UUID | None = None) -> pb.Job:
    request = pb.CreateJobRequest(spec=spec, request_id=str(request_id or uuid4()))
    return (await planner.jobs.CreateJob(request, metadata=planner.metadata)).job


async def get(planner: Planner, name: str) -> pb.Job:
    request = pb.GetJobRequest(name=name)
    return (await planner.jobs.GetJob(request, metadata=planner.metadata)).job


async def cancel(planner: Planner, name: str) -> pb.Job:
    request = pb.CancelJobRequest(name=name, request_id=str(uuid4()))
    return (await planner.jobs.CancelJob(request, metadata=planner.metadata)).job


async def watch(planner: Planner, name: str) -> AsyncIterator[pb.Job]:
    request = pb.WatchJobRequest(name=name)
    async for answer in planner.jobs.WatchJob(request, metadata=planner.metadata):
        yield answer.job


async def ended(planner: Planner, name: str) -> pb.Job:
    *_, last = [job async for job in watch(planner, name)]
    return last


def days(*after: int) -> list[str]:
    return [(FIRST_DAY + timedelta(days=day)).isoformat() for day in after]


async def test_a_job_is_watched_to_its_end_and_becomes_the_run_that_is_read(
    planner: Planner,
) -> None:
    await planner.imports(season())
    job = await create(planner, FORECAST)
    assert (job.state, job.origin) == (pb.JOB_STATE_PENDING, pb.JOB_ORIGIN_REQUEST)
    assert job.spec.effort == pb.FORECAST_EFFORT_LIGHT
    seen = [each async for each in watch(planner, job.name)]
    phases = [each.progress.phase for each in seen]
    assert phases == sorted(phases)
    assert len({each.SerializeToString() for each in seen}) == len(seen)
    last = seen[-1]
    assert last.state == pb.JOB_STATE_SUCCEEDED
    progress = last.progress
    assert (progress.done_shards, progress.total_shards, progress.series) == (1, 1, 8)
    run = (await planner.lists()).forecast_run
    assert last.result.forecast_run == run.name
    assert last.result.scores[0].segment == "all"
    assert last.result.scores[0].wmape == pytest.approx(run.wape)
    assert last == await get(planner, job.name)


async def test_a_weekly_job_forecasts_whole_weeks(planner: Planner) -> None:
    await planner.imports(season(days=84))
    spec = pb.JobSpec(kind=pb.JOB_KIND_FORECAST, period=pb.FORECAST_PERIOD_WEEK, horizon=3)
    last = await ended(planner, (await create(planner, spec)).name)
    assert last.state == pb.JOB_STATE_SUCCEEDED
    forecast = await planner.gets("stores/berlin/forecasts/SKU-3")
    dates = [day.date for day in forecast.days]
    first = FIRST_DAY + timedelta(days=12 * 7 - 1)  # The Sunday after the last sale's Saturday.
    if last.result.cutoff_date != first.isoformat():
        first -= timedelta(days=7)
    assert dates == [(first + timedelta(days=7 * ahead)).isoformat() for ahead in (1, 2, 3)]
    assert 3 * 15 < forecast.horizon_mean_units < 3 * 35  # Six days of four units a week.


async def test_a_backtest_scores_each_cutoff_and_changes_no_forecast(planner: Planner) -> None:
    await planner.imports(season())
    good = await planner.runs()
    spec = pb.JobSpec(kind=pb.JOB_KIND_BACKTEST, horizon=7, cutoff_dates=days(40, 60))
    last = await ended(planner, (await create(planner, spec)).name)
    assert last.state == pb.JOB_STATE_SUCCEEDED
    assert last.progress.total_shards == 2
    whole = [score for score in last.result.scores if score.segment == "all"]
    assert [score.cutoff_date for score in whole] == days(40, 60)
    for score in whole:
        assert score.series == 8
        assert 0.3 < score.rmsse < 1.2
        assert 0 < score.wmape < 1
        assert 0.5 <= score.coverage <= 1
    assert (await planner.lists()).forecast_run == good
    assert last.result.forecast_run == ""


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        (pb.JobSpec(), "spec.kind"),
        (pb.JobSpec(kind=pb.JOB_KIND_FORECAST, horizon=92), "spec.horizon"),
        (pb.JobSpec(kind=pb.JOB_KIND_FORECAST, horizon=-1), "spec.horizon"),
        (pb.JobSpec(kind=pb.JOB_KIND_FORECAST, cutoff_dates=["2026-01-01"]), "spec.cutoff_dates"),
        (pb.JobSpec(kind=pb.JOB_KIND_BACKTEST), "spec.cutoff_dates"),
        (pb.JobSpec(kind=pb.JOB_KIND_BACKTEST, cutoff_dates=["soon"]), "spec.cutoff_dates[0]"),
        (pb.JobSpec(kind=pb.JOB_KIND_BACKTEST, cutoff_dates=["2026-2-1"]), "spec.cutoff_dates[0]"),
        (
            pb.JobSpec(kind=pb.JOB_KIND_BACKTEST, cutoff_dates=["2026-02-01", "2026-01-01"]),
            "spec.cutoff_dates",
        ),
        (pb.JobSpec(kind=7), "spec.kind"),  # type: ignore[arg-type]
        (pb.JobSpec(kind=1, effort=9, period=0), "spec.effort"),  # type: ignore[arg-type]
        (pb.JobSpec(kind=1, period=9), "spec.period"),  # type: ignore[arg-type]
    ],
)
async def test_a_bad_field_is_named(planner: Planner, spec: pb.JobSpec, field: str) -> None:
    code, reason, _, fields = await refused(create(planner, spec))
    assert (code, reason) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST")
    assert fields == [field]


async def test_a_cutoff_outside_of_the_history_is_refused(planner: Planner) -> None:
    await planner.imports(season(days=30))
    spec = pb.JobSpec(kind=pb.JOB_KIND_BACKTEST, cutoff_dates=days(10, 40))
    code, reason, metadata, _ = await refused(create(planner, spec))
    assert (code, reason) == (grpc.StatusCode.FAILED_PRECONDITION, "CUTOFF_OUTSIDE_HISTORY")
    assert metadata["first_date"] == FIRST_DAY.isoformat()


async def test_a_retry_gets_the_same_job_and_another_is_refused_meanwhile(
    planner: Planner, executor: Breakable
) -> None:
    await planner.imports(season(days=30))
    good = await planner.runs()
    name = uuid4()
    with executor.held():
        job = await create(planner, FORECAST, name)
        assert (await planner.lists()).forecast_run == good  # Served meanwhile.
        assert (await create(planner, FORECAST, name)).name == job.name
        code, reason, metadata, _ = await refused(create(planner, FORECAST))
        assert (code, reason, metadata) == (ABORTED, "RUN_IN_PROGRESS", {"job": job.name})
        longer = pb.JobSpec(kind=pb.JOB_KIND_FORECAST, horizon=8)
        assert (await refused(create(planner, longer, name)))[1] == "REQUEST_ID_REUSED"
    assert (await ended(planner, job.name)).state == pb.JOB_STATE_SUCCEEDED


async def test_one_of_many_at_once_is_accepted(planner: Planner) -> None:
    await planner.imports(season(days=30))
    calls = [create(planner, FORECAST) for _ in range(5)]
    answers = await asyncio.gather(*calls, return_exceptions=True)
    accepted = [each for each in answers if isinstance(each, pb.Job)]
    assert len(accepted) == 1
    errors = [each for each in answers if isinstance(each, grpc.aio.AioRpcError)]
    assert {error.code() for error in errors} == {ABORTED}
    await ended(planner, accepted[0].name)


async def test_a_cancelled_job_ends_at_once_and_leaves_nothing(
    planner: Planner, server: Postgres, executor: Breakable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(executor, "in_processes", True)
    lines = [
        sales_line(at, store=f"s{at % 40}", sku=f"S-{at // 280}", document=f"D-{at}",
                   sale_date=days(at // 40 % 7 * 30)[0], product=f"p-{at // 280}")
        for at in range(1, 14_000)
    ]  # fmt: skip
    await planner.imports(lines)
    spec = pb.JobSpec(kind=pb.JOB_KIND_FORECAST, horizon=91, effort=pb.FORECAST_EFFORT_FULL)
    job = await create(planner, spec)
    async for seen in watch(planner, job.name):
        if seen.progress.phase == pb.JOB_PHASE_COMPUTING:
            break
    await until(lambda: bool(workers()), seconds=30)
    assert (await cancel(planner, job.name)).state == pb.JOB_STATE_CANCELLED
    await until(lambda: not workers(), seconds=1)
    assert (await cancel(planner, job.name)).state == pb.JOB_STATE_CANCELLED  # A retry.
    assert (await get(planner, job.name)).progress.phase == pb.JOB_PHASE_DONE
    # A partition in use is dropped by whoever comes next.
    await until(lambda: left(planner, server) == (0, 0, 0, 0), seconds=5)
    assert (await refused(planner.lists()))[1] == "NO_RUN"


async def until(holds: Callable[[], bool], *, seconds: float) -> None:
    async with asyncio.timeout(seconds):
        while not holds():  # noqa: ASYNC110 - of other processes nobody tells
            await asyncio.sleep(0.02)


def workers() -> list[psutil.Process]:
    found = []
    for process in psutil.Process().children(recursive=True):
        try:
            if "services.forecast.shards.worker" in process.cmdline():
                found.append(process)
        except psutil.NoSuchProcess:
            continue
    return found


def left(planner: Planner, server: Postgres) -> tuple[int, ...] | None:
    try:
        with as_app(server, planner.tenant_id) as connection:
            return connection.execute(LEFT).fetchone()
    except psycopg.errors.UndefinedTable:  # Dropped while it was counted.
        return None


async def test_what_has_ended_cannot_be_cancelled(planner: Planner) -> None:
    await planner.imports([sales_line()])
    job = await ended(planner, (await create(planner, FORECAST)).name)
    assert (await refused(cancel(planner, job.name)))[1] == "JOB_ENDED"


async def test_a_job_that_keeps_failing_fails_and_leaves_nothing(
    planner: Planner, executor: Breakable, server: Postgres
) -> None:
    await planner.imports([sales_line()])
    executor.broken = True
    try:
        last = await ended(planner, (await create(planner, FORECAST)).name)
    finally:
        executor.broken = False
    assert (last.state, last.error.reason) == (pb.JOB_STATE_FAILED, "INTERNAL")
    # A job has ended before what it left is dropped.
    await until(lambda: left(planner, server) == (0, 0, 0, 0), seconds=5)


async def test_jobs_are_listed_newest_first_a_page_at_a_time(planner: Planner) -> None:
    await planner.imports([sales_line()])
    made = [await ended(planner, (await create(planner, FORECAST)).name) for _ in range(3)]
    names, token = [], ""
    for size in (2, 1):
        request = pb.ListJobsRequest(page_size=size, page_token=token)
        page = await planner.jobs.ListJobs(request, metadata=planner.metadata)
        names += [job.name for job in page.jobs]
        token = page.next_page_token
    assert names == [job.name for job in reversed(made)]
    assert token == ""


async def test_tenants_do_not_see_each_others_jobs(planner: Planner, running: object) -> None:
    await planner.imports([sales_line()])
    job = await create(planner, FORECAST)
    other = Planner(running, uuid4())  # type: ignore[arg-type]
    for call in (get(other, job.name), cancel(other, job.name), ended(other, job.name)):
        assert (await refused(call))[:2] == (grpc.StatusCode.NOT_FOUND, "JOB_NOT_FOUND")
    await ended(planner, job.name)
    listed = await other.jobs.ListJobs(pb.ListJobsRequest(), metadata=other.metadata)
    assert list(listed.jobs) == []


@pytest.mark.parametrize("name", ["", "jobs/x", "runs/6f1c9a52-0c6e-4c0e-9a57-1d8a51f9a0b3"])
async def test_a_job_has_a_full_name(planner: Planner, name: str) -> None:
    assert (await refused(get(planner, name)))[3] == ["name"]


async def schedule(planner: Planner) -> pb.JobSchedule:
    request = pb.GetJobScheduleRequest()
    return (await planner.jobs.GetJobSchedule(request, metadata=planner.metadata)).schedule


async def test_the_schedule_is_on_from_the_first_import_and_can_be_changed(
    planner: Planner,
) -> None:
    assert not (await schedule(planner)).HasField("next_time")
    await planner.imports([sales_line()])
    found = await schedule(planner)
    assert (found.enabled, found.start_time) == (True, "01:00")
    assert found.next_time.ToDatetime().hour == 1
    found.start_time, found.spec.horizon = "22:30", 14
    request = pb.UpdateJobScheduleRequest(schedule=found, request_id=str(uuid4()))
    changed = await planner.jobs.UpdateJobSchedule(request, metadata=planner.metadata)
    assert changed.schedule == await schedule(planner)
    assert (changed.schedule.start_time, changed.schedule.spec.horizon) == ("22:30", 14)
    assert changed.schedule.next_time != found.next_time
    request.schedule.enabled = False
    await planner.jobs.UpdateJobSchedule(request, metadata=planner.metadata)
    assert not (await schedule(planner)).HasField("next_time")


@pytest.mark.parametrize("clock", ["", "24:00", "1:00", "01:60"])
async def test_a_schedule_needs_a_time_of_the_day(planner: Planner, clock: str) -> None:
    wanted = pb.JobSchedule(enabled=True, start_time=clock, spec=FORECAST)
    request = pb.UpdateJobScheduleRequest(schedule=wanted, request_id=str(uuid4()))
    call = planner.jobs.UpdateJobSchedule(request, metadata=planner.metadata)
    assert (await refused(call))[3] == ["schedule.start_time"]
