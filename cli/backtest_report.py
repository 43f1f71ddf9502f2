"""What a backtest found: a table for people, JSON for programs."""

import math
from pathlib import Path
from typing import Any

import typer

from cli import output
from cli.panels.rows import Rows
from cli.panels.run import Backtest, Result
from cli.problems import note

UNDEFINED = "-"


def show(rows: Rows, done: Backtest, out: Path, *, as_json: bool) -> None:
    remarks = list(_remarks(rows, done))
    if as_json:
        output.print_json(_plain(rows, done, out, remarks))
        return
    for remark in remarks:
        note(remark)
    names = [name for name, value in done.mean().items() if math.isfinite(value)]
    lines = [
        (str(cutoff), f"{result.series:,}", *_cells(result.figures, names), f"{result.seconds:.1f}")
        for cutoff, result in done.results.items()
    ]
    if len(lines) > 1:
        lines.append(("mean", "", *_cells(done.mean(), names), ""))
    headings = ("CUTOFF", ">SERIES", *(f">{name.upper()}" for name in names), ">SECONDS")
    output.print_table(f"Forecasts by {done.period.name.lower()}", headings, lines)
    written = sum(result.forecasts.num_rows for result in done.results.values())
    typer.echo(f"{written:,} forecasts are in {out}.")
    typer.echo(_next(names))


def _next(names: list[str]) -> str:
    if names:
        return "Next: compare with another --effort, or name more columns by --known and --static."
    return (
        "Next: the panel ends at the cutoff, so nothing was scored; give an earlier one for that."
    )


def _cells(figures: dict[str, float], names: list[str]) -> list[str]:
    return [f"{figures[n]:.4f}" if math.isfinite(figures[n]) else UNDEFINED for n in names]


def _remarks(rows: Rows, done: Backtest) -> list[str]:
    """What somebody should know of the panel, each once."""
    remarks = list(rows.notes)
    newest = list(done.results.values())[-1]
    if newest.gaps:
        why = (
            "the panel has no zeros, so each counts as 0"
            if newest.gaps_are_zero
            else "the panel has zeros of its own, so what sold then counts as unknown"
        )
        remarks.append(f"{newest.gaps:,} rows are missing inside series: {why}")
    return remarks


def _plain(rows: Rows, done: Backtest, out: Path, remarks: list[str]) -> dict[str, Any]:
    return {
        "out": str(out),
        "period": done.period.value,
        "series": len(rows.ids),
        "forecasts": sum(result.forecasts.num_rows for result in done.results.values()),
        "notes": remarks,
        "cutoffs": {str(cutoff): _figures(result) for cutoff, result in done.results.items()},
        "mean": _finite(done.mean()),
    }


def _figures(result: Result) -> dict[str, Any]:
    return {
        "series": result.series,
        **_finite(result.figures),
        "seconds": round(result.seconds, 3),
        "cpu_s": round(result.cpu_seconds, 3),
    }


def _finite(figures: dict[str, float]) -> dict[str, float | None]:
    """JSON has no NaN."""
    return {
        name: round(value, 6) if math.isfinite(value) else None for name, value in figures.items()
    }
