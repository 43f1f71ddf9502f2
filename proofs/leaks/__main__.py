"""`make prove-leaks`: canaries through a world of its own, then a search of every foreign store.

Prints one JSON object: `hits` must be 0, `found` as many as `planted`, and `at_home_missing` 0: a
search that does not find what is kept at home shows nothing of what is abroad.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from proofs import report
from proofs.leaks import prove

RUNNING = "--running"
"""Takes the world that runs already, at HEMLINE_WORLD."""

CALLS = 1000
PORTS = ("--base-port", "24000", "--edge-port", "18181")


PROMISE = report.Promise(
    at_most={"hits": 0, "violations": 0, "at_home_missing": 0}, equal={"found": "planted"}
)


def main() -> None:
    with nullcontext() if sys.argv[1:] == [RUNNING] else _world():
        figures = prove.prove(report.count(CALLS))
    report.close(figures, PROMISE)


@contextmanager
def _world() -> Iterator[None]:
    """A new local world without demo retailers. Nothing of it is left."""
    folder = Path(tempfile.mkdtemp(prefix="hemline-leaks-"))
    folder.chmod(0o755)
    os.environ["HEMLINE_WORLD"] = str(folder)
    try:
        report.note("a world starts")
        _hemline("up", "--detach", "--no-seed", *PORTS)
        yield
    finally:
        _hemline("down")
        shutil.rmtree(folder)


def _hemline(*words: str) -> Any:
    program = Path(sys.executable).parent / "hemline"
    return subprocess.run([program, *words], check=True, stdout=sys.stderr)  # noqa: S603


if __name__ == "__main__":
    main()
