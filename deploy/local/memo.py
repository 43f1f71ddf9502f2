"""Remembers that a task has been done, until something that it depends on changes."""

import hashlib
import json
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Memo:
    file: Path  # Where it is kept. Beside the data that the task made, to be lost with it.
    inputs: tuple[Path, ...] = ()  # Files whose content matters; read when the task is due.
    what: str = ""  # Whatever else matters, in words. No secret: it is written as it stands.

    def holds(self) -> bool:
        """Whether the task was done with these very inputs."""
        with suppress(OSError, ValueError):
            return bool(json.loads(self.file.read_text()) == self._content())
        return False

    def keep(self) -> None:
        self.file.parent.mkdir(parents=True, exist_ok=True)
        self.file.write_text(json.dumps(self._content()))

    def _content(self) -> dict[str, str]:
        found = hashlib.sha256()
        for path in self.inputs:
            found.update(path.read_bytes())
        return {"what": self.what, "inputs_sha256": found.hexdigest()}
