"""What the servicers of one region stand on."""

from dataclasses import dataclass

from pydantic import SecretStr

from services.chassis.clock import Clock
from services.chassis.database import Database
from services.chassis.topology import Jurisdiction, Topology
from services.identity.authenticate import Authenticator
from services.identity.keys import SigningKey
from services.identity.providers import Provider


@dataclass(frozen=True, slots=True)
class Region:
    """Opened once, shared by all calls."""

    name: str
    topology: Topology
    database: Database
    authenticator: Authenticator
    provider: Provider  # Who vouches for the logins of this jurisdiction.
    key: SigningKey
    login_pepper: SecretStr
    clock: Clock

    @property
    def jurisdiction(self) -> Jurisdiction:
        return self.topology.jurisdiction_of(self.name)

    @property
    def siblings(self) -> tuple[str, ...]:
        """The jurisdiction's other regions."""
        return tuple(region for region in self.jurisdiction.regions if region != self.name)
