"""Rendered snapshots, compared with what was reviewed. `UPDATE_GOLDEN=1` writes them anew."""

import json
import os
from pathlib import Path

import pytest

from services.router import nodes
from services.router.nodes import Node
from services.router.translate import translate
from tests.unit.router.world import facts

FOLDER = Path(__file__).parent

SNAPSHOTS: dict[str, tuple[Node, str]] = {
    "edge-eu-central-1": (nodes.edge("eu-central-1"), "redirect"),
    "edge-eu-central-1-forwarding": (nodes.edge("eu-central-1"), "forward"),
    "edge-us-east-1": (nodes.edge("us-east-1"), "redirect"),
    "sidecar-eu-central-1-inventory-1": (nodes.sidecar("eu-central-1", "inventory", 1), "redirect"),
    "sidecar-us-east-1-inventory-1-forwarded-to": (
        nodes.sidecar("us-east-1", "inventory", 1),
        "forward",
    ),
    "client-eu-central-1-forecast": (nodes.client("eu-central-1", "forecast"), "redirect"),
    "sidecar-us-east-1-identity-2": (nodes.sidecar("us-east-1", "identity", 2), "redirect"),
}


@pytest.mark.parametrize("name", SNAPSHOTS)
def test_renders_as_reviewed(name: str) -> None:
    node, abroad = SNAPSHOTS[name]
    made = translate(facts(node.region, abroad))[node].plain()
    text = json.dumps(made, indent=1, sort_keys=True) + "\n"
    file = FOLDER / f"{name}.json"
    if os.environ.get("UPDATE_GOLDEN"):
        file.write_text(text, "utf-8")
    assert text == file.read_text("utf-8"), "changed; review, then run with UPDATE_GOLDEN=1"
