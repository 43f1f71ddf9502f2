import subprocess
import sys

from services.forecast.worker import MOST_BYTES

HUNGRY = """
import numpy as np
from services.forecast.worker import bound_memory
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
