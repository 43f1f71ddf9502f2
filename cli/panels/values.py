"""Cells of any type as numbers, or as codes of names."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from cli.problems import Problem

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Factor:
    """Names as codes: `labels[codes]`, and -1 where there is none. The labels ascend."""

    codes: Integers
    labels: list[str]


def plain(column: Any) -> Any:
    """A column as one array, without dictionary; bytes are text."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if _is_bytes(column.type):
        column = _text(column)
    if pa.types.is_string_view(column.type):  # Which Arrow does not sort.
        column = column.cast(pa.large_string())
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    if isinstance(column, pa.ChunkedArray):  # More text than one array of the kind can hold.
        column = column.cast(pa.large_string()).combine_chunks()
    return column


def _is_bytes(kind: Any) -> bool:
    types = pa.types
    return bool(
        types.is_binary(kind) or types.is_large_binary(kind) or types.is_fixed_size_binary(kind)
    )


def _text(column: Any) -> Any:
    """Bytes as text: UTF-8 if all of it is, else Latin-1, which any bytes are."""
    try:
        return column.cast(pa.binary()).cast(pa.string())
    except pa.ArrowInvalid:
        cells = [None if cell is None else cell.decode("latin-1") for cell in column.to_pylist()]
        return pa.array(cells, pa.string())


def is_text(kind: Any) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def numbers(column: Any, name: str) -> Floats:
    """Numbers, NaN where there is none. Flags are 0 and 1, text must read as numbers.

    Raises:
        Problem: a cell is no number, or none can be.
    """
    values = plain(column)
    if pa.types.is_null(values.type):
        return np.full(len(values), np.nan)
    if is_text(values.type):
        values = _parsed(values, name)
    elif pa.types.is_boolean(values.type):
        values = values.cast(pa.uint8())
    elif not _numeric(values.type):
        raise Problem(f"column {name} holds {values.type}", "give numbers")
    found = values.cast(pa.float64(), safe=False)
    return np.asarray(found.to_numpy(zero_copy_only=False), dtype=np.float64)


def numbers_or_names(column: Any, name: str) -> Floats | Factor:
    """Numbers where all cells are, else names."""
    values = plain(column)
    if not is_text(values.type):
        return numbers(values, name)
    try:
        return numbers(values, name)
    except Problem:
        return factor(values, name)


def factor(column: Any, name: str) -> Factor:
    """Codes of equal cells, of whatever type."""
    values = plain(column)
    if pa.types.is_nested(values.type):
        raise Problem(f"column {name} holds {values.type}", "give numbers or names")
    if pa.types.is_null(values.type):
        return Factor(np.full(len(values), -1, dtype=np.int64), [])
    encoded = values.dictionary_encode()
    order = pc.sort_indices(encoded.dictionary).to_numpy()
    rank = np.empty(order.size, dtype=np.int64)
    rank[order] = np.arange(order.size)
    codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    labels = [str(label) for label in encoded.dictionary.take(order).to_pylist()]
    return Factor(np.append(rank, -1)[codes], labels)


def _numeric(kind: Any) -> bool:
    return bool(
        pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    )


def _parsed(values: Any, name: str) -> Any:
    """Text as numbers; an empty cell is none."""
    trimmed = pc.utf8_trim_whitespace(values)
    trimmed = pc.if_else(pc.equal(trimmed, ""), pa.scalar(None, trimmed.type), trimmed)
    try:
        return trimmed.cast(pa.float64())
    except pa.ArrowInvalid:
        raise Problem(
            f"column {name} holds {_first_bad(trimmed)!r}, which is no number",
            "give digits with a decimal point, and leave what is unknown empty",
        ) from None


def _first_bad(values: Any) -> str:
    for text in values.unique().to_pylist():
        try:
            float(text or "0")
        except ValueError:
            return str(text)
    return "a number that is written in an unusual way"
