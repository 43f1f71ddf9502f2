"""One request is one trace, from the edge to the SQL statement, and it stays in its region."""

import json
import secrets
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.calls import CLIENTS, LIST_LEVELS
from tests.support.world import EDGES, EU_PLANNER, World

ARRIVAL_SECONDS = 15


def spans_of(world: World, region: str, trace_id: str) -> list[dict[str, Any]]:
    file = world.folder / "regions" / region / "spans.jsonl"
    spans = (json.loads(line) for line in file.read_text().splitlines())
    return [span for span in spans if span["trace_id"] == trace_id]


def arrived(world: World, region: str, trace_id: str, parent: str) -> list[dict[str, Any]]:
    """Spans of the trace, once none is missing from a statement up to ``parent``."""
    deadline = time.monotonic() + ARRIVAL_SECONDS
    while time.monotonic() < deadline:
        spans = spans_of(world, region, trace_id)
        if any(chain[-1]["parent_span_id"] == parent for chain in chains(spans)):
            return spans
        time.sleep(0.2)
    raise AssertionError(f"no complete trace {trace_id}: {spans_of(world, region, trace_id)}")


def chains(spans: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """For each statement: its span, the span that it is part of, and so on upwards."""
    by_id = {span["span_id"]: span for span in spans}
    for statement in spans:
        if "select" in statement["name"].lower():
            chain = [statement]
            while chain[-1]["parent_span_id"] in by_id:
                chain.append(by_id[chain[-1]["parent_span_id"]])
            yield chain


@pytest.mark.parametrize("client", CLIENTS)
def test_edge_sidecar_service_and_statement_are_one_trace(world: World, client: str) -> None:
    trace_id, parent = secrets.token_hex(16), secrets.token_hex(8)
    headers = {
        "authorization": f"Bearer {world.token(EU_PLANNER)}",
        "traceparent": f"00-{trace_id}-{parent}-01",
    }
    CLIENTS[client](EDGES["eu-central-1"], LIST_LEVELS, headers)
    spans = arrived(world, "eu-central-1", trace_id, parent)
    services = [span["service"] for span in next(chains(spans))]
    assert services[0] == "inventory"
    assert services[-1] == "edge"
    assert "sidecar" in " ".join(services)
    assert not spans_of(world, "us-east-1", trace_id)


def test_no_span_holds_a_token_or_an_address_of_a_person(world: World) -> None:
    token = world.token(EU_PLANNER)
    for region in EDGES:
        text = (world.folder / "regions" / region / "spans.jsonl").read_text()
        assert token.rpartition(".")[2] not in text
        assert EU_PLANNER not in text


def test_spans_tell_nothing_of_the_caller_or_of_what_was_asked(world: World) -> None:
    """Seen at the home edge, its sidecar and service, and at a foreign edge that redirects."""
    canary, traces = f"canary-{secrets.token_hex(8)}", []
    for client in CLIENTS.values():
        trace_id, parent = secrets.token_hex(16), secrets.token_hex(8)
        traces.append(trace_id)
        headers = {
            "authorization": f"Bearer {world.token(EU_PLANNER)}",
            "traceparent": f"00-{trace_id}-{parent}-01",
            "user-agent": canary,
            "x-client-note": canary,
        }
        for port in EDGES.values():
            client(port, f"{LIST_LEVELS}?note={canary}", headers)
            client(port, LIST_LEVELS, headers)
        arrived(world, "eu-central-1", trace_id, parent)
    time.sleep(ARRIVAL_SECONDS / 2)
    for trace_id in traces:
        spans = [span for region in EDGES for span in spans_of(world, region, trace_id)]
        assert {span["region"] for span in spans} == set(EDGES)
        text = json.dumps(spans)
        assert canary not in text
        assert "The data lives in" not in text
        for span in spans:
            assert span["attributes"].get("peer.address", "-") == "-"
