"""Runs the router: `python -m services.router`."""

from functools import partial

from services.chassis import server
from services.chassis.settings import load
from services.router.server import parts
from services.router.settings import RouterSettings

if __name__ == "__main__":
    settings = load(RouterSettings)
    server.run("router", settings, partial(parts, settings))
