"""A traffic policy is set and read."""

from uuid import uuid4

import grpc
import pytest
from google.rpc import error_details_pb2
from hemline.router.v1 import operations_service_pb2 as pb

from services.router import trial
from services.router.nodes import Node
from services.router.policy import Mode
from services.router.snapshot import Snapshot
from services.router.translate import Facts, translate
from tests.api.router.operations.support import STREAM, World, drain
from tests.store.router.support import HOME, SIBLING


async def test_a_policy_is_set_read_and_kept_from_being_overwritten(world: World) -> None:
    policy = (await world.call("GetTrafficPolicy", pb.GetTrafficPolicyRequest())).policy
    assert (policy.jurisdiction, policy.mode) == ("EU", pb.TRAFFIC_MODE_FAILOVER)
    await world.call("DrainRegion", drain(percent=10))
    wanted = pb.TrafficPolicy(
        mode=pb.TRAFFIC_MODE_WEIGHTED, weights={HOME: 70, SIBLING: 30}, home_epoch_floor=2
    )
    wanted.tracks["inventory"].percents.update({"stable": 90, "canary": 10})
    request = pb.SetTrafficPolicyRequest(policy=wanted, request_id=str(uuid4()))
    made = (await world.call("SetTrafficPolicy", request)).policy
    assert dict(made.weights) == {HOME: 70, SIBLING: 30}
    assert dict(made.drained) == {SIBLING: 10}
    assert made.tracks == wanted.tracks
    held = (await world.call("GetTrafficPolicy", pb.GetTrafficPolicyRequest())).policy
    assert held == made
    wanted.etag = policy.etag
    stale = pb.SetTrafficPolicyRequest(policy=wanted, request_id=str(uuid4()))
    code, reason, _ = await world.refused("SetTrafficPolicy", stale)
    assert (code, reason) == (grpc.StatusCode.ABORTED, "POLICY_CHANGED")
    wanted.etag, wanted.home_epoch_floor = "", 1
    lower = pb.SetTrafficPolicyRequest(policy=wanted, request_id=str(uuid4()))
    code, reason, _ = await world.refused("SetTrafficPolicy", lower)
    assert (code, reason) == (grpc.StatusCode.FAILED_PRECONDITION, "EPOCH_FLOOR_LOWERED")


async def test_a_canary_that_is_down_does_not_get_every_call(world: World) -> None:
    verdicts = {
        (region, service): {str(host.sidecar): host.track != "canary" for host in hosts}
        for region in (HOME, SIBLING)
        for service, hosts in world.publisher.facts.endpoints[region].services.items()
    }
    world.observed.take_health("edge/eu-central-1/1", STREAM, verdicts)
    wanted = pb.TrafficPolicy(mode=pb.TRAFFIC_MODE_FAILOVER)
    wanted.tracks["inventory"].percents.update({"canary": 100})
    request = pb.SetTrafficPolicyRequest(policy=wanted, request_id=str(uuid4()))
    code, reason, status = await world.refused("SetTrafficPolicy", request)
    assert (code, reason) == (grpc.StatusCode.FAILED_PRECONDITION, "LAST_HEALTHY_REGION")
    assert "inventory has 0 of 1 healthy hosts of track canary" in status.message
    wanted.tracks["inventory"].percents.update({"canary": 99, "stable": 1})
    request = pb.SetTrafficPolicyRequest(policy=wanted, request_id=str(uuid4()))
    await world.call("SetTrafficPolicy", request)


async def test_what_the_checker_would_refuse_is_not_set(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def mistaken(facts: Facts) -> dict[Node, Snapshot]:
        """A compiler with a mistake that one mode alone shows."""
        made = translate(facts)
        wrong = facts.policy_of(HOME).mode is Mode.LATENCY
        return {node: Snapshot(()) if wrong else found for node, found in made.items()}

    monkeypatch.setattr(trial, "translate", mistaken)
    wanted = pb.TrafficPolicy(mode=pb.TRAFFIC_MODE_LATENCY)
    for dry in (True, False):
        request = pb.SetTrafficPolicyRequest(
            policy=wanted, request_id=str(uuid4()), validate_only=dry
        )
        code, reason, status = await world.refused("SetTrafficPolicy", request)
        assert (code, reason) == (grpc.StatusCode.FAILED_PRECONDITION, "SNAPSHOT_REFUSED")
        failure = error_details_pb2.PreconditionFailure()
        assert any(detail.Unpack(failure) for detail in status.details)
        assert failure.violations[0].description.startswith(f"edge/{HOME}/1: ")
    assert (await world.call("ListPolicyChanges", pb.ListPolicyChangesRequest())).changes == []
