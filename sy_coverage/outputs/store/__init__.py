"""Keep findings and take them out again, so that maps and proposals can be made without computing anything: one file, or a folder by county."""

from sy_coverage.outputs.store.folder import (
    FACTS,
    FOLDER,
    INDEX,
    WHOLE,
    Index,
    digests,
    has_folder,
    part_files,
    read_index,
    read_part,
)
from sy_coverage.outputs.store.values import packed, unpacked

__all__ = [
    "FACTS", "FOLDER", "INDEX", "WHOLE", "Index", "digests", "has_folder", "packed", "part_files", "read_index", "read_part", "unpacked",
]  # fmt: skip
