"""One run of the engine in a process of its own: `python -m benchmarks.forecast.engine OUT EFFORT`.

Reads a panel's Spec as JSON from standard input; writes the forecasts to OUT, and what they cost as
JSON to standard output. CPU time covers everything from the panel in memory to mean and quantiles.
"""

import json
import sys
from pathlib import Path
from typing import Any

from benchmarks.forecast.cost import peak_mb
from cli.panels import forecasts, run
from cli.panels.rows import Columns, read
from cli.panels.source import Source
from services.forecast.engine.effort import Effort
from services.forecast.engine.forecast import Settings


def main(spec: dict[str, Any], out: Path, effort: Effort) -> None:
    columns = Columns(spec["known"], spec["static"], spec["weight"])
    rows = read(Source(Path(spec["path"])), columns)
    asked = run.cutoffs(spec["cutoffs"], rows)
    period = run.period_of(rows, spec["period"], asked[0])
    method = run.engine(Settings(effort))
    results = [run.run(rows, period, cutoff, spec["horizon"], method) for cutoff in asked]
    forecasts.write([result.forecasts for result in results], out)
    cost = {"cpu_s": sum(one.cpu_seconds for one in results), "peak_mb": peak_mb()}
    print(json.dumps({"cost": cost, "intervals": True}))


if __name__ == "__main__":
    main(json.load(sys.stdin), Path(sys.argv[1]), Effort(sys.argv[2]))
