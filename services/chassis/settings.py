"""Settings come from `HEMLINE_*` variables, are read once at start-up, and never change.

A missing, malformed or unknown variable ends start-up with one line that names it.
"""

import os
import sys
from pathlib import Path
from typing import TypeVar

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

PREFIX = "HEMLINE_"


class HemlineSettings(BaseSettings):
    """Base of every settings class."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True)


class ServiceSettings(HemlineSettings):
    """What every service needs to know."""

    region: str = Field(description="The region this process serves, such as eu-central-1.")
    topology_file: Path = Field(description="The topology: jurisdictions, regions, failover order.")
    address: str = Field(description="host:port on which to serve gRPC.")
    identity_addresses: tuple[str, ...] = Field(
        description="JSON list of host:port: the identity services of the jurisdiction's regions."
    )
    otlp_endpoint: str | None = Field(
        default=None,
        description="host:port of the OTLP/gRPC collector; nothing is sent without it.",
    )
    trace_ratio: float = Field(
        default=1.0, ge=0, le=1, description="Share of traces begun here that are kept."
    )
    drain_seconds: float = Field(
        default=1.0, ge=0, description="How long NOT_SERVING is shown before the server stops."
    )
    grace_seconds: float = Field(
        default=10.0, ge=0, description="How long calls in flight may take after that."
    )


class DatabaseSettings(HemlineSettings):
    """For services that keep rows."""

    database_urls: dict[str, SecretStr] = Field(
        description="JSON object: home region to PostgreSQL URL, for the jurisdiction's regions. "
        "Several hosts are places where the primary may be, likeliest first."
    )
    replica_urls: dict[str, SecretStr] = Field(
        default_factory=dict,
        description="JSON object: sibling's home region to the PostgreSQL URL from which to read. "
        "Several hosts are tried in turn, so the nearest standby comes first.",
    )
    database_pool_size: int = Field(
        default=5, ge=1, le=100, description="Connections for each PostgreSQL URL."
    )


class CacheSettings(HemlineSettings):
    """For services that cache."""

    redis_url: SecretStr = Field(description="The region's own Redis, such as redis://host:port/0.")


Settings = TypeVar("Settings", bound=HemlineSettings)


def load(settings: type[Settings]) -> Settings:
    """Reads ``settings`` from the environment, or ends the process with one line that says why."""
    known = {PREFIX + name.upper() for name in settings.model_fields}
    unknown = sorted(name for name in os.environ if name.startswith(PREFIX) and name not in known)
    if unknown:
        sys.exit(refusal(f"unknown setting {unknown[0]}; known: {', '.join(sorted(known))}"))
    try:
        return settings()
    except SettingsError as error:
        # Its own words would hold the value, which may be a secret.
        name = next((name for name in settings.model_fields if f'"{name}"' in str(error)), "?")
        sys.exit(refusal(f"setting {PREFIX}{name.upper()}: not valid JSON"))
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        name = PREFIX + str(first["loc"][0]).upper()
        what = "missing" if first["type"] == "missing" else first["msg"]
        field = settings.model_fields.get(str(first["loc"][0]))
        meaning = f" ({field.description})" if field and field.description else ""
        sys.exit(refusal(f"setting {name}: {what}{meaning}"))


def refusal(problem: str) -> str:
    """The one line with which a process refuses to start. `sys.exit` prints it, with code 1."""
    return f"hemline: cannot start: {problem}"
