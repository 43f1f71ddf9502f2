"""Latency and CPU of each way, in rounds that take turns."""

from statistics import median
from typing import Any

from benchmarks.router import h2load
from benchmarks.router.h2load import H2loadError, Shape
from benchmarks.router.paths import Bench

ALONE = Shape(calls=3_000)
SATURATED = Shape(calls=20_000, clients=8, streams=8)
MICRO = 1e6


async def latency(bench: Bench, rounds: int) -> dict[str, list[tuple[float, float]]]:
    """p50 and p99 in seconds by way, one call at a time, of each round."""
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in bench.paths}
    for number in range(rounds + 1):
        for name, way in bench.paths.items():
            run = await h2load.run(way.address, bench.token, ALONE, bench.folder)
            if number:  # The first round warms up.
                found[name].append((run.percentile(0.5), run.percentile(0.99)))
    return found


async def cpu(bench: Bench, rounds: int) -> dict[str, list[tuple[float, float]]]:
    """CPU seconds of the way's proxies for each call, and calls a second, at saturation."""
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in bench.paths}
    for number in range(rounds + 1):
        for name, way in bench.paths.items():
            used, answered = way.cpu_seconds(), await bench.answered()
            run = await h2load.run(way.address, bench.token, SATURATED, bench.folder)
            reached = await bench.answered() - answered
            if reached < run.calls:
                raise H2loadError(f"{name}: only {reached} of {run.calls} calls have come through")
            if number:
                spent = (way.cpu_seconds() - used) / run.calls
                found[name].append((spent, run.calls / run.lasted_seconds))
    return found


async def measure(bench: Bench, rounds: int) -> dict[str, Any]:
    alone, busy = await latency(bench, rounds), await cpu(bench, rounds)
    p50 = {name: median(one for one, _ in each) for name, each in alone.items()}
    p99 = {name: median(one for _, one in each) for name, each in alone.items()}
    spent = {name: median(one for one, _ in each) for name, each in busy.items()}
    rates = {name: median(one for _, one in each) for name, each in busy.items()}
    ratios = {
        "p50_vs_direct": p50["full"] / p50["direct"],
        "p50_vs_two_bare_hops": p50["full"] / p50["two_bare_hops"],
        "p99_vs_two_bare_hops": p99["full"] / p99["two_bare_hops"],
        "two_bare_hops_p50_vs_direct": p50["two_bare_hops"] / p50["direct"],
    }
    return {
        **{name: round(ratio, 3) for name, ratio in ratios.items()},
        "cpu_us_per_request": round(MICRO * spent["full"], 1),
        "two_bare_hops_cpu_us_per_request": round(MICRO * spent["two_bare_hops"], 1),
        "p50_us": {name: round(MICRO * value, 1) for name, value in p50.items()},
        "calls_per_second": {name: round(value) for name, value in rates.items()},
        "rounds": rounds,
    }
