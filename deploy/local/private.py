"""The passwords and keys of one world, derived from one key that its owner alone may read."""

import base64
import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from deploy.local import atomic
from deploy.local.parts import PlanError

KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class Secrets:
    key: bytes = field(repr=False)

    def of(self, *purpose: str) -> str:
        """Returns the secret for ``purpose``: 32 bytes, base64url. One says nothing of another."""
        made = hmac.digest(self.key, "/".join(purpose).encode(), hashlib.sha256)
        return base64.urlsafe_b64encode(made).decode()


def load(path: Path) -> Secrets:
    """Reads ``path``, or makes it. Raises PlanError if it cannot be read."""
    if not path.exists():
        _write(path)
    try:
        return Secrets(bytes.fromhex(json.loads(path.read_text("utf-8"))["key"]))
    except (OSError, ValueError, KeyError, TypeError):
        raise PlanError(f"{path}: not as the world wrote it") from None


def _write(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    atomic.write(path, json.dumps({"key": secrets.token_hex(KEY_BYTES)}))
