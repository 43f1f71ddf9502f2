"""What the machine allows, asked before anything starts: an Envoy that gets too little dies."""

import os
from pathlib import Path

from deploy.local.parts import PlanError

INOTIFY_LIMIT = Path("/proc/sys/fs/inotify/max_user_instances")
INOTIFY = "anon_inode:inotify"
OF_AN_ENVOY = 2
"""Instances of inotify that one holds: its bootstrap names two files that it follows."""


def check_inotify(envoys: int) -> None:
    """Raises PlanError if ``envoys`` more Envoys would find no instance of inotify."""
    try:
        limit = int(INOTIFY_LIMIT.read_text())
    except (OSError, ValueError):
        return  # Not a Linux that tells.
    taken, wanted = _taken(), OF_AN_ENVOY * envoys
    if taken + wanted > limit:
        raise PlanError(
            f"This world needs {wanted} inotify instances, and other programs of this user have "
            f"{taken} of {limit}. Stop another world, or: sudo sysctl {_name()}={4 * limit}"
        )


def _taken() -> int:
    """By this user's processes, as far as they can be seen."""
    found = 0
    for process in Path("/proc").iterdir():
        if not process.name.isdecimal():
            continue
        try:
            if process.stat().st_uid == os.geteuid():
                found += sum(os.readlink(each) == INOTIFY for each in (process / "fd").iterdir())  # noqa: PTH115 - no path of a file.
        except OSError:
            continue  # It has ended, or is not ours to look at.
    return found


def _name() -> str:
    return ".".join(INOTIFY_LIMIT.parts[3:])
