"""Small pictures of numbers, in characters."""

from collections.abc import Sequence
from datetime import date

BARS = "▁▂▃▄▅▆▇█"
BAND, MEDIAN, OUTSIDE = "░", "━", " "
HEIGHT = 10


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
    top = max(max(high, default=0.0), 1e-9)
    step = top / HEIGHT
    lines = []
    for row in range(HEIGHT, 0, -1):
        floor, ceiling = (row - 1) * step, row * step
        cells = [_cell(floor, ceiling, values) for values in zip(low, middle, high, strict=True)]
        label = f"{ceiling:8.2f}" if row in (1, HEIGHT // 2, HEIGHT) else " " * 8
        lines.append(f"{label} ┤{''.join(cells)}")
    lines.append(f"{0:8.2f} └{'─' * len(dates)}")
    lines.append(" " * 10 + _axis(dates))
    return "\n".join(line.rstrip() for line in lines)


def _cell(floor: float, ceiling: float, values: tuple[float, float, float]) -> str:
    low, middle, high = values
    # A value on the line between two rows belongs to the lower one, and 0 to the lowest.
    if floor < middle <= ceiling or (floor == 0 and middle == 0):
        return MEDIAN
    return BAND if low < ceiling and high > floor else OUTSIDE


def _axis(dates: Sequence[date]) -> str:
    """`11-23` under each Monday that has room for it."""
    cells = [" "] * (len(dates) + 5)
    for index, day in enumerate(dates):
        if day.weekday() == 0 and all(cell == " " for cell in cells[max(index - 1, 0) : index]):
            cells[index : index + 5] = day.strftime("%m-%d")
    return "".join(cells)
