"""`hemline trace`: one request as the local world's collectors saw it."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from cli import output
from cli.problems import Problem, report_errors
from deploy.local.collector import older
from deploy.local.places import Places, places

Span = Mapping[str, Any]
NANOSECONDS_PER_MS = 1_000_000


def register(app: typer.Typer) -> None:
    app.command(name="trace")(show)


def show(
    trace_id: Annotated[str, typer.Argument(help="32 hexadecimal digits.")],
    folder: Annotated[Path | None, typer.Option("--folder", help="The world's folder.")] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Shows the spans of a trace as a tree, with the region that holds each."""
    with report_errors():
        spans = find(places(folder), trace_id.strip().lower().replace("-", ""))
        if not spans:
            raise Problem(
                f"no spans of {trace_id} in {places(folder).folder}",
                "exporters send twice a second: a new trace may need a moment",
            )
        if as_json:
            output.print_json(spans)
            return
        typer.echo("\n".join(tree(spans)))


def find(here: Places, trace_id: str) -> list[Span]:
    """Reads the spans of a trace from every region's folder, by start time."""
    found: list[Span] = []
    for file in sorted(here.folder.glob("regions/*/spans.jsonl")):
        for path in (older(file), file):
            found += [{**span, "kept_in": file.parent.name} for span in _read(path, trace_id)]
    return sorted(found, key=lambda span: int(span["start_unix_nano"]))


def tree(spans: Sequence[Span]) -> list[str]:
    """Draws the spans under their parents: region, service, name, start and duration."""
    ids = {span["span_id"] for span in spans}
    began = int(spans[0]["start_unix_nano"])

    def lines(parent: str | None, depth: int) -> Iterator[str]:
        for span in spans:
            under = span["parent_span_id"] if span["parent_span_id"] in ids else None
            if under == parent:
                yield _line(span, began, depth)
                yield from lines(span["span_id"], depth + 1)

    return list(lines(None, 0))


def _line(span: Span, began: int, depth: int) -> str:
    start_ms = (int(span["start_unix_nano"]) - began) / NANOSECONDS_PER_MS
    took_ms = (int(span["end_unix_nano"]) - int(span["start_unix_nano"])) / NANOSECONDS_PER_MS
    name = f"{'  ' * depth}{span['service']}: {span['name']}"
    error = "  ERROR" if span["error"] else ""
    return f"{start_ms:8.1f} +{took_ms:8.1f} ms  {span['kept_in']:14} {name}{error}"


def _read(path: Path, trace_id: str) -> Iterator[Span]:
    if path.exists():
        with path.open(encoding="utf-8") as file:
            # Most lines are of other traces: a look at the text is cheaper than reading each.
            yield from (
                span
                for span in (json.loads(line) for line in file if trace_id in line)
                if span["trace_id"] == trace_id
            )
