"""A service's database and roles at a running PostgreSQL.

Each service has a database of its own, an owner for migrations (`<service>_owner`), and the role
it runs as (`<service>_app`), which owns nothing and for which row-level security therefore holds.
"""

from collections.abc import Mapping
from typing import Literal

import psycopg
from psycopg import sql


def provision(superuser_url: str, service: str, passwords: Mapping[str, str]) -> None:
    """Makes ``service``'s roles and database at a running server, unless they are there.

    Args:
        superuser_url: of somebody who may make roles and databases.
        service: names the database.
        passwords: of `owner` and `app`. Set again where the role is there: a server may outlive
            the folder that knew them.
    """
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        for role, password in passwords.items():
            set_role(connection, f"{service}_{role}", password)
        if not _found(connection, "SELECT 1 FROM pg_database WHERE datname = %s", service):
            _create_database(connection, service)


def set_role(
    connection: psycopg.Connection,
    name: str,
    password: str,
    attribute: Literal["", "REPLICATION"] = "",
) -> None:
    """Makes the role ``name``, or sets its password and ``attribute`` again."""
    found = _found(connection, "SELECT 1 FROM pg_roles WHERE rolname = %s", name)
    # A verifier proves the password and is not it: logs at the server may keep statements.
    verifier = connection.pgconn.encrypt_password(
        password.encode(), name.encode(), b"scram-sha-256"
    )
    connection.execute(
        sql.SQL("{} ROLE {} LOGIN {} PASSWORD {}").format(
            sql.SQL("ALTER" if found else "CREATE"),
            sql.Identifier(name),
            sql.SQL(attribute),
            sql.Literal(verifier.decode()),
        )
    )


def _create_database(connection: psycopg.Connection, service: str) -> None:
    database, owner = sql.Identifier(service), sql.Identifier(f"{service}_owner")
    app = sql.Identifier(f"{service}_app")
    # PostgreSQL lets only a member make a database for another role; a superuser is one already.
    if not _found(
        connection, "SELECT 1 FROM pg_roles WHERE rolname = %s AND rolsuper", connection.info.user
    ):
        connection.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(owner))
    connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(database, owner))
    connection.execute(
        sql.SQL("REVOKE CONNECT, TEMPORARY ON DATABASE {} FROM PUBLIC").format(database)
    )
    connection.execute(
        sql.SQL("GRANT CONNECT, TEMPORARY ON DATABASE {} TO {}").format(database, app)
    )


def _found(connection: psycopg.Connection, query: str, name: str) -> bool:
    return connection.execute(query.encode(), (name,)).fetchone() is not None
