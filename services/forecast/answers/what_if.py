"""What is kept of a run so that one series can be forecast again under another plan.

What all series of a shard share is stored once, what is a series' own beside its forecast: raw
numbers one after the other, so that a row is read in microseconds.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from services.forecast.engine.arrays import Floats
from services.forecast.engine.promo import PromoState, from_arrays
from services.forecast.engine.promo.state import SHARED

HEAD_END = b"\n"


@dataclass(frozen=True, slots=True)
class Field:
    """An array of a state. Of a series' own, ``shape`` is that of one series."""

    name: str
    kind: str  # numpy's name of the type, such as `<f8`.
    shape: tuple[int, ...]

    @property
    def size(self) -> int:
        """In bytes."""
        return np.dtype(self.kind).itemsize * int(np.prod(self.shape, dtype=np.int64))


@dataclass(frozen=True, slots=True)
class Shared:
    """What the series of a shard have in common. To be kept between calls."""

    arrays: Mapping[str, np.ndarray[Any, Any]]
    own: tuple[Field, ...]  # What a series' own bytes hold, in order.

    @classmethod
    def from_bytes(cls, data: bytes) -> "Shared":
        head, _, body = data.partition(HEAD_END)
        shared, own = (
            tuple(Field(name, kind, tuple(shape)) for name, kind, shape in fields)
            for fields in json.loads(head)
        )
        return cls(_arrays(shared, body), own)

    def state(self, own: bytes) -> PromoState:
        """The state of one series, its row 0."""
        arrays = _arrays(self.own, own)
        return from_arrays(
            {**self.arrays, **{name: values[np.newaxis] for name, values in arrays.items()}}
        )


def pack(state: PromoState) -> tuple[bytes, list[bytes]]:
    """What is shared, and each series' own."""
    arrays = {name: np.asarray(values) for name, values in state.arrays().items()}
    shared = {name: values for name, values in arrays.items() if name in (*SHARED, "recipe")}
    own = {name: np.ascontiguousarray(v) for name, v in arrays.items() if name not in shared}
    heads = [
        [(name, values.dtype.str, values.shape) for name, values in shared.items()],
        [(name, values.dtype.str, values.shape[1:]) for name, values in own.items()],
    ]
    body = b"".join(np.ascontiguousarray(values).tobytes() for values in shared.values())
    series = next(iter(own.values())).shape[0]
    rows = [
        values.reshape(series, -1).view(np.uint8).reshape(series, -1) for values in own.values()
    ]
    joined = np.concatenate(rows, axis=1)
    return json.dumps(heads).encode() + HEAD_END + body, [row.tobytes() for row in joined]


def what_if(state: PromoState, mean: Floats, known_future: Mapping[str, Floats]) -> Floats:
    """(ahead,). Expected units under another plan: the forecast, moved as the response says.

    Args:
        state: of the one series.
        mean: (ahead,). Its forecast under the plan as it was.
        known_future: (ahead,) each. What is other than planned.

    Raises:
        ValueError: a column is not of the shape (ahead,).
    """
    ratio = state.ratio(0, known_future)
    # Where nothing was to sell as planned, as on a closed day, the response alone speaks.
    return np.where(np.isnan(ratio), state.means(0, known_future), mean * ratio)


def _arrays(fields: tuple[Field, ...], data: bytes) -> dict[str, np.ndarray[Any, Any]]:
    found, start = {}, 0
    for field in fields:
        part = np.frombuffer(data[start : start + field.size], dtype=field.kind)
        found[field.name] = part.reshape(field.shape)
        start += field.size
    return found
