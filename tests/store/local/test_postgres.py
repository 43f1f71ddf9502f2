"""The embedded PostgreSQL: what its log and its folder keep of values and passwords."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from deploy.local.postgres import SUPERUSER, Postgres, PostgresError
from deploy.local.roles import provision
from tests.support.servers import free_port, running

CANARY = "canary4711"
INTO_LOG = 'log=$1; shift; exec "$@" 2>"$log"'


@pytest.fixture
def server() -> Iterator[Postgres]:
    # Not in pytest's own folder, which PostgreSQL's user may not enter.
    with tempfile.TemporaryDirectory(prefix="hemline-test-pg-") as made:
        folder = Path(made)
        folder.chmod(0o755)
        yield Postgres(folder / "data", free_port(), "test-password")


def accepts(server: Postgres) -> bool:
    try:
        psycopg.connect(server.url(SUPERUSER, "postgres"), connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def fails(connection: psycopg.Connection, statement: str) -> None:
    with pytest.raises(psycopg.Error) as caught:
        connection.execute(statement.encode())
    assert caught.value.sqlstate is not None


def test_the_log_keeps_no_value_of_a_failing_statement(server: Postgres) -> None:
    server.initialise()
    log = server.data.parent / "log"
    command = ["sh", "-c", INTO_LOG, "sh", str(log), *server.command()]
    with (
        running(command, lambda: accepts(server)),
        psycopg.connect(server.url(SUPERUSER, "postgres"), autocommit=True) as connection,
    ):
        connection.execute(
            "CREATE TABLE thing (name text PRIMARY KEY, units int CHECK (units > 0))"
        )
        connection.execute("INSERT INTO thing VALUES ('canary4711', 1)")
        fails(connection, "INSERT INTO thing VALUES ('canary4711', 1)")  # DETAIL: Key (name)=(...)
        fails(connection, "INSERT INTO thing VALUES ('canary4711', -1)")  # DETAIL: Failing row ...
        fails(connection, f"CREATE ROLE postgres PASSWORD '{CANARY}'")
        with (
            pytest.raises(psycopg.Error),
            connection.cursor() as cursor,
            cursor.copy("COPY thing FROM STDIN") as copy,
        ):
            copy.write(f"{CANARY}\n")  # CONTEXT: COPY thing, line 1: "..."
    said = log.read_text()
    assert said.count("ERROR:") == 4
    assert CANARY not in said


def test_provisioning_sends_a_verifier_and_no_password(server: Postgres) -> None:
    server.initialise()
    log = server.data.parent / "log"
    # As somebody else's server may be set: every statement in its log.
    command = ["sh", "-c", INTO_LOG, "sh", str(log), *server.command(), "-c", "log_statement=all"]
    with running(command, lambda: accepts(server)):
        for password in (f"{CANARY}-first", f"{CANARY}-second"):
            passwords = {"owner": password, "app": password}
            provision(server.url(SUPERUSER, "postgres"), "probe", passwords)
            url = f"postgresql://probe_app:{password}@127.0.0.1:{server.port}/probe"
            psycopg.connect(url).close()
    said = log.read_text()
    assert "ALTER ROLE" in said
    assert CANARY not in said


def test_the_password_file_is_the_owners_alone_and_gone_at_the_end(server: Postgres) -> None:
    left = server.data.parent / ".data.password"
    left.write_text("of a start that was killed")
    left.chmod(0o644)
    held = left.open()
    server.initialise()
    assert not left.exists()
    assert held.read() == "of a start that was killed"  # The new one was another file.
    held.close()


def test_the_password_file_is_gone_when_initdb_fails(server: Postgres) -> None:
    broken = Postgres(server.data, server.port, "")  # No password is none that initdb takes.
    with pytest.raises(PostgresError):
        broken.initialise()
    assert not (server.data.parent / ".data.password").exists()
    assert not server.data.exists()
