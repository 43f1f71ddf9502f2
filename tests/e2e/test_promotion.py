"""A region's PostgreSQL has failed: its sibling serves reads, and after a promotion writes.

At the end everything is at home again.
"""

import json
import time
from collections.abc import Callable, Iterator
from uuid import uuid4

import grpc
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from hemline.inventory.v1 import catalog_service_pb2 as pb
from hemline.inventory.v1 import catalog_service_pb2_grpc as pb_grpc

from deploy.local import chaos, lag, process, promote, state
from deploy.local.lag import Lag
from deploy.local.places import ROOT
from deploy.local.refused import Refused
from tests.support.calls import CLIENTS, LIST_FORECASTS, LIST_LEVELS
from tests.support.world import EDGES, EU_PLANNER, World

HOME, SIBLING = "eu-central-1", "eu-west-1"
PATIENCE_SECONDS = 40


def until(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, what
        time.sleep(0.2)


@pytest.fixture
def frozen_home(world: World) -> Iterator[None]:
    """The primary of `HOME` is frozen; afterwards it is at home again, whatever happened."""
    until(lambda: level(world), "the standbys do not stream")
    found = state.read(world.places.status)
    postgres = found.parts[f"{HOME}/postgres"].process if found else None
    assert postgres is not None
    process.freeze(postgres.pid)
    try:
        yield
    finally:
        if postgres.find():
            process.thaw(postgres.pid)
        until(lambda: level(world), "the standbys do not stream again")
        if any(each.primary_at != each.home for each in standbys(world)):
            world.run("promote", HOME, "--back")
            until(lambda: level(world), "the standbys do not stream at home")
        list(chaos.wait_until_well(world.drawn(), (HOME, SIBLING)))


def standbys(world: World) -> list[Lag]:
    """What `hemline status` has under `replicas`, without its second for all else."""
    drawn = world.drawn()
    family = drawn.siblings(HOME)
    return lag.of([(drawn.primary(region), drawn.copies(region)) for region in family])


def level(world: World) -> bool:
    found = standbys(world)
    return len(found) == 2 and all(each.streaming and each.lag_bytes == 0 for each in found)


def commands() -> list[list[str]]:
    """The two of the runbook: to promote, and to go home."""
    lines = (ROOT / "docs" / "runbooks" / "promote.md").read_text("utf-8").splitlines()
    start = f"    hemline promote {HOME}"
    found = [line.split()[1:] for line in lines if line.startswith(start)]
    assert len(found) == 2, found
    return found


def create_store(world: World) -> str:
    """Returns OK, or the reason of the refusal."""
    token = world.token(EU_PLANNER)
    name = f"stores/promoted-{uuid4().hex[:8]}"
    store = pb.Store(name=name, display_name="x", time_zone="Europe/Berlin")
    request = pb.CreateStoreRequest(store=store, request_id=str(uuid4()))
    with grpc.insecure_channel(f"127.0.0.1:{EDGES[SIBLING]}") as channel:
        try:
            pb_grpc.CatalogServiceStub(channel).CreateStore(
                request, metadata=(("authorization", f"Bearer {token}"),), timeout=10
            )
        except grpc.RpcError as error:
            status = rpc_status.from_call(error)  # type: ignore[arg-type]
            info = error_details_pb2.ErrorInfo()
            if status is not None and status.details:
                status.details[0].Unpack(info)
            return str(info.reason)
    return "OK"


@pytest.mark.usefixtures("frozen_home")
def test_a_sibling_reads_then_after_a_promotion_writes(world: World) -> None:
    headers = {"authorization": f"Bearer {world.token(EU_PLANNER)}"}
    for path in (LIST_LEVELS, LIST_FORECASTS):
        until(
            lambda path=path: (  # type: ignore[misc]
                CLIENTS["grpc"](EDGES[SIBLING], path, headers).headers.get("x-hemline-served-by")
                == SIBLING
            ),
            "the sibling does not serve",
        )
        found = CLIENTS["grpc"](EDGES[SIBLING], path, headers)
        assert found.code == grpc.StatusCode.OK
        assert found.answer.ByteSize() > 0
    # Signing in reads alone.
    assert world.run("token", "--user", EU_PLANNER).stdout.count(".") == 2
    assert create_store(world) == "HOME_REGION_READ_ONLY"

    promoting, returning = commands()
    done = json.loads(world.run(*promoting, "--json").stdout)
    assert (done["from"], done["to"], done["planned"]) == (HOME, SIBLING, False)
    until(lambda: create_store(world) == "OK", "no write after the promotion")
    with pytest.raises(Refused, match=SIBLING):
        promote.plan(world.drawn(), HOME, None, force=False, back=False)
    until(lambda: level(world), "the former primary does not follow")

    back = json.loads(world.run(*returning, "--json").stdout)
    assert (back["to"], back["planned"]) == (HOME, True)
    until(lambda: create_store(world) == "OK", "no write after the return")
