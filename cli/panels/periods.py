"""How long the periods of a panel are, judged by the dates of its rows."""

import numpy as np
from numpy.typing import NDArray

from cli.panels.values import Integers
from cli.problems import Problem

WEEK = 7
LONGEST_WEEK_STEP = 5  # A week that is stamped a day or two early or late is still one.
SHORTEST_MONTH_STEP = 26
SHORTEST_QUARTER_STEP = 80
MOST = 0.98  # The rest may be slips.
FIX = "say it with --period D, W or M"


def infer(series: Integers, days: NDArray[np.datetime64]) -> str:
    """D, W or M. Rows are in order of series and day.

    Raises:
        Problem: too few rows to tell, or periods that are none of the three.
    """
    numbers = days.astype("datetime64[D]").astype(np.int64)
    steps = np.diff(numbers)[np.diff(series) == 0]
    steps = steps[steps > 0]
    if not steps.size:
        steps = np.diff(np.unique(numbers))
    if not steps.size:
        raise Problem("column ds has a single date: nobody can tell how long a period is", FIX)
    short = float(np.quantile(steps, 1 - MOST))
    if short >= SHORTEST_QUARTER_STEP:
        raise Problem(
            f"rows are {int(np.median(steps))} days apart, but periods are days, weeks or months",
            "add rows up to months, or " + FIX,
        )
    weekly = float((steps % WEEK == 0).mean()) >= MOST
    if short >= SHORTEST_MONTH_STEP and not (weekly and _sparse(steps)):
        return "M"
    if weekly or short >= LONGEST_WEEK_STEP:
        return "W"
    return "D"


def _sparse(steps: Integers) -> bool:
    """Weeks of which most are missing, rather than months of four or five weeks each."""
    return bool(np.unique(steps).size > 3)  # noqa: PLR2004 - 28, 35, and a long year's 42
