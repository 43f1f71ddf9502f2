"""A sign-in provider for tests: moto's Cognito on loopback, with a pool for each jurisdiction."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.local import accounts, provider
from deploy.local.accounts import Account, Pool
from services.chassis.topology import Topology


@dataclass(frozen=True, slots=True)
class Provider:
    """A running provider."""

    pools: dict[str, Pool]  # By jurisdiction.
    providers_file: Path
    accounts_file: Path

    def add(self, email: str, jurisdiction: str = "EU") -> Account:
        """Makes an account that can sign in."""
        account = accounts.add(self.accounts_file, email, jurisdiction)
        accounts.register(self.pools[jurisdiction], account)
        return account

    def id_token(self, account: Account) -> str:
        return accounts.sign_in(self.pools[account.jurisdiction], account)

    def access_token(self, account: Account) -> str:
        """The provider's own access token, which is not meant for Hemline."""
        pool = self.pools[account.jurisdiction]
        cognito = accounts.client(pool.endpoint, pool.region)
        answer = cognito.initiate_auth(
            ClientId=pool.client_id,
            AuthFlow="USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": account.email, "PASSWORD": account.password},
        )
        cognito.close()
        return str(answer["AuthenticationResult"]["AccessToken"])


@contextmanager
def cognito(topology: Topology, folder: Path) -> Iterator[Provider]:
    """Runs the provider in this process until left; its files lie in ``folder``."""
    with provider.serving(0) as endpoint:
        pools = provider.start_pools(endpoint, list(topology.jurisdictions.values()))
        file = folder / "providers.yaml"
        provider.write_providers(file, list(pools.values()))
        yield Provider(pools, file, folder / "accounts.json")
