"""Say how much of one file is read, and how to allow more where that stops a file that is meant."""

from __future__ import annotations

from dataclasses import dataclass, fields

from sy_coverage.errors import InputError, UnreadableFileError

HIGHEST = 10**12
"""More than any memory holds of anything."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How much of one table, boundary file or GraphML is read; more is refused before it fills the memory.

    A study raises or lowers them in ``[limits]``, Python hands them to a reader: ``limits=Limits(rows=2_000_000)``. Road
    extracts are streamed, and rasters read by their window: these know no such limit.

    Raises
    ------
    InputError
        If one is no whole number from 1 to `HIGHEST`.
    """

    megabytes: int = 500
    """Of a file, and of what an archive (a workbook) unpacks to; 10⁶ bytes."""
    ratio: int = 100
    """How many times its packed size an archive above 1 MB may unpack to."""
    rows: int = 1_000_000
    """Of a table, sheet or layer."""
    cells: int = 50_000_000
    """Rows times columns of a table: one stray cell far out makes a table as large as one that is full."""
    vertices: int = 5_000_000
    """Of all shapes of a layer of boundaries or settled areas together."""

    def __post_init__(self) -> None:
        """Refuse what is no limit."""
        given = {f.name: getattr(self, f.name) for f in fields(self)}
        wrong = [f"{n} = {v}" for n, v in given.items() if not (isinstance(v, int) and 1 <= v <= HIGHEST)]
        if wrong:
            raise InputError(f"limits: {', '.join(wrong)}; give whole numbers from 1 to {HIGHEST:_}")

    def more(self, key: str) -> str:
        """Return how somebody who means the file allows more of `key`."""
        return (
            f"allow more in the study, under [limits] with {key} = … "
            f"(now {getattr(self, key):_}; in Python limits=Limits({key}=…))"
        )

    def check_bytes(self, count: int, file: str) -> None:
        """Refuse a file of `count` bytes if that is too much."""
        if count > self.megabytes * 1_000_000:
            raise UnreadableFileError(
                f"{file}: {count:,} bytes; at most {self.megabytes:,} MB are read. If the file is meant, {self.more('megabytes')}"
            )

    def check_unpacked(self, packed: int, unpacked: int, file: str) -> None:
        """Refuse an archive whose members are `packed` bytes and would be `unpacked`."""
        key = "megabytes" if unpacked > self.megabytes * 1_000_000 else "ratio"
        if key == "megabytes" or (unpacked > 1_000_000 and unpacked > self.ratio * max(packed, 1)):
            raise UnreadableFileError(
                f"{file}: {packed:,} bytes unpack to {unpacked:,}; at most {self.megabytes:,} MB and {self.ratio:,} times the "
                f"packed size are read. If the file is meant, {self.more(key)}"
            )

    def check_rows(self, count: int, file: str) -> None:
        """Refuse a table of `count` rows, or of at least so many, if that is too much."""
        if count > self.rows:
            raise UnreadableFileError(
                f"{file}: more than {self.rows:,} rows. Split the file, or {self.more('rows')}"
            )

    def check_cells(self, rows: int, columns: int, file: str) -> None:
        """Refuse a table so wide and so long."""
        if rows * columns > self.cells:
            raise UnreadableFileError(
                f"{file}: {rows:,} rows of up to {columns:,} columns; at most {self.cells:,} cells are read. Clear what stands far "
                f"outside the table, or {self.more('cells')}"
            )


USUAL = Limits()
"""What is read unless somebody says otherwise."""
