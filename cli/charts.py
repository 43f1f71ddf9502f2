"""Small pictures of numbers, in characters."""

from collections.abc import Sequence
from datetime import date
from math import ceil

BARS = "▁▂▃▄▅▆▇█"
BAND, MEDIAN, OUTSIDE = "░", "━", " "
HEIGHT = 10
LEAST_TOP = 1e-6  # Units a day. Below it, a chart shows nothing but zeros.


def sparkline(values: Sequence[float]) -> str:
    """One bar for each value, from 0 to the highest."""
    top = max(values, default=0.0)
    if top <= 0:
        return BARS[0] * len(values)
    return "".join(BARS[min(int(len(BARS) * max(v, 0) / top), len(BARS) - 1)] for v in values)


def band_chart(
    dates: Sequence[date], low: Sequence[float], middle: Sequence[float], high: Sequence[float]
) -> str:
    """A band from ``low`` to ``high`` with ``middle`` drawn in, one column for each day.

    Returns lines of text, highest value first, with the value at the left and Mondays below.
    """
    top = max(high, default=0.0)
    top = top if top > LEAST_TOP else 1.0
    step = top / HEIGHT
    width = len(f"{top:.2f}") + 2
    columns = [_column(*values, step) for values in zip(low, middle, high, strict=True)]
    lines = []
    for row in range(HEIGHT, 0, -1):
        label = f"{row * step:.2f}" if row in (1, HEIGHT // 2, HEIGHT) else ""
        lines.append(f"{label:>{width}} ┤{''.join(column[row - 1] for column in columns)}")
    lines.append(f"{'0.00':>{width}} └{'─' * len(dates)}")
    lines.append(" " * (width + 2) + _axis(dates))
    return "\n".join(line.rstrip() for line in lines)


def _column(low: float, middle: float, high: float, step: float) -> str:
    """One day from the bottom up. A value on the line between two rows belongs to the lower."""
    bottom, line, top = (min(max(ceil(value / step), 1), HEIGHT) for value in (low, middle, high))
    band = [BAND if bottom <= row <= top else OUTSIDE for row in range(1, HEIGHT + 1)]
    band[line - 1] = MEDIAN
    return "".join(band)


def _axis(dates: Sequence[date]) -> str:
    """`11-23` under each Monday that has room for it."""
    cells = [" "] * (len(dates) + 5)
    for index, day in enumerate(dates):
        if day.weekday() == 0 and all(cell == " " for cell in cells[max(index - 1, 0) : index]):
            cells[index : index + 5] = day.strftime("%m-%d")
    return "".join(cells)
