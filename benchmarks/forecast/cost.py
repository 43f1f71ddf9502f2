"""What a process has cost. Imports nothing: it is read by the yardsticks' own Python too."""

from pathlib import Path

KIB_PER_MB = 1e6 / 1024


def peak_mb() -> float:
    """The most memory that this process has held, in MB. Counted since its program was loaded."""
    for line in Path("/proc/self/status").read_text("utf-8").splitlines():
        if line.startswith("VmHWM:"):
            return float(line.split()[1]) / KIB_PER_MB
    return float("nan")
