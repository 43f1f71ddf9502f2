"""Remembers that a task has been done, until something that it depends on changes."""

import hashlib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Memo:
    file: Path  # Where the hash of the inputs is kept.
    inputs: tuple[Path, ...] = ()  # Files whose content matters; read when the task is due.
    also: str = ""  # Whatever else matters.

    def holds(self) -> bool:
        """Whether the task was done with these very inputs."""
        with suppress(OSError):
            return self.file.read_text() == self._digest()
        return False

    def keep(self) -> None:
        self.file.parent.mkdir(parents=True, exist_ok=True)
        self.file.write_text(self._digest())

    def _digest(self) -> str:
        found = hashlib.sha256(self.also.encode())
        for path in self.inputs:
            found.update(path.read_bytes())
        return found.hexdigest()
