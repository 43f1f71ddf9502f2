"""The settings of the inventory service."""

from services.chassis.settings import DatabaseSettings, ServiceSettings


class InventorySettings(ServiceSettings, DatabaseSettings):
    """Nothing of its own yet."""
