"""Starts the forecast service."""

from functools import partial

from services.chassis import server, settings
from services.forecast.server import parts
from services.forecast.settings import ForecastSettings

if __name__ == "__main__":
    loaded = settings.load(ForecastSettings)
    server.run("forecast", loaded, partial(parts, loaded))
