"""The short form of `make prove-leaks`, in the world that all end-to-end tests share."""

import json
import subprocess
import sys

from tests.support.api import ROOT
from tests.support.world import START_SECONDS, World


def test_nothing_of_a_retailer_is_found_in_another_jurisdiction(world: World) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "proofs.leaks", "--running"],
        cwd=ROOT,
        env={**world.environment, "COUNT": "100"},
        capture_output=True,
        text=True,
        timeout=START_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout.splitlines()[-1])
    assert figures["requests"] >= 100
    assert (figures["hits"], figures["violations"], figures["at_home_missing"]) == (0, 0, 0)
    assert figures["found"] == figures["planted"] == 20
