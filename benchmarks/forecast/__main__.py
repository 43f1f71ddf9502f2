"""`make bench-forecast PANELS=frat_weekly,hermes_100 METHODS=full,mlforecast COUNT=200`: a part.

VALIDATION=1 takes the cutoffs to choose on; INTERVALS=0 leaves out conformal intervals of the
yardsticks, which cost more than all else.

Measures every effort of the engine and every yardstick on every panel, each in a process of its
own, and prints one JSON object as its last line: by panel the figures of the full effort, below
them those of `light`, `middle` and the `yardsticks`.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.forecast import m3
from benchmarks.forecast.panels import LISTED, Spec, data, prepare, specs
from benchmarks.forecast.scoring import Scorer
from proofs import report

EFFORTS = ("light", "middle", "full")
YARDSTICKS = ("seasonal_naive", "tsb", "auto_ets", "mlforecast")
HERE = Path(__file__).parent
YARDSTICKS_PYTHON = HERE.parents[1] / ".venv-yardsticks" / "bin" / "python"
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")
MOST_SECONDS = 7_200


def asked(variable: str, all_of: tuple[str, ...], usual: tuple[str, ...] = ()) -> list[str]:
    """The names of a variable; if it is empty, the ``usual`` ones or all."""
    names = [name for name in os.environ.get(variable, "").replace(" ", ",").split(",") if name]
    unknown = sorted(set(names) - set(all_of))
    if unknown:
        sys.exit(f"bench-forecast: {variable}={unknown[0]}: known are {', '.join(all_of)}")
    return names or list(usual or all_of)


def measure(spec: Spec, methods: list[str], bar: report.Bar) -> dict[str, Any]:
    """Figures by method of one panel."""
    found: dict[str, Any] = {}
    scorer = Scorer(spec)
    for method in methods:
        bar.advance(0, f"{spec.name} {method}")
        out = Path(spec.path).with_name(f"{spec.name}-{method}.parquet")
        said = run(spec, method, out)
        figures = {**scorer.score(out), **said["cost"]}
        if not said["intervals"]:
            del figures["spl"], figures["coverage"]
        figures["cpu_ms_per_series"] = 1000 * figures["cpu_s"] / scorer.series / len(spec.cutoffs)
        found[method] = {name: round(value, 4) for name, value in figures.items()}
        report.note(f"{spec.name:20} {method:15} {line(found[method])}")
        bar.advance()
    return found


def run(spec: Spec, method: str, out: Path) -> dict[str, Any]:
    """Runs ``method`` in a process of its own. Returns its cost, and if it has made intervals."""
    command = (
        [sys.executable, "-m", "benchmarks.forecast.engine"]
        if method in EFFORTS
        else [str(YARDSTICKS_PYTHON), str(HERE / "yardsticks.py")]
    )
    done = subprocess.run(  # noqa: S603 - our own programs
        [*command, str(out), method], input=spec.to_json(), text=True, stdout=subprocess.PIPE,
        check=False, timeout=MOST_SECONDS, env={**os.environ, **ONE_THREAD},
    )  # fmt: skip
    if done.returncode:
        sys.exit(f"bench-forecast: {method} failed on {spec.name}")
    said: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return said


def line(figures: dict[str, float]) -> str:
    names = ("rmsse", "mase", "wmape", "wrmsse", "spl", "coverage", "cpu_s", "peak_mb")
    return "  ".join(f"{name} {figures[name]:.4g}" for name in names if name in figures)


def shape(found: dict[str, Any]) -> dict[str, Any]:
    """The full effort's figures, and the others below."""
    others = {name: found[name] for name in ("light", "middle") if name in found}
    yardsticks = {name: found[name] for name in YARDSTICKS if name in found}
    return {**found.get("full", {}), **others, "yardsticks": yardsticks}


def main() -> None:
    if not data().is_dir():
        sys.exit(f"bench-forecast: {data()} is not there: name the folder of the panels by DATA=")
    usual = (*(spec.name for spec in LISTED), "m3_methods")
    wanted = asked("PANELS", (*specs(), "m3_methods"), usual)
    methods = asked("METHODS", (*EFFORTS, *YARDSTICKS))
    if not YARDSTICKS_PYTHON.exists() and set(methods) & set(YARDSTICKS):
        sys.exit("bench-forecast: no yardsticks: `make bench-forecast` installs them")
    figures: dict[str, Any] = {}
    panels = [spec for name, spec in specs().items() if name in wanted]
    with (
        tempfile.TemporaryDirectory(prefix="hemline-bench-") as folder,
        report.progress("forecasting", len(panels) * len(methods)) as bar,
    ):
        for spec in panels:
            prepared = prepare(spec, Path(folder), report.count(0))
            figures[spec.name] = shape(measure(prepared, methods, bar))
    if "m3_methods" in wanted:
        figures["m3_methods"] = m3.measure()
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
