"""The settings of the identity service."""

from pathlib import Path

from pydantic import Field, SecretStr

from services.chassis.settings import DatabaseSettings, ServiceSettings

SECRET_LENGTH = 32


class IdentitySettings(ServiceSettings, DatabaseSettings):
    """Secrets of the same jurisdiction differ from those of any other."""

    identity_addresses: tuple[str, ...] = Field(
        default=(), description="Not used: identity reads signing keys from its databases."
    )
    providers_file: Path = Field(
        description="YAML: the sign-in providers of every jurisdiction; see providers.py."
    )
    login_pepper: SecretStr = Field(
        min_length=SECRET_LENGTH,
        description="Key of the hashes under which logins are kept; the same in all regions of the "
        "jurisdiction. Changing it makes every login unknown.",
    )
    signing_key_secret: SecretStr = Field(
        min_length=SECRET_LENGTH,
        description="Encrypts the region's private signing keys where they are stored.",
    )
