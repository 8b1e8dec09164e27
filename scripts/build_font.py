"""Cut the CJK face of the figures out of Noto Sans CJK: GB 2312, Latin, punctuation, every name of the sample and of China's units.

Run it again whenever the sample gains names::

    apt-get install fonts-noto-cjk          # Debian; or give --source another Noto Sans CJK collection
    python scripts/build_font.py

The result lies in `sy_coverage/outputs/figures/fonts/` under another family name, with the SIL Open Font License beside it. The
same source gives the same bytes.
"""

from __future__ import annotations

import argparse
import sqlite3
from contextlib import closing
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FONTS = ROOT / "sy_coverage" / "outputs" / "figures" / "fonts"
SOURCE = Path("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc")
FACE = 2  # Simplified Chinese
FAMILY = "SY Coverage Sans SC"
UNIT_NAMES = Path(__file__).with_name("font_characters.txt")
"""What the names of provinces, cities, counties, townships and villages (china-division 2.7.0) need beyond all that."""
TEXT_FILES = {".csv", ".toml", ".md"}


def gb2312() -> set[str]:
    """Return every character of GB 2312, levels 1 and 2 and its symbols."""
    found = set()
    for row in range(0xA1, 0xF8):
        for cell in range(0xA1, 0xFF):
            try:
                found.add(bytes([row, cell]).decode("gb2312"))
            except UnicodeDecodeError:
                continue
    return found


def latin() -> set[str]:
    """Return ASCII, Latin-1, and the punctuation, arrows and shapes that labels use."""
    ranges = (
        (0x20, 0x7F),
        (0xA0, 0x180),
        (0x2010, 0x2028),
        (0x2030, 0x203F),
        (0x2190, 0x219A),
        (0x25A0, 0x25D0),
    )
    more = "²³⁴〓€℃√≤≥≠≈−×÷①②③④⑤⑥⑦⑧⑨⑩○●◎☆★〔〕［］｛｝｜～＂＃＄％＆＇（）＊＋，－．／：；＜＝＞？＠"
    return {chr(c) for low, high in ranges for c in range(low, high)} | set(more)


def sample_names() -> set[str]:
    """Return every character of the shipped data and of the catalogues of labels."""
    found: set[str] = set()
    readers = {".xlsx": characters_of_workbook, ".gpkg": characters_of_geopackage}
    for file in sorted((ROOT / "data" / "boundaries").rglob("*")):
        if file.suffix in TEXT_FILES:
            found |= characters_of_text(file.read_bytes())
        elif file.suffix in readers:
            found |= readers[file.suffix](file)
    for file in sorted((ROOT / "sy_coverage").rglob("*.toml")):
        found |= characters_of_text(file.read_bytes())
    return {c for c in found if c.isprintable()}


def characters_of_text(content: bytes) -> set[str]:
    """Return the characters of a text file in UTF-8 or, failing that, GB 18030."""
    try:
        return set(content.decode("utf-8-sig"))
    except UnicodeDecodeError:
        return set(content.decode("gb18030"))


def characters_of_workbook(file: Path) -> set[str]:
    """Return the characters of all text cells."""
    import openpyxl

    rows = (row for sheet in openpyxl.load_workbook(file) for row in sheet.iter_rows(values_only=True))
    return {c for row in rows for value in row if isinstance(value, str) for c in value}


def characters_of_geopackage(file: Path) -> set[str]:
    """Return the characters of all text of all layers."""
    found: set[str] = set()
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
        layers = [row[0] for row in database.execute("SELECT table_name FROM gpkg_contents ORDER BY 1")]
        for layer in layers:
            # the names of the layers come from the file itself
            for row in database.execute(f'SELECT * FROM "{layer}"'):  # noqa: S608
                found |= {c for value in row if isinstance(value, str) for c in value}
    return found


def main() -> None:
    """Write the subset and say what is in it."""
    from fontTools import subset
    from fontTools.ttLib import TTFont

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--source", type=Path, default=SOURCE, help="a Noto Sans CJK collection (.ttc)")
    source = parser.parse_args().source
    wanted = gb2312() | latin() | sample_names() | characters_of_text(UNIT_NAMES.read_bytes())
    options = subset.Options(
        layout_features=["kern", "locl", "ccmp"],
        hinting=False,
        desubroutinize=False,
        name_IDs=[0, 1, 2, 3, 4, 5, 6, 13, 14],
        name_languages=[0x409],
        notdef_outline=True,
        drop_tables=["DSIG", "BASE", "VORG", "vhea", "vmtx"],
    )
    font = TTFont(source, fontNumber=FACE, recalcTimestamp=False)
    cutter = subset.Subsetter(options)
    cutter.populate(unicodes=[ord(c) for c in wanted])
    cutter.subset(font)
    names = {
        1: FAMILY,
        2: "Regular",
        3: f"{FAMILY} Regular",
        4: f"{FAMILY} Regular",
        6: "SYCoverageSansSC-Regular",
    }
    for entry in font["name"].names:
        if entry.nameID in names:
            entry.string = names[entry.nameID]
    cff = font["CFF "].cff
    cff.fontNames = ["SYCoverageSansSC-Regular"]
    top = cff.topDictIndex[0]
    top.FamilyName, top.FullName = FAMILY, f"{FAMILY} Regular"
    FONTS.mkdir(parents=True, exist_ok=True)
    target = FONTS / "SYCoverageSansSC-Regular.otf"
    font.save(target)
    has = set(TTFont(target).getBestCmap())
    lacking = sorted(c for c in wanted if ord(c) not in has)
    print(f"{target.relative_to(ROOT)}: {len(has):,} characters, {target.stat().st_size:,} bytes")
    print(f"not in the source: {''.join(lacking) or 'none'}")


if __name__ == "__main__":
    main()
