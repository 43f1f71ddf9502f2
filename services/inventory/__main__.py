"""Starts the inventory service."""

from functools import partial

from services.chassis import server, settings
from services.inventory.server import parts
from services.inventory.settings import InventorySettings

if __name__ == "__main__":
    loaded = settings.load(InventorySettings)
    server.run("inventory", loaded, partial(parts, loaded))
