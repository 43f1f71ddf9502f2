"""The job API on the wire. Translates; decides nothing."""

from collections.abc import AsyncIterator
from typing import Any

import grpc.aio
from hemline.forecast.v1 import job_service_pb2 as pb
from hemline.forecast.v1 import job_service_pb2_grpc as pb_grpc

from services.forecast.jobs.requests import Jobs
from services.forecast.wire import newest
from services.forecast.wire.convert import jobs as convert

Context = grpc.aio.ServicerContext[Any, Any]


class JobServicer(pb_grpc.JobServiceServicer):
    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs

    async def CreateJob(
        self, request: pb.CreateJobRequest, context: Context
    ) -> pb.CreateJobResponse:
        job = await self._jobs.create(*convert.job_request_from(request))
        return pb.CreateJobResponse(job=convert.message_of_job(job))

    async def GetJob(self, request: pb.GetJobRequest, context: Context) -> pb.GetJobResponse:
        job = await self._jobs.get(convert.job_id_from(request.name))
        return pb.GetJobResponse(job=convert.message_of_job(job))

    async def ListJobs(self, request: pb.ListJobsRequest, context: Context) -> pb.ListJobsResponse:
        page = convert.page_of_jobs(request)
        found = await self._jobs.list(newest.after_from(page), page.size + 1)
        shown, more = found[: page.size], len(found) > page.size
        return pb.ListJobsResponse(
            jobs=[convert.message_of_job(job) for job in shown],
            next_page_token=newest.token_after(page, shown[-1] if more else None),
        )

    async def CancelJob(
        self, request: pb.CancelJobRequest, context: Context
    ) -> pb.CancelJobResponse:
        job = await self._jobs.cancel(convert.cancelled_from(request))
        return pb.CancelJobResponse(job=convert.message_of_job(job))

    async def WatchJob(
        self, request: pb.WatchJobRequest, context: Context
    ) -> AsyncIterator[pb.WatchJobResponse]:
        async for job in self._jobs.watch(convert.job_id_from(request.name)):
            yield pb.WatchJobResponse(job=convert.message_of_job(job))

    async def GetJobSchedule(
        self, request: pb.GetJobScheduleRequest, context: Context
    ) -> pb.GetJobScheduleResponse:
        found = await self._jobs.schedule()
        return pb.GetJobScheduleResponse(schedule=convert.message_of_schedule(*found))

    async def UpdateJobSchedule(
        self, request: pb.UpdateJobScheduleRequest, context: Context
    ) -> pb.UpdateJobScheduleResponse:
        found = await self._jobs.set_schedule(convert.schedule_from(request))
        return pb.UpdateJobScheduleResponse(schedule=convert.message_of_schedule(*found))
