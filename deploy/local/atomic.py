"""Files that a reader sees whole or not at all."""

import os
from pathlib import Path

OWNER_ONLY = 0o600
ANYBODY = 0o666


def write(path: Path, text: str, mode: int = OWNER_ONLY) -> None:
    """Replaces ``path`` at once: a reader sees the old text or the new, never half of it.

    ``mode``, less the umask, holds from the first byte on: nobody else reads it meanwhile.
    """
    new = path.with_name(f".{path.name}.{os.getpid()}.new")
    new.unlink(missing_ok=True)
    handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    new.replace(path)
