"""Parquet as rows. The first record is row 1."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from cli.importing.faults import Fault, FileRejected
from cli.importing.rows import Row

BATCH_ROWS = 10_000


class ParquetSource:
    def __init__(self, path: Path) -> None:
        import pyarrow as pa  # 0.3 s, and most files are CSV.
        import pyarrow.parquet as pq

        self._broken: tuple[type[Exception], ...] = (pa.ArrowException, OSError)
        try:
            self._file: Any = pq.ParquetFile(path)
        except self._broken as error:
            raise FileRejected(_damaged(error)) from None
        self.header: Sequence[str] = list(self._file.schema_arrow.names)
        self.blank_rows = 0
        self._row = 0

    @property
    def share_read(self) -> float:
        return self._row / max(int(self._file.metadata.num_rows), 1)

    def rows(self, wanted: Sequence[int]) -> Iterator[Row | Fault]:
        names = [self.header[index] for index in wanted]
        try:
            for batch in self._file.iter_batches(BATCH_ROWS, columns=names):
                columns = [batch.column(name).to_pylist() for name in names]
                for cells in zip(*columns, strict=True):
                    self._row += 1
                    yield Row(self._row, cells)
        except self._broken as error:
            raise FileRejected(_damaged(error)) from None

    def close(self) -> None:
        self._file.close()


def _damaged(error: Exception) -> Fault:
    return Fault(f"the Parquet file is damaged ({' '.join(str(error).split())[:120]})")
