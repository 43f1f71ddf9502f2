"""The passwords and keys of one world: made once, kept in a file that its owner alone may read."""

import base64
import json
import os
import secrets
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Secrets:
    database_password: str = field(repr=False)
    login_pepper: str = field(repr=False)
    signing_key_secret: str = field(repr=False)


def load(path: Path) -> Secrets:
    """Reads ``path``, or makes it."""
    if not path.exists():
        _write(path)
    return Secrets(**json.loads(path.read_text("utf-8")))


def _write(path: Path) -> None:
    made = Secrets(
        database_password=secrets.token_urlsafe(24),
        login_pepper=secrets.token_urlsafe(32),
        # A Fernet key: 32 bytes, base64url.
        signing_key_secret=base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f"{path.name}.new")
    new.unlink(missing_ok=True)
    # Never readable by others, not even while it is being written.
    handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(asdict(made), file)
    new.replace(path)
