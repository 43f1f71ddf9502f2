"""Searches data and folders for canaries, in every form of `forms`.

Canaries that are made together begin alike, so that one search finds them all: `Family.make`.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from uuid import UUID

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
        prefix: what each of its texts begins with.
        uuid_prefix: the first 8 bytes of each of its UUIDs; without, it has none.
        members: canaries by name.
    """

    name: str
    prefix: str
    uuid_prefix: bytes = b""
    members: dict[str, str | UUID] = field(default_factory=dict)

    @cached_property
    def beginnings(self) -> Mapping[str, bytes]:
        found = dict(forms.of_text(self.prefix))
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
        self._families = families
        self.scanned_bytes = 0

    def scan(self, source: str, data: bytes) -> Iterator[Hit]:
        """Yields each canary in ``data`` once for each form."""
        self.scanned_bytes += len(data)
        found: dict[Hit, None] = {}
        for family in self._families:
            for form, beginning in family.beginnings.items():
                for at in _places(data, beginning):
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


def scan_folders(folders: Iterable[Path], families: Sequence[Family]) -> list[Hit]:
    """Searches whole folders at once. For callers who keep their stores in files alone."""
    scanner = Scanner(families)
    return [hit for folder in folders for hit in scanner.scan_folder(folder)]


def _places(data: bytes, wanted: bytes) -> Iterator[int]:
    at = data.find(wanted)
    while at >= 0:
        yield at
        at = data.find(wanted, at + 1)
