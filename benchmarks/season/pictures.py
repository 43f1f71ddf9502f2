"""Small pictures of the figures, as SVG written by hand."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.season.world import world
from services.forecast.engine.arrays import Floats
from services.forecast.engine.change_points import change_points
from services.forecast.engine.trends import State, find_trends

WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 560, 240, 48, 40, 34
COLOURS = ("#1f6f8b", "#c8553d", "#8a8d91", "#d9a441")
EXAMPLE_SEED, EXAMPLE_WEEKS, EXAMPLE_STYLES = 101, 130, 12
LEAST_HEIGHT = 0.02


def draw(folder: Path, figures: Mapping[str, Any]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    levels = figures["levels"]
    bars = {name.replace("_", " "): row["bias"] for name, row in levels.items()}
    _write(folder / "stock_outs.svg", _bars("Bias of the level, 30 % of days out", bars))
    ages = figures["cold_start"]
    ways = list(dict.fromkeys(way for row in ages.values() for way in row))
    lines = {
        way.replace("_", " "): [(age, row[way]["wmape"]) for age, row in ages.items() if way in row]
        for way in ways
    }
    title = "wMAPE of the next 28 days, by days since launch"
    _write(folder / "cold_start.svg", _lines(title, lines, ()))
    _write(folder / "trend.svg", _example())


def _write(path: Path, parts: Sequence[str]) -> None:
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
    style = 'font-family="sans-serif" font-size="12" fill="#333">'
    back = f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>'
    path.write_text("\n".join([head + style, back, *parts, "</svg>"]) + "\n", encoding="utf-8")


def _text(x: float, y: float, text: str, colour: str = "#333", anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}" text-anchor="{anchor}">{text}</text>'


def _bars(title: str, values: Mapping[str, float]) -> list[str]:
    parts = [_text(LEFT, 20, title)]
    step, low = (WIDTH - 180) / 2, HEIGHT - BOTTOM
    height = (low - TOP) / len(values)
    middle = 180 + step * 1.6
    scale = step * 1.5 / max(*(abs(value) for value in values.values()), LEAST_HEIGHT)
    for index, (name, value) in enumerate(values.items()):
        y, length = TOP + index * height, abs(value) * scale
        x = middle - length if value < 0 else middle
        parts.append(
            f'<rect x="{x:.1f}" y="{y + 6:.1f}" width="{max(length, 1):.1f}" '
            f'height="{height - 12:.1f}" fill="{COLOURS[index % len(COLOURS)]}"/>'
        )
        parts.append(_text(8, y + height / 2 + 4, name))
        parts.append(_text(middle + 30, y + height / 2 + 4, f"{100 * value:+.1f} %"))
    parts.append(f'<path d="M{middle:.1f} {TOP}V{low}" stroke="#333"/>')
    return parts


def _lines(
    title: str, lines: Mapping[str, Sequence[tuple[float, float]]], marks: Sequence[float]
) -> list[str]:
    points = np.array([point for line in lines.values() for point in line])
    right, low = WIDTH - 110, HEIGHT - BOTTOM
    first, last = points[:, 0].min(), max(points[:, 0].max(), points[:, 0].min() + 1)
    most = points[:, 1].max() * 1.05

    def at(x: float, y: float) -> tuple[float, float]:
        share = (x - first) / (last - first)
        return LEFT + share * (right - LEFT), low - (low - TOP) * max(y, 0) / most

    parts = [
        _text(LEFT, 20, title),
        f'<path d="M{LEFT} {TOP}V{low}H{right}" fill="none" stroke="#999"/>',
    ]
    dashed = 'stroke="#999" stroke-dasharray="4 3"'
    parts += [f'<path d="M{at(x, 0)[0]:.1f} {TOP}V{low}" {dashed}/>' for x in marks]
    for value in (0.0, most / 1.05):
        parts += [_text(LEFT - 6, at(first, value)[1] + 4, f"{value:.3g}", anchor="end")]
    for x in (first, last):
        parts += [_text(at(x, 0)[0], low + 18, f"{x:g}", anchor="middle")]
    for index, (name, line) in enumerate(lines.items()):
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in (at(*point) for point in line))
        colour = COLOURS[index % len(COLOURS)]
        parts.append(
            f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.8"/>'
        )
        parts.append(_text(right + 8, TOP + 16 * index + 8, name, colour))
    return parts


def _example() -> list[str]:
    """The choice of one season that moves most: what was seen, and what moved it."""
    made = world(EXAMPLE_SEED, EXAMPLE_WEEKS, styles=EXAMPLE_STYLES)
    choice = made.panel.static["choice"]
    kin = np.zeros(int(choice.max()) + 1, dtype=np.int64)
    kin[choice] = made.panel.static["category"]
    found = find_trends(made.uncensored(), choice, kin)
    which = int(found.order[0])
    steps = found.index.demand.shape[1]
    adjusted = found.index.demand[which] / found.season.until(steps)[which]
    taste = made.taste[which, -7 * steps :].reshape(steps, 7).mean(axis=1)
    taste = taste * np.nansum(adjusted) / taste[~np.isnan(adjusted)].sum()
    changes = change_points(np.log(np.maximum(adjusted, 1.0))[np.newaxis])
    lines = {"season out": _points(adjusted), "truth": _points(taste)}
    name = made.season.catalog.choices[which]
    title = f"{name}: {State(int(found.state[which])).name.lower()}, units a week"
    return _lines(title, lines, changes.column.tolist())


def _points(values: Floats) -> list[tuple[float, float]]:
    return [(week, value) for week, value in enumerate(values.tolist()) if value == value]  # noqa: PLR0124 - not NaN
