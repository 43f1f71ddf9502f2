"""How a jurisdiction steers its traffic, unless its operators have set something else."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

PERCENT = 100


class Mode(StrEnum):
    FAILOVER = "failover"  # The home region first.
    LATENCY = "latency"  # First the region with the shortest way from the edge.
    GEOLOCATION = "geolocation"  # First the region nearest to the edge on the globe.
    WEIGHTED = "weighted"  # Each region first for its share.


@dataclass(frozen=True)
class Traffic:
    mode: Mode = Mode.FAILOVER
    weights: Mapping[str, int] = field(default_factory=dict)  # Region to percent, of WEIGHTED.


def parse(body: Any, regions: Sequence[str]) -> Traffic:
    """Reads `{mode: weighted, weights: {region: percent}}` of a jurisdiction with ``regions``.

    Raises:
        ValueError: in one line, what is wrong, and where from `traffic` on.
    """
    if body is None:
        return Traffic()
    if not isinstance(body, dict) or not body.keys() <= {"mode", "weights"}:
        raise ValueError("traffic: want mode, and weights for weighted")
    modes = [mode.value for mode in Mode]
    if body.get("mode") not in modes:
        raise ValueError(f"traffic.mode: want one of {', '.join(modes)}")
    found = Traffic(Mode(body["mode"]), _weights(body.get("weights")))
    for problem in problems(found, regions):
        raise ValueError(f"traffic.{problem}")
    return found


def problems(traffic: Traffic, regions: Sequence[str]) -> list[str]:
    """Says what of ``traffic`` cannot be in a jurisdiction with ``regions``."""
    weights = traffic.weights
    if traffic.mode is not Mode.WEIGHTED:
        return ["weights: only for weighted"] if weights else []
    found = [
        f"weights.{region}: not a region of the jurisdiction; known: {', '.join(regions)}"
        for region in sorted(weights.keys() - set(regions))
    ]
    if any(not 0 <= percent <= PERCENT for percent in weights.values()):
        found.append("weights: each is a percent, 0 to 100")
    if sum(weights.values()) != PERCENT:
        found.append(f"weights: add up to {sum(weights.values())}, not to {PERCENT}")
    return found


def _weights(body: Any) -> dict[str, int]:
    match body:
        case None:
            return {}
        case dict() if all(type(percent) is int for percent in body.values()):
            return {str(region): percent for region, percent in body.items()}
    raise ValueError("traffic.weights: want a mapping of region to whole percent")
