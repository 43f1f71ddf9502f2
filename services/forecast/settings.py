"""Settings of the forecast service."""

from services.chassis.settings import CacheSettings, DatabaseSettings, ServiceSettings


class ForecastSettings(ServiceSettings, DatabaseSettings, CacheSettings):
    """Sales and forecasts live in PostgreSQL; answers read often are kept in Redis."""
