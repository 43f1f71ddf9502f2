"""An auditor that remembers every word that proxies have told it."""

from collections.abc import Iterable

from services.router.audit import Auditor, Entry
from services.router.nodes import Node
from services.router.translate import Facts


class Heard(Auditor):
    def __init__(self, facts: Facts) -> None:
        paths = [method.path for method in facts.methods]
        super().__init__(facts.topology, facts.endpoints, facts.region, paths)
        self.entries: list[tuple[Node, Entry]] = []

    def note(self, node: Node, entries: Iterable[Entry]) -> None:
        kept = list(entries)
        self.entries += [(node, entry) for entry in kept]
        super().note(node, kept)

    def of(self, node: Node, word: str) -> list[list[str]]:
        """Fields of the entries of ``node`` that hold ``word``."""
        bodies = (entry.body for reporter, entry in self.entries if reporter == node)
        return [body.split("\t") for body in bodies if word in body]
