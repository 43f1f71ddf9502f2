import subprocess
import sys

import psutil

from services.forecast.shards.worker import MOST_BYTES

HUNGRY = """
import numpy as np
from services.forecast.shards.worker import bound_memory
bound_memory()
print("bound", flush=True)
np.empty({bytes}, dtype=np.uint8)
"""


def test_memory_beyond_the_bound_fails_in_the_worker_alone() -> None:
    for size, code in ((MOST_BYTES // 2, 0), (MOST_BYTES, 1)):
        program = HUNGRY.format(bytes=size)
        done = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, check=False
        )
        assert (done.stdout, done.returncode) == ("bound\n", code)


CHILD = """
import time
from services.forecast.shards.worker import end_with_parent
end_with_parent()
print("up", flush=True)
time.sleep(600)
"""
PARENT = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", sys.argv[1]], stdout=subprocess.PIPE)
child.stdout.readline()
print(child.pid, flush=True)
time.sleep(600)
"""


def test_a_worker_ends_soon_after_its_parent_was_killed() -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT, CHILD], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))
        parent.kill()
    child.wait(timeout=10)
