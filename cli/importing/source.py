"""Opens a file: CSV or Parquet, told apart by its first bytes."""

import codecs
from pathlib import Path

from cli.importing.csv_source import CsvSource
from cli.importing.faults import Fault, FileRejected
from cli.importing.parquet_source import ParquetSource
from cli.importing.rows import Dialect, Source

UTF_8_BOM = codecs.BOM_UTF8
UTF_16_BOMS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
PARQUET = b"PAR1"
FOREIGN = {
    b"PK\x03\x04": ("is a ZIP archive or an Excel workbook", "save it as CSV, in UTF-8"),
    b"\xd0\xcf\x11\xe0": ("is an old Excel workbook", "save it as CSV, in UTF-8"),
    b"\x1f\x8b": ("is compressed with gzip", "unpack it first"),
}


def open_source(path: Path, dialect: Dialect) -> Source:
    """Opens a file and reads its header.

    Raises:
        FileRejected: no file, an empty one, or not one of ours.
    """
    try:
        with path.open("rb") as file:
            head = file.read(8)
    except OSError as error:
        raise FileRejected(Fault(f"{path}: {(error.strerror or 'unreadable').lower()}")) from None
    if not head:
        raise FileRejected(Fault("the file is empty"))
    for magic, (problem, remedy) in FOREIGN.items():
        if head.startswith(magic):
            raise FileRejected(Fault(f"the file {problem}", remedy))
    if head.startswith(PARQUET):
        return ParquetSource(path)
    if path.suffix.lower() == ".parquet":
        raise FileRejected(Fault("the file is called .parquet, but is not Parquet", "rename it"))
    return CsvSource(path, Dialect(_encoding(head, dialect.encoding), dialect.delimiter))


def _encoding(head: bytes, encoding: str) -> str:
    """The codec to use. A mark at the beginning that contradicts ``encoding`` is a fault."""
    codec = codecs.lookup(encoding).name
    if head.startswith(UTF_16_BOMS) and not codec.startswith(("utf-16", "utf-32")):
        raise FileRejected(
            Fault("the file begins with a UTF-16 byte-order mark", "give --encoding utf-16", 1)
        )
    if head.startswith(UTF_8_BOM):
        if codec not in ("utf-8", "utf-8-sig"):
            raise FileRejected(
                Fault("the file begins with a UTF-8 byte-order mark", "give --encoding utf-8", 1)
            )
        return "utf-8-sig"
    return codec
