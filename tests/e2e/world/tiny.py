"""A supervisor of parts that weigh nothing: `python -m tests.e2e.world.tiny FOLDER PARTS`.

PARTS is a JSON list of {name, port?, needs?, script?, refusal?}. Without a script a part listens on
its port.
"""

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

from deploy.local.parts import Part, ordered
from deploy.local.places import places
from deploy.local.probes import Listens
from deploy.local.run import PROBLEMS, run
from deploy.local.state import WorldStatus

LISTEN = """
import signal, socket, sys
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
print("listening", flush=True)
while True:
    server.accept()[0].close()
"""


def part(described: dict[str, Any]) -> Part:
    port = described.get("port")
    return Part(
        described["name"],
        (sys.executable, "-c", described.get("script", LISTEN), str(port)),
        {"PATH": os.environ["PATH"]},
        probe=Listens(port) if port else None,
        ports=(port,) if port else (),
        needs=tuple(described.get("needs", ())),
        start_seconds=20,
        refusal=described.get("refusal", ""),
    )


def main(folder: str, described: str) -> None:
    parts = ordered([part(each) for each in json.loads(described)])
    try:
        asyncio.run(run(places(Path(folder)), WorldStatus(), lambda: parts))
    except PROBLEMS as problem:
        sys.exit(str(problem))


if __name__ == "__main__":
    main(*sys.argv[1:])
