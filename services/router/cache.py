"""The snapshots that are in force, and who must hear of a change."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager

from services.router import nodes
from services.router.nodes import Kind, Node
from services.router.snapshot import Snapshot


class UnknownNode(Exception):
    """No proxy of this router's has that id."""


class SnapshotCache:
    """Holds one snapshot a node. For one event loop; nothing in it waits."""

    def __init__(self, known: Iterable[Node]) -> None:
        self._snapshots: dict[Node, Snapshot | None] = dict.fromkeys(known)
        self._watchers: dict[Node, set[Callable[[], None]]] = {
            node: set() for node in self._snapshots
        }

    def node(self, node_id: str) -> Node:
        """Returns the node whose snapshot is meant for ``node_id``. Raises UnknownNode."""
        try:
            found = nodes.parse(node_id)
        except ValueError as error:
            raise UnknownNode(str(error)) from None
        if found.kind is Kind.EDGE:
            found = nodes.edge(found.region)
        if found not in self._snapshots:
            raise UnknownNode(f"{node_id}: this router configures no such proxy")
        return found

    def get(self, node: Node) -> Snapshot | None:
        """Returns the snapshot in force, or None before the first."""
        return self._snapshots[node]

    def replace(self, snapshots: Mapping[Node, Snapshot]) -> None:
        """Puts ``snapshots`` into force and wakes whoever watches one that has changed."""
        for node, snapshot in snapshots.items():
            before = self._snapshots[node]
            if before is None or before.version != snapshot.version:
                self._snapshots[node] = snapshot
                for wake in tuple(self._watchers[node]):
                    wake()

    @contextmanager
    def watching(self, node: Node, wake: Callable[[], None]) -> Iterator[None]:
        """Calls ``wake`` at each change of the node's snapshot, until left."""
        self._watchers[node].add(wake)
        try:
            yield
        finally:
            self._watchers[node].discard(wake)
