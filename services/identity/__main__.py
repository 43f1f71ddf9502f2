"""Starts the identity service."""

from functools import partial

from services.chassis import server, settings
from services.identity.server import parts
from services.identity.settings import IdentitySettings

if __name__ == "__main__":
    loaded = settings.load(IdentitySettings)
    server.run("identity", loaded, partial(parts, loaded))
