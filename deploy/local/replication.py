"""Streaming replication between embedded servers: the role and slot for it, and a standby's data.

Over loopback, as a role of its own, with a password that is read from a file.
"""

import os
import pwd
import shutil
import subprocess
import sys
from pathlib import Path

import psycopg

from deploy.local.copies import Copy
from deploy.local.postgres import (
    REPLICATOR,
    SUPERUSER,
    UNPRIVILEGED,
    Postgres,
    as_server_user,
    binary,
    write_secret,
)
from deploy.local.roles import set_role

CONNECT_SECONDS = 2
REWIND_FUNCTIONS = (
    "pg_ls_dir(text, boolean, boolean)",
    "pg_stat_file(text, boolean)",
    "pg_read_binary_file(text)",
    "pg_read_binary_file(text, bigint, bigint, boolean)",
)
"""What pg_rewind calls at the server that it reads from, as its manual lists it."""


class NoPrimary(Exception):
    """The server does not answer, or takes no writes."""


def prepare(primary: Postgres, copy: Copy, password: str) -> bool:
    """Makes the replication role and the slot of ``copy`` at ``primary``, unless they are there.

    Returns:
        Whether the slot still holds all that ``copy`` has not received; False if it is new.

    Raises:
        NoPrimary: as it says.
    """
    try:
        with psycopg.connect(
            primary.url(SUPERUSER, "postgres"), autocommit=True, connect_timeout=CONNECT_SECONDS
        ) as connection:
            if connection.execute("SELECT pg_is_in_recovery()").fetchone() != (False,):
                raise NoPrimary
            set_role(connection, REPLICATOR, password, "REPLICATION")
            for function in REWIND_FUNCTIONS:
                grant = f"GRANT EXECUTE ON FUNCTION pg_catalog.{function} TO {REPLICATOR}"
                connection.execute(grant.encode())
            return _make_slot(connection, copy.slot)
    except psycopg.OperationalError:
        raise NoPrimary from None


def _make_slot(connection: psycopg.Connection, slot: str) -> bool:
    query = "SELECT wal_status FROM pg_replication_slots WHERE slot_name = %s"
    found = connection.execute(query, (slot,)).fetchone()
    if found is not None and found[0] != "lost":
        return True
    if found is not None:
        connection.execute("SELECT pg_drop_replication_slot(%s)", (slot,))
    # Reserved at once: what is written from now on is kept for it.
    connection.execute("SELECT pg_create_physical_replication_slot(%s, true)", (slot,))
    return False


def source(primary: Postgres, copy: Copy) -> str:
    """How ``copy`` reaches ``primary``, as libpq takes it. Holds no secret."""
    return (
        f"host=127.0.0.1 port={primary.port} user={REPLICATOR} dbname=postgres "
        f"application_name={copy.at} connect_timeout=3 passfile={_password_file(copy)}"
    )


def keep_password(copy: Copy, password: str) -> None:
    """Writes the password of the replication role where ``copy`` alone reads it."""
    file = _password_file(copy)
    file.parent.mkdir(parents=True, exist_ok=True)
    write_secret(file, f"*:*:*:{REPLICATOR}:{password}\n")
    _give(copy, file)


def base_backup(primary: Postgres, copy: Copy) -> None:
    """Copies all of ``primary``, in place of what ``copy`` had. Raises CalledProcessError."""
    data = copy.server.data
    made = data.with_name(f"{data.name}.new")
    shutil.rmtree(made, ignore_errors=True)  # Of one that was interrupted.
    made.mkdir(parents=True, mode=0o700)
    _give(copy, made)
    _run(
        copy,
        *("pg_basebackup", "--pgdata", str(made), "--dbname", source(primary, copy)),
        *("--write-recovery-conf", "--slot", copy.slot),
        *("--wal-method=stream", "--checkpoint=fast", "--no-sync"),
    )
    shutil.rmtree(data, ignore_errors=True)
    made.rename(data)


def rewind(primary: Postgres, copy: Copy) -> None:
    """Takes back what ``copy`` wrote that ``primary`` never had. Raises CalledProcessError.

    Whoever was a primary may have written something in its last moment that no standby has seen.
    """
    for note in copy.server.data.glob("hemline.*"):
        _give(copy, note)  # The supervisor's, and overwritten like everything else.
    _run(
        copy,
        *("pg_rewind", "--target-pgdata", str(copy.server.data)),
        *("--source-server", source(primary, copy), "--no-sync"),
    )


def is_standby(copy: Copy) -> bool:
    """Whether the data is a standby's, or would come up as a primary."""
    return (copy.server.data / "standby.signal").exists()


def make_standby(copy: Copy) -> None:
    """From now on the data comes up as a standby's."""
    signal = copy.server.data / "standby.signal"
    signal.touch()
    _give(copy, signal)


def _run(copy: Copy, program: str, *arguments: str) -> None:
    command = [*as_server_user(copy.server.data), str(binary(program)), *arguments]
    sys.stdout.write(f"{copy.part}: {program}\n")
    sys.stdout.flush()
    subprocess.run(command, check=True)  # noqa: S603


def _password_file(copy: Copy) -> Path:
    return copy.server.data.parent / f".{copy.server.data.name}.pgpass"


def _give(copy: Copy, path: Path) -> None:
    """Makes ``path`` the property of the user that runs the server."""
    if as_server_user(copy.server.data)[:1] == ["setpriv"]:
        nobody = pwd.getpwnam(UNPRIVILEGED)
        os.chown(path, nobody.pw_uid, nobody.pw_gid)
