"""Searches data and folders for canaries, in every form of `forms`.

Canaries that are made together begin alike, so that one search finds them all: `Family.make`.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np

from proofs.leaks import forms

CHUNK_BYTES = 16 * 1024 * 1024
OVERLAP_BYTES = 1024
"""More than the longest form of a canary."""

BEFORE, AFTER = 16, 512


@dataclass(frozen=True, slots=True)
class Hit:
    source: str  # Where, such as a file.
    canary: str  # Its name; that of the family if only the beginning is there.
    form: str


@dataclass
class Family:
    """Canaries that begin alike.

    Attributes:
        name: of the family, such as the tenant's.
        prefix: what each of its texts begins with; without, it has none.
        uuid_prefix: the first 8 bytes of each of its UUIDs; without, it has none.
        members: canaries by name.
    """

    name: str
    prefix: str
    uuid_prefix: bytes = b""
    members: dict[str, str | UUID] = field(default_factory=dict)

    @cached_property
    def beginnings(self) -> Mapping[str, bytes]:
        found = dict(forms.of_text(self.prefix)) if self.prefix else {}
        if self.uuid_prefix:
            uuids = forms.of_uuid_prefix(self.uuid_prefix)
            found |= {f"UUID {name}": form for name, form in uuids.items()}
        return found

    def named(self, window: bytes) -> Iterator[tuple[str, str]]:
        """Which members stand in ``window``, and in which form."""
        for name, value in self.members.items():
            of = forms.of_uuid(value) if isinstance(value, UUID) else forms.of_text(value)
            for form, data in of.items():
                if data in window:
                    yield name, form


class Scanner:
    def __init__(self, families: Sequence[Family]) -> None:
        self._index = _Index(
            (beginning, (family, form))
            for family in families
            for form, beginning in family.beginnings.items()
        )
        self.scanned_bytes = 0

    def scan(self, source: str, data: bytes) -> Iterator[Hit]:
        """Yields each canary in ``data`` once for each form."""
        self.scanned_bytes += len(data)
        found: dict[Hit, None] = {}
        for at, (family, form) in self._index.search(data):
            window = data[max(0, at - BEFORE) : at + AFTER]
            named = list(family.named(window)) or [(family.name, form)]
            found |= dict.fromkeys(Hit(source, name, each) for name, each in named)
        yield from found

    def scan_file(self, path: Path) -> Iterator[Hit]:
        """The same for a file. One that has gone meanwhile holds nothing."""
        found: dict[Hit, None] = {}
        tail = b""
        try:
            with path.open("rb") as file:
                while chunk := file.read(CHUNK_BYTES):
                    found |= dict.fromkeys(self.scan(str(path), tail + chunk))
                    tail = chunk[-OVERLAP_BYTES:]
        except FileNotFoundError:
            pass
        found |= dict.fromkeys(self.scan(f"name of {path}", path.name.encode()))
        yield from found

    def scan_folder(self, folder: Path) -> Iterator[Hit]:
        """The same for every file below ``folder``, and for the files' names."""
        for path in files(folder):
            yield from self.scan_file(path)


def files(folder: Path) -> list[Path]:
    """Every regular file below ``folder``; symbolic links are not followed."""
    return sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


class _Index:
    """Finds many words at once: by a hash of their first four bytes, then by looking.

    A search for each of some hundred words would take a hundred times as long.
    """

    BITS = 20
    FACTOR = np.uint32(2_654_435_761)  # Knuth's, near the golden ratio of 2**32.

    def __init__(self, words: Iterable[tuple[bytes, tuple[Family, str]]]) -> None:
        self._by_start: dict[bytes, list[tuple[bytes, tuple[Family, str]]]] = {}
        for word, meaning in words:
            self._by_start.setdefault(word[:4], []).append((word, meaning))
        self._table = np.zeros(1 << self.BITS, dtype=bool)
        for start in self._by_start:
            self._table[self._hash(np.frombuffer(start, dtype="<u4"))] = True

    def search(self, data: bytes) -> Iterator[tuple[int, tuple[Family, str]]]:
        """Yields where a word begins, and what it means."""
        for offset in range(4):
            count = (len(data) - offset) // 4
            if count <= 0:
                continue
            starts = np.frombuffer(data, dtype="<u4", count=count, offset=offset)
            for index in np.flatnonzero(self._table[self._hash(starts)]):
                at = offset + 4 * int(index)
                for word, meaning in self._by_start.get(data[at : at + 4], ()):
                    if data.startswith(word, at):
                        yield at, meaning

    def _hash(self, starts: "np.ndarray[Any, np.dtype[np.uint32]]") -> Any:
        return (starts * self.FACTOR) >> np.uint32(32 - self.BITS)
