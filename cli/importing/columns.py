"""Which column of the file is which field."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from cli.importing.faults import Fault, FileRejected
from cli.importing.fields import Field

HEADER_ROW = 1
DELIMITERS = (";", "\t", "|", ",")


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns that an import reads."""

    header: tuple[str, ...]
    index: dict[str, int]  # By field, in the order of the fields.

    def name(self, field: str) -> str:
        """The header of a field; the field's own name if the file does not have it."""
        return self.header[self.index[field]] if field in self.index else field

    @property
    def used(self) -> dict[str, str]:
        return {field: self.header[index] for field, index in self.index.items()}

    @property
    def unread(self) -> list[str]:
        read = set(self.index.values())
        return [name for index, name in enumerate(self.header) if index not in read]


def resolve(
    fields: Sequence[Field], header: Sequence[str], given: Sequence[tuple[str, str]]
) -> Columns:
    """Finds the column of each field: as ``given`` by the caller, else by a well-known name.

    Args:
        fields: what the import reads.
        header: the names in the file.
        given: pairs of field and header, from `--column`.

    Raises:
        FileRejected: a header stands twice, a column is missing, or two would do.
    """
    names = tuple(name.strip() for name in header)
    faults = _duplicates(names)
    index: dict[str, int] = {}
    for field_name, wanted in given:
        field = _field(fields, field_name)
        found = _find(names, wanted)
        if field is None:
            faults.append(_unknown_field(fields, field_name))
        elif found is None:
            faults.append(_not_found(wanted, field.name, names))
        else:
            index[field.name] = found
    taken = set(index.values())
    named = {field.name for name, _ in given if (field := _field(fields, name))}
    for field in fields:
        if field.name not in named:
            faults += _recognise(field, names, taken, index)
    if faults:
        raise FileRejected(*faults)
    return Columns(
        names, {field.name: index[field.name] for field in fields if field.name in index}
    )


def _recognise(
    field: Field, names: tuple[str, ...], taken: set[int], index: dict[str, int]
) -> list[Fault]:
    """Enters the column of ``field`` into ``index``, if one can be told by its name."""
    found = [i for i, name in enumerate(names) if i not in taken and field.recognises(name)]
    if len(found) > 1:
        both = " and ".join(names[i] for i in found)
        return [
            Fault(
                f"the columns {both} could both be {field.name} ({field.meaning})",
                f"choose with --column {field.name}={names[found[0]]}",
                HEADER_ROW,
            )
        ]
    if found:
        index[field.name] = found[0]
    elif field.required:
        return [_missing(field, names)]
    return []


def _missing(field: Field, names: tuple[str, ...]) -> Fault:
    other = next((d for d in DELIMITERS if len(names) == 1 and d in names[0]), None)
    remedy = (
        f"the header is one cell: give --delimiter {other!r}"
        if other
        else f"name it with --column {field.name}=HEADER; the headers are {', '.join(names)}"
    )
    return Fault(f"no column for {field.name} ({field.meaning})", remedy, HEADER_ROW)


def _duplicates(names: tuple[str, ...]) -> list[Fault]:
    counts = Counter(name for name in names if name)
    return [
        Fault(f"the header {name} stands {count} times", "rename all but one", HEADER_ROW)
        for name, count in counts.items()
        if count > 1
    ]


def _field(fields: Sequence[Field], name: str) -> Field | None:
    return next((field for field in fields if field.recognises(name)), None)


def _find(names: tuple[str, ...], wanted: str) -> int | None:
    """Exactly, or else without regard to case."""
    if wanted in names:
        return names.index(wanted)
    lower = [name.lower() for name in names]
    return lower.index(wanted.lower()) if wanted.lower() in lower else None


def _unknown_field(fields: Sequence[Field], name: str) -> Fault:
    known = ", ".join(field.name for field in fields)
    return Fault(f"--column {name}: there is no such field", f"the fields are {known}")


def _not_found(wanted: str, field: str, names: tuple[str, ...]) -> Fault:
    return Fault(
        f"no header {wanted}, which --column gives for {field}",
        f"the headers are {', '.join(names)}",
        HEADER_ROW,
    )
