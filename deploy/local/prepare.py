"""Prepares one region's PostgreSQL: the data folder, or each service's roles, database and tables.

    python -m deploy.local.prepare initdb FOLDER
    python -m deploy.local.prepare databases

Passwords come in HEMLINE_DATABASE_PASSWORD, the server's address in HEMLINE_SUPERUSER_URL, the
owners' addresses in HEMLINE_OWNER_URLS (a JSON object by service).
"""

import json
import os
import sys
from pathlib import Path

from deploy.local import postgres


def main(arguments: list[str]) -> None:
    password = os.environ["HEMLINE_DATABASE_PASSWORD"]
    match arguments:
        case ["initdb", folder]:
            postgres.Postgres(Path(folder), 0, password).initialise()
        case ["databases"]:
            _databases(password)
        case _:
            sys.exit(f"prepare: {__doc__}")


def _databases(password: str) -> None:
    from services.chassis.migrate import upgrade  # Not needed to make a folder.

    for service, owner_url in json.loads(os.environ["HEMLINE_OWNER_URLS"]).items():
        postgres.provision(os.environ["HEMLINE_SUPERUSER_URL"], password, service)
        upgrade(service, owner_url)
        sys.stdout.write(f"{service}: ready\n")


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except postgres.PostgresError as problem:
        sys.exit(f"prepare: {problem}")
