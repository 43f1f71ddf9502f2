"""The supervisor with real processes that weigh nothing: start, restart, stop, leftovers."""

import os
import signal
import socket
from typing import Any

import psutil

from deploy.local import faults
from deploy.local.faults import Fault, Kind
from deploy.local.state import PartState, WorldState, WorldStatus
from tests.e2e.world.conftest import Tiny
from tests.e2e.world.tiny import LISTEN
from tests.support.servers import free_port, listening


def server(name: str, *needs: str) -> dict[str, Any]:
    return {"name": name, "port": free_port(), "needs": needs}


def ready(status: WorldStatus) -> bool:
    return status.state is WorldState.READY


def processes(status: WorldStatus) -> dict[str, int]:
    return {part.name: part.process.pid for part in status.parts.values() if part.process}


def test_parts_start_after_what_they_need_and_nothing_is_left_at_the_end(tiny: Tiny) -> None:
    first, second = server("one/first"), server("one/second", "one/first")
    tiny.start(second, first)
    pids = processes(tiny.until(ready))
    assert (
        psutil.Process(pids["one/first"]).create_time()
        < psutil.Process(pids["one/second"]).create_time()
    )
    tiny.send(signal.SIGTERM)
    assert tiny.ended() == (0, "")
    assert tiny.status().state is WorldState.STOPPED
    assert not any(psutil.pid_exists(pid) for pid in pids.values())
    assert not any(listening(part["port"]) for part in (first, second))


def test_a_part_that_dies_is_started_again(tiny: Tiny) -> None:
    tiny.start(server("one/first"))
    before = processes(tiny.until(ready))["one/first"]
    os.kill(before, signal.SIGKILL)
    after = tiny.until(
        lambda status: (
            status.parts["one/first"].restarts == 1
            and status.parts["one/first"].state is PartState.READY
        )
    )
    assert processes(after)["one/first"] != before


def test_what_was_killed_on_purpose_stays_down_until_that_is_undone(tiny: Tiny) -> None:
    names = ("one/first", "one/second")
    # What it needs and cannot do without, as a service cannot without its database.
    dies_alone = (
        "import socket, sys\n"
        "needed, own = int(sys.argv[2]), int(sys.argv[1])\n"
        "socket.create_connection(('127.0.0.1', needed)).close()\n"
        "server = socket.create_server(('127.0.0.1', own))\n"
        "while True: server.accept()[0].close()\n"
    )
    slow = "import time; time.sleep(0.5)\n" + LISTEN
    first, second = server("one/first"), server("one/second", "one/first")
    needed = f"import sys; sys.argv.append('{first['port']}')\n"
    tiny.start(first | {"script": slow}, second | {"script": needed + dies_alone})
    before = processes(tiny.until(ready))
    faults.write(tiny.places.faults, [Fault(Kind.KILL, "one", names)])
    for pid in before.values():
        os.kill(pid, signal.SIGKILL)
    tiny.until(lambda status: {status.parts[name].state for name in names} == {PartState.HELD})
    faults.write(tiny.places.faults, [])
    after = tiny.until(
        lambda status: {status.parts[name].state for name in names} == {PartState.READY}
    )
    assert not set(processes(after).values()) & set(before.values())
    # The second has waited for the first: it has not died again.
    assert [after.parts[name].restarts for name in names] == [0, 0]


def test_a_part_that_ends_at_once_fails_the_start_with_the_end_of_its_log(tiny: Tiny) -> None:
    good = server("one/good")
    bad = {"name": "one/bad", "port": free_port(), "script": "raise SystemExit('no such region')"}
    tiny.start(good, bad)
    code, said = tiny.ended()
    assert code == 1
    assert "one/bad" in said
    assert "no such region" in said
    assert str(tiny.places.log("one/bad")) in said
    status = tiny.status()
    assert status.state is WorldState.FAILED
    assert status.parts["one/bad"].state is PartState.FAILED
    assert not status.leftovers()
    assert not listening(good["port"])


def test_a_part_that_refuses_its_settings_is_not_tried_again(tiny: Tiny) -> None:
    script = "raise SystemExit('tiny: cannot start: no such region')"
    bad = {"name": "one/bad", "port": free_port(), "script": script}
    tiny.start(bad | {"refusal": "tiny: cannot start: "})
    code, said = tiny.ended()
    assert code == 1
    assert "one/bad: refuses to start." in said
    assert said.count("no such region") == 1


def test_a_task_that_fails_fails_the_start_at_once(tiny: Tiny) -> None:
    task = {"name": "one/task", "script": "raise SystemExit('half done')"}
    tiny.start(task, server("one/after", "one/task"))
    code, said = tiny.ended()
    assert (code, "half done" in said) == (1, True)
    assert tiny.part("one/after").state is PartState.STOPPED
    assert tiny.part("one/task").restarts == 0


def test_a_taken_port_is_named_before_anything_starts(tiny: Tiny) -> None:
    first, second = server("one/first"), server("one/second")
    with socket.create_server(("127.0.0.1", second["port"])):
        tiny.start(first, second)
        code, said = tiny.ended()
    assert code == 1
    assert said.count("\n") == 1
    assert f"Port {second['port']}, which one/second needs" in said
    assert f"process {os.getpid()}" in said
    assert not tiny.places.logs.exists()


def test_a_second_supervisor_of_the_same_folder_is_refused(tiny: Tiny) -> None:
    tiny.start(server("one/first"))
    tiny.until(ready)
    second = Tiny(tiny.places.folder)
    second.start(server("one/first"))
    code, said = second.ended()
    assert (code, "runs already" in said) == (1, True)
    assert ready(tiny.status())


def test_after_kill_9_the_next_start_stops_what_was_left_and_nothing_else(tiny: Tiny) -> None:
    first, second = server("one/first"), server("one/second", "one/first")
    tiny.start(first, second)
    left = processes(tiny.until(ready))
    tiny.send(signal.SIGKILL)
    tiny.ended()
    assert all(psutil.pid_exists(pid) for pid in left.values())
    tiny.start(first, second)
    new = processes(tiny.until(lambda status: ready(status) and tiny.wrote(status)))
    assert not set(new.values()) & set(left.values())
    assert not any(psutil.pid_exists(pid) for pid in left.values())


def test_a_part_that_ignores_sigterm_is_killed_by_a_second_signal(tiny: Tiny) -> None:
    deaf = server("one/deaf")
    deaf["script"] = (
        "import signal, socket, sys\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "server = socket.create_server(('127.0.0.1', int(sys.argv[1])))\n"
        "while True: server.accept()[0].close()\n"
    )
    tiny.start(deaf)
    pids = processes(tiny.until(ready))
    tiny.send(signal.SIGINT)
    tiny.until(lambda status: status.state is WorldState.STOPPING)
    tiny.send(signal.SIGINT)
    assert tiny.ended()[0] == 0
    assert not psutil.pid_exists(pids["one/deaf"])
