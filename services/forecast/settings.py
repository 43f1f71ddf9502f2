"""Settings of the forecast service."""

from pydantic import Field

from services.chassis.settings import CacheSettings, DatabaseSettings, ServiceSettings


class ForecastSettings(ServiceSettings, DatabaseSettings, CacheSettings):
    """Sales and forecasts live in PostgreSQL; answers read often are kept in Redis."""

    shard_slots: int = Field(
        default=2,
        ge=0,
        le=64,
        description="Shards of jobs computed at once, each with a core of its own. With 0, they "
        "are left to `python -m services.forecast.job`.",
    )
    ray_address: str | None = Field(
        default=None,
        description="Of the region's own Ray cluster, such as ray://head:10001. If it is set, "
        "shards are computed there, else in processes beside this one. Needs the extra `ray`.",
    )
