"""Prepares one region's PostgreSQL: the data folder, or each service's roles, database and tables.

    python -m deploy.local.prepare initdb FOLDER
    python -m deploy.local.prepare databases

The first is told HEMLINE_SUPERUSER_PASSWORD; the second HEMLINE_SUPERUSER_URL, and in
HEMLINE_SERVICE_PASSWORDS a JSON object: service to the passwords of its `owner` and `app`.
"""

import json
import os
import sys
from pathlib import Path

from deploy.local import postgres


def main(arguments: list[str]) -> None:
    match arguments:
        case ["initdb", folder]:
            password = os.environ["HEMLINE_SUPERUSER_PASSWORD"]
            postgres.Postgres(Path(folder), 0, password).initialise()
        case ["databases"]:
            _databases(os.environ["HEMLINE_SUPERUSER_URL"])
        case _:
            sys.exit(f"prepare: {__doc__}")


def _databases(superuser_url: str) -> None:
    # Not needed to make a folder.
    from deploy.local import roles
    from services.chassis.migrate import upgrade

    for service, passwords in json.loads(os.environ["HEMLINE_SERVICE_PASSWORDS"]).items():
        roles.provision(superuser_url, service, passwords)
        upgrade(service, postgres.service_url(superuser_url, service, "owner", passwords["owner"]))
        sys.stdout.write(f"{service}: ready\n")


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except postgres.PostgresError as problem:
        sys.exit(f"prepare: {problem}")
