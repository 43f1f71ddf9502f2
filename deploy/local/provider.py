"""The local sign-in provider: Cognito's own API, served on loopback by moto.

    python -m deploy.local.provider --port 21900 --accounts FILE --providers FILE

Makes one user pool for each jurisdiction and fills it with the accounts of FILE, then says to
`identity` and to the command line where it is. moto signs every token of every pool with one key
that it publishes, private half and all: whoever can read PyPI can forge a token of this provider.
So it listens on loopback alone, its tokens are good for the local world alone, and its providers
file must never be given to an identity service that holds anybody's data.
"""

import argparse
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from deploy.local import accounts, atomic
from deploy.local.accounts import AccountsError, Pool
from deploy.local.places import TOPOLOGY
from services.chassis import topology
from services.chassis.topology import Jurisdiction

HOST = "127.0.0.1"
CLIENT_NAME = "hemline"


def main() -> None:
    arguments = _arguments()
    found = topology.load(arguments.topology)
    known = accounts.read(arguments.accounts)
    for account in known:
        if account.jurisdiction not in found.jurisdictions:
            raise AccountsError(f"{arguments.accounts}: unknown jurisdiction in an account")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with serving(arguments.port) as endpoint:
        pools = start_pools(endpoint, list(found.jurisdictions.values()))
        for account in known:
            accounts.register(pools[account.jurisdiction], account)
        write_providers(arguments.providers, list(pools.values()))
        stop.wait()


@contextmanager
def serving(port: int) -> Iterator[str]:
    """Serves moto on loopback until left. Port 0 takes a free one. Yields the URL."""
    # The ids of pools and clients, and with them issuers and audiences, outlive a restart.
    os.environ["MOTO_COGNITO_IDP_USER_POOL_ID_STRATEGY"] = "HASH"
    os.environ["MOTO_COGNITO_IDP_USER_POOL_CLIENT_ID_STRATEGY"] = "HASH"
    # A second to import, and settings that moto reads at that moment.
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import WSGIRequestHandler, make_server

    class Quiet(WSGIRequestHandler):
        def log_request(self, *_: Any) -> None:
            """Leaves calls that went well out of the log."""

    server = make_server(
        HOST,
        port,
        DomainDispatcherApplication(create_backend_app),
        threaded=True,
        request_handler=Quiet,
    )
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://{HOST}:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def start_pools(endpoint: str, jurisdictions: list[Jurisdiction]) -> dict[str, Pool]:
    """Makes a pool for each jurisdiction in its first region. Returns them by jurisdiction."""
    return {
        jurisdiction.name: _start_pool(endpoint, jurisdiction) for jurisdiction in jurisdictions
    }


def _start_pool(endpoint: str, jurisdiction: Jurisdiction) -> Pool:
    region = jurisdiction.regions[0]
    cognito = accounts.client(endpoint, region)
    pool = cognito.create_user_pool(
        PoolName=f"hemline-{jurisdiction.name.lower()}",
        # Nobody makes an account for themselves.
        AdminCreateUserConfig={"AllowAdminCreateUserOnly": True},
    )
    pool_id: str = pool["UserPool"]["Id"]
    client = cognito.create_user_pool_client(
        UserPoolId=pool_id,
        ClientName=CLIENT_NAME,
        ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH"],
        # What stands in ID tokens.
        ReadAttributes=["email", "email_verified"],
    )
    cognito.close()
    return Pool(
        jurisdiction=jurisdiction.name,
        endpoint=endpoint,
        region=region,
        pool_id=pool_id,
        client_id=client["UserPoolClient"]["ClientId"],
    )


def write_providers(path: Path, pools: list[Pool]) -> None:
    """Writes what `identity` trusts, and under `local` what the command line needs besides."""
    entries = [
        {
            # As it stands in the tokens. Only the keys are read from loopback.
            "issuer": f"https://cognito-idp.{pool.region}.amazonaws.com/{pool.pool_id}",
            "jwks_url": f"{pool.endpoint}/{pool.pool_id}/.well-known/jwks.json",
            "client_id": pool.client_id,
            "jurisdiction": pool.jurisdiction,
            "local": {"endpoint": pool.endpoint, "region": pool.region, "pool_id": pool.pool_id},
        }
        for pool in pools
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    atomic.write(path, yaml.safe_dump({"providers": entries}, sort_keys=False))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m deploy.local.provider", allow_abbrev=False)
    parser.add_argument("--port", type=int, required=True, help="on 127.0.0.1; 0 takes a free one")
    parser.add_argument("--accounts", type=Path, required=True, help="JSON; see accounts.py")
    parser.add_argument("--providers", type=Path, required=True, help="YAML, written when ready")
    parser.add_argument("--topology", type=Path, default=TOPOLOGY)
    return parser.parse_args()


if __name__ == "__main__":
    try:
        main()
    except (AccountsError, topology.TopologyError) as problem:
        sys.exit(f"provider: cannot start: {problem}")
