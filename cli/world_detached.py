"""`hemline up --detach`: a supervisor of its own session, watched until the world is ready."""

import subprocess
import sys
import time

from cli.problems import Problem
from cli.world_view import View
from deploy.local import claim, state
from deploy.local.places import ROOT, Places
from deploy.local.state import WorldState, WorldStatus

POLL_SECONDS = 0.1


def up(here: Places, wanted: WorldStatus, view: View, *, seed: bool, fresh: bool) -> None:
    """Starts the supervisor and returns when the world is ready.

    Raises:
        Problem: it is not going to be; nothing runs.
    """
    if claim.held(here.folder):
        raise Problem(f"this world runs already ({here.folder})", "see `hemline status`")
    log = here.logs / "supervisor.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    command = [
        *(sys.executable, "-m", "deploy.local", "--folder", str(here.folder)),
        *("--base-port", str(wanted.base_port), "--edge-port", str(wanted.edge_port)),
        *("--routers", str(wanted.routers), *(["--latency"] if wanted.latency else [])),
        *([] if seed else ["--no-seed"]),
        *(["--fresh"] if fresh else []),
    ]
    with log.open("wb") as output:
        supervisor = subprocess.Popen(  # noqa: S603 - our own command.
            command,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        _watch(here, supervisor, view)
    except KeyboardInterrupt:
        supervisor.terminate()
        supervisor.wait()
        raise
    if supervisor.poll() is not None:
        raise Problem(log.read_text(errors="replace").strip() or f"the supervisor ended; see {log}")


def _watch(here: Places, supervisor: "subprocess.Popen[bytes]", view: View) -> None:
    while supervisor.poll() is None:
        found = state.read(here.status)
        # What an earlier supervisor wrote says nothing about this one.
        if found and found.supervisor and found.supervisor.pid == supervisor.pid:
            view.show(found)
            if found.state is WorldState.READY:
                return
        time.sleep(POLL_SECONDS)
