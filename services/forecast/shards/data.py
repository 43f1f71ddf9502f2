"""What a shard reads and what it finds, as bytes that cross a process border or wait in a table.

A worker gets numbers alone: it never learns a tenant, a store or an SKU by name.
"""

import itertools
import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO

import numpy as np

from services.forecast.engine.arrays import Floats
from services.forecast.engine.panel import Panel
from services.forecast.engine.period import Period

FAST = 1  # zlib's level: counts shrink a lot at any.
KNOWN, STATIC = "known.", "static."
DIGITS = "%.7g"  # As many as single precision keeps.


@dataclass(frozen=True, slots=True)
class Place:
    """Where a shard stands among the others, for what all of them have in common."""

    shard: int = 0
    keys: Mapping[str, Sequence[int]] = field(default_factory=dict)
    """By static column: for each code a number that is the same in every shard."""


WHOLE = Place()


@dataclass(frozen=True, slots=True)
class Task:
    """One shard, or one cutoff of it."""

    panel: bytes  # Packed. Of a backtest: also what sold after the cutoff.
    effort: str
    cutoff: str | None = None  # Of a backtest, `YYYY-MM-DD`. None: the panel's end.
    place: Place = WHOLE

    def to_bytes(self) -> bytes:
        place = [self.place.shard, self.place.keys]
        head = {"effort": self.effort, "cutoff": self.cutoff, "place": place}
        return json.dumps(head).encode() + b"\n" + self.panel

    @classmethod
    def from_bytes(cls, data: bytes) -> "Task":
        text, _, panel = data.partition(b"\n")
        head = json.loads(text)
        return cls(panel, head["effort"], head["cutoff"], Place(*head["place"]))


@dataclass(frozen=True, slots=True)
class Found:
    """What a worker answers. Text in PostgreSQL's COPY format, without names."""

    rows: bytes  # A line a series, see `series_lines`. None of a backtest.
    state: bytes  # What the states of the series have in common; may be empty.
    figures: bytes  # As `figures` packs them.
    sums: bytes = b""  # As `totals` packs them. None of a backtest.

    def to_bytes(self) -> bytes:
        parts = (self.rows, self.state, self.figures, self.sums)
        return json.dumps([len(part) for part in parts]).encode() + b"\n" + b"".join(parts)

    @classmethod
    def from_bytes(cls, data: bytes) -> "Found":
        head, _, body = data.partition(b"\n")
        *ends, _ = itertools.accumulate(json.loads(head))
        return cls(*(body[start:end] for start, end in itertools.pairwise([0, *ends, len(body)])))


def pack_panel(panel: Panel) -> bytes:
    arrays: dict[str, np.ndarray] = {
        "period": np.array(panel.period.value),
        "dates": panel.dates.astype("datetime64[D]").astype(np.int64),
        "units": panel.units,
        **{KNOWN + name: values for name, values in panel.known.items()},
        **{STATIC + name: values for name, values in panel.static.items()},
    }
    optional = {"exposure": panel.exposure, "weights": panel.weights}
    arrays |= {name: values for name, values in optional.items() if values is not None}
    return zlib.compress(packed(arrays), FAST)


def unpack_panel(data: bytes) -> Panel:
    arrays = unpacked(zlib.decompress(data))
    return Panel(
        period=Period(str(arrays["period"])),
        dates=arrays["dates"].astype("datetime64[D]"),
        units=arrays["units"],
        known=_named(arrays, KNOWN),
        static=_named(arrays, STATIC),
        exposure=arrays.get("exposure"),
        weights=arrays.get("weights"),
    )


def _named(arrays: Mapping[str, np.ndarray], prefix: str) -> dict[str, np.ndarray]:
    return {
        name.removeprefix(prefix): values
        for name, values in arrays.items()
        if name.startswith(prefix)
    }


def packed(arrays: Mapping[str, np.ndarray]) -> bytes:
    buffer = BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


def unpacked(data: bytes) -> dict[str, np.ndarray]:
    with np.load(BytesIO(data), allow_pickle=False) as found:
        return dict(found)


def series_lines(columns: list[Floats], tiers: list[str], states: list[bytes]) -> bytes:
    """Lines of COPY's text format, one a series.

    Args:
        columns: each (series, ahead): mean, P10, P50, P90, and what a run keeps beside them.
        tiers: what forecast each series.
        states: of each series; none of them, if empty.
    """
    texts = [
        ["{" + ",".join(map(DIGITS.__mod__, row)) + "}" for row in values.tolist()]
        for values in columns
    ]
    totals = map(repr, columns[0].sum(axis=1).tolist())
    kept = ["\\\\x" + state.hex() for state in states] if states else ["\\N"] * len(tiers)
    lines = zip(totals, *texts, tiers, kept, strict=True)
    return "\n".join("\t".join(line) for line in lines).encode()
