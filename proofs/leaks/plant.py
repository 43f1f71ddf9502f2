"""Leaks made by hand, one for each kind of store and form, to see that the search finds them."""

import base64
import json
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import psycopg
import redis

from deploy.local.world import World
from proofs.leaks import canaries, stores
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


def plant(found: World, region: str, family: Family) -> list[str]:
    """Hides a canary in each of 20 places of ``region``. Returns the canaries' names.

    What is planted is of no use to anybody, and belongs to no tenant; `clear` takes it away.
    """
    return [*_in_files(found, region, family), *_behind_interfaces(found, region, family)]


def clear(found: World, region: str) -> None:
    """Takes away what can be taken away. Rows that were there stay in PostgreSQL's files."""
    folder = found.places.region(region) / FOLDER
    for path in folder.glob("*"):
        path.unlink()
    if folder.exists():
        folder.rmdir()
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


def _behind_interfaces(found: World, region: str, family: Family) -> Iterator[str]:
    yield from _in_rows(_router_url(found, region), family)
    yield from _in_cache(found.redis_url(region), family)
    name = "what an Envoy counts"
    text = canaries.another(family, name)
    # A name of a setting that Envoy keeps in memory, and shows.
    port = stores.admin_ports(found, region)[0]
    url = f"http://127.0.0.1:{port}/runtime_modify?planted.{quote(text)}=1"
    urllib.request.urlopen(urllib.request.Request(url, method="POST"), timeout=10).close()
    yield name


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
