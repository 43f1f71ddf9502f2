"""Everything in which a region of the local world keeps data, read as bytes.

Files: PostgreSQL's, with its log of changes, of the primary and of each standby; Redis's dump;
logs; spans; metrics; bootstraps and certificates. And what is behind an interface: rows by SQL,
because long values are compressed in files; Redis's keys and values; what each Envoy knows.
"""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import redis
from psycopg import sql

from deploy.local import state, world
from deploy.local.places import Places, places
from deploy.local.postgres import SUPERUSER
from deploy.local.world import World
from proofs.leaks.scan import Hit, Scanner

ENVOY_SECONDS = 10
PAGES = ("/config_dump?include_eds", "/clusters", "/stats", "/certs", "/runtime")
TABLES = """
    SELECT schemaname, relname FROM pg_stat_user_tables
    UNION ALL VALUES ('pg_catalog', 'pg_stats'), ('pg_catalog', 'pg_stat_activity')
"""


@dataclass(frozen=True, slots=True)
class Piece:
    """What one store holds, or a part of it."""

    source: str
    data: bytes


def opened(folder: Path | None = None) -> World:
    """The running world in ``folder``, or where HEMLINE_WORLD says."""
    here: Places = places(folder)
    status = state.read(here.status)
    if status is None:
        raise SystemExit(f"no world runs in {here.folder}; start it with `hemline up`")
    return world.load(here, status.base_port, status.edge_port)


def settle(found: World, region: str) -> None:
    """Has ``region``'s servers write to files what they hold in memory."""
    with psycopg.connect(found.superuser_url(region), autocommit=True) as connection:
        connection.execute("CHECKPOINT")
    with redis.Redis.from_url(found.redis_url(region)) as cache:
        cache.save()


def scan(found: World, region: str, scanner: Scanner) -> Iterator[Hit]:
    """Searches all that ``region`` has."""
    for folder in (found.places.region(region), found.places.logs / region):
        yield from scanner.scan_folder(folder)
    for piece in pieces(found, region):
        yield from scanner.scan(piece.source, piece.data)


def pieces(found: World, region: str) -> Iterator[Piece]:
    """What is behind an interface."""
    for url in _databases(found, region):
        yield from _rows(url)
    yield from _cache(found.redis_url(region))
    yield from _envoys(found, region)


def _databases(found: World, region: str) -> Iterator[str]:
    """Servers in ``region``: its own primary, and standbys of its siblings."""
    own = found.replaced.of(region, "postgres")
    if own:
        yield own
    for home in found.siblings(region):
        for copy in found.copies(home):
            if copy.at == region:
                yield copy.server.url(SUPERUSER, "postgres")


def _rows(superuser_url: str) -> Iterator[Piece]:
    with psycopg.connect(superuser_url) as connection:
        names = connection.execute("SELECT datname FROM pg_database WHERE datallowconn").fetchall()
    for (name,) in names:
        url = urlunsplit(urlsplit(superuser_url)._replace(path=f"/{name}"))
        with psycopg.connect(url) as connection:
            for schema, table in connection.execute(TABLES).fetchall():
                source = f"{urlsplit(url).port}/{name} {schema}.{table}"
                yield Piece(source, _table(connection, schema, table))


def _table(connection: psycopg.Connection, schema: str, table: str) -> bytes:
    statement = sql.SQL("COPY (SELECT t::text FROM {} t) TO STDOUT").format(
        sql.Identifier(schema, table)
    )
    with connection.cursor() as cursor, cursor.copy(statement) as rows:
        return b"".join(rows)


def _cache(url: str) -> Iterator[Piece]:
    with redis.Redis.from_url(url) as cache:
        for key in cache.scan_iter():
            yield Piece(f"redis key {key!r}", key + b"\n" + _value(cache, key))


def _value(cache: "redis.Redis", key: bytes) -> bytes:
    """As text and as Redis would copy it."""
    found: object = None
    match cache.type(key):
        case b"string":
            found = cache.get(key)
        case b"hash":
            found = cache.hgetall(key)
        case b"list":
            found = cache.lrange(key, 0, -1)
        case b"set":
            found = cache.smembers(key)
        case b"zset":
            found = cache.zrange(key, 0, -1)
        case b"stream":
            found = cache.xrange(key)
    raw = found if isinstance(found, bytes) else repr(found).encode()
    return raw + b"\n" + (cache.dump(key) or b"")


def _envoys(found: World, region: str) -> Iterator[Piece]:
    for port in admin_ports(found, region):
        for page in PAGES:
            url = f"http://127.0.0.1:{port}{page}"
            try:
                with urllib.request.urlopen(url, timeout=ENVOY_SECONDS) as answer:
                    yield Piece(url, answer.read())
            except (urllib.error.URLError, OSError) as error:
                raise SystemExit(f"{url}: {error}; without it nothing is shown") from None


def admin_ports(found: World, region: str) -> list[int]:
    """Of every Envoy of ``region``, by its bootstrap."""
    ports = []
    for path in sorted(found.places.region(region).glob("*.json")):
        document = json.loads(path.read_text("utf-8"))
        if "admin" in document:
            ports.append(int(document["admin"]["address"]["socket_address"]["port_value"]))
    return ports
